"""Killed while a network is read, while it becomes a conversation, while it is answered: nothing lost, nothing twice."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.listening.tests.serving import Asked
from rapport.plugins.connectors.bluesky import simulator as bluesky

# Of words of their own: who says the same again and again is held back.
ANSWERS = [
    "Dry the wick, then turn it down a little.",
    "Water came in by the hinge: oil it and close the flap.",
    "That model has a loose burner, which we exchange for free.",
]
ASKS = [f"@{bluesky.ME} my lantern number {n} flickers, what can I do?" for n in range(3)]
# Steps are taken one after the other; before the statement on conversations whose number is given, it dies.
STEPS = """
import json, os, signal, sys
address, dies_at, ANSWERS, steps = sys.argv[1], int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:]
from rapport.web import stores
stores.initialise() if "begin" in steps else stores.set_up()
from django.db import connection
seen = 0
def count(execute, sql, params, many, context):
    global seen
    if "conversations_" in sql and sql.split()[0] in ("UPDATE", "INSERT", "DELETE"):
        seen += 1
        if seen == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)
connection.execute_wrappers.append(count)
from rapport.conversations import services as conversations
from rapport.conversations.models import Conversation, Message
from rapport.events import services as events, spool, subscriptions
from rapport.kit import clock
from rapport.listening import services as listening
from rapport.messaging import services as messaging
from rapport.messaging.models import Delivery
from rapport.staff.models import Organisation, Staff

def begin():
    of = {"currency": "EUR", "timezone": "UTC", "language": "en", "created_at": clock.now()}
    Organisation.objects.create(id=1, name="Otter Tools", **of)
    Staff.objects.create(email="alice@otter.example", role="owner", name="Alice")
    values = {"server": address, "handle": "shop.test", "app_password": "abcd-efgh-ijkl-mnop"}
    listening.follow("lantern", "product", ["lantern"])
    listening.add_source("sky", "bluesky", values)

def read():
    got = listening.read_source("sky")
    assert not got.trouble, got

def work():
    for _ in range(2):
        events.settle(spool.current().next_seq() - 1)
        subscriptions.drain()

def answer():
    alice = Staff.objects.get()
    for one in Conversation.objects.filter(state="open").order_by("first_ts"):
        n = Message.objects.get(conversation=one, direction="in").text.split()[4]
        print(conversations.answer(one.id, ANSWERS[int(n)], by=alice.pk, version=one.version))

def send():
    conversations.follow_deliveries() if hasattr(conversations, "follow_deliveries") else None
    messaging.drain()

for step in steps:
    globals()[step]()
said = [[m.conversation_id.hex, m.direction, m.text] for m in Message.objects.order_by("ts", "id")]
print(json.dumps({"said": said, "states": list(Delivery.objects.values_list("state", flat=True))}))
"""

pytestmark = pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="it runs in a data folder of its own, on SQLite",
)


@pytest.fixture
def network() -> Iterator[bluesky.Bluesky]:
    with bluesky.Bluesky() as server:
        yield server


@pytest.fixture
def rapport(tmp_path: Path, network: bluesky.Bluesky) -> Any:
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env |= {"RAPPORT_HOME": str(tmp_path / "home"), "DJANGO_SETTINGS_MODULE": "rapport.web.settings"}
    env |= {"RAPPORT_SECRET_KEY": "a key for tests alone", "RAPPORT_OUTBOUND_LOOPBACK": "1"}

    def start(*steps: str, dies_at: int = -1) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", STEPS, network.address, str(dies_at), json.dumps(ANSWERS), *steps],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def was_killed(process: subprocess.Popen[str]) -> None:
    out, err = process.communicate(timeout=180)
    assert process.returncode == -signal.SIGKILL, out + err


def test_killed_at_every_step_each_is_heard_once_and_answered_once(
    network: bluesky.Bluesky, rapport: Any
) -> None:
    running: list[subprocess.Popen[str]] = []

    def killing(path: str, after: int = 1) -> Any:
        left = [after]

        def kill(asked: Asked) -> None:
            left[0] -= asked.path.endswith(path)
            if left[0] == 0:
                left[0] = -1
                running[-1].send_signal(signal.SIGKILL)
                running[-1].wait()

        return kill

    for n, text in enumerate(ASKS):
        feature = {"$type": "app.bsky.richtext.facet#mention", "did": network.me}
        facet = {"index": {"byteStart": 0, "byteEnd": 10}, "features": [feature]}
        network.say(f"p{n}.test", text, facets=[facet])

    # While it reads: the first page has been told, the second has not.
    network.on_answered = killing("searchPosts")
    running.append(rapport("begin", "read"))
    was_killed(running[-1])
    network.on_answered = None

    # While what was read becomes conversations.
    was_killed(rapport("read", "work", dies_at=3))

    # While it answers: the network has the second post, and has not said so.
    network.on_answered = killing("putRecord", after=2)
    running.append(rapport("read", "work", "answer", "send"))
    was_killed(running[-1])
    network.on_answered = None
    assert 2 <= len(network.of_me()) <= 3

    # Nobody dies any more; whoever was answered says thanks before the network is read again.
    def thank(asked: Asked) -> None:
        if asked.path.endswith("listNotifications") and len(network.records) == 6:
            for record in network.of_me():
                asker = record.value["reply"]["parent"]["uri"]
                handle = next(h for h, did in network.handles.items() if did in asker)
                network.say(handle, "That worked, thank you!", answers=record.uri)

    network.on_asked = thank
    last = rapport("send", "read", "work", "send")
    out, err = last.communicate(timeout=180)
    assert last.returncode == 0, err
    found = json.loads(out.strip().splitlines()[-1])

    answered = [record.value["reply"]["parent"]["uri"] for record in network.of_me()]
    assert len(answered) == len(set(answered)) == 3, "each was answered, and once"
    assert set(found["states"]) == {"sent"}
    of: dict[str, list[tuple[str, str]]] = {}
    for conversation, direction, text in found["said"]:
        of.setdefault(conversation, []).append((direction, text))
    assert len(of) == 3
    for messages in of.values():
        assert [direction for direction, _ in messages] == ["in", "out", "in"]
        asked, given, thanks = (text for _, text in messages)
        assert given == ANSWERS[ASKS.index(asked)]
        assert thanks == "That worked, thank you!"
