"""Killed anywhere between planning a post and noting the network's answer: none lost, none twice, or said."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rapport.messaging.services.posting import SIDE_BY_SIDE
from rapport.messaging.tests.network import Network

START = """
import json, os, signal, sys
how = sys.argv[1]
from rapport.web import stores
stores.{begin}()
from rapport.messaging.tests.network import Connector, offer
offer(Connector(how))
"""
PLAN = (
    START.format(begin="initialise")
    + """
from rapport.kit import clock
from rapport.listening import services as listening
from rapport.messaging.services import Answer, reply
from rapport.staff.models import Organisation, Staff
Organisation.objects.create(id=1, name="Otter Tools", currency="EUR", timezone="UTC", language="en", created_at=clock.now())
Staff.objects.create(email="alice@example.com", role="owner", name="Alice")
listening.add_source("here", "loopback", {"port": int(sys.argv[2])})
TEXTS = ("It is the fuse.", "The relay hangs.", "Bleed the pump.", "A hose leaks.", "Tighten the belt.", "Clean the valve.")
for i, text in enumerate(TEXTS):
    found = reply(Answer(source="here", to=f"loopback:p{i}", text=text,
        key=f"a{i}", in_reply_to=f"q{i}", was_asked=True, language="en", approved_by="alice@example.com"))
    assert found.state == "planned", found
"""
)
# Dies before the statement whose number is given, on whichever connection it comes.
DRAIN = (
    START.format(begin="set_up")
    + """
from django.db import connection
from django.db.backends.signals import connection_created
at, seen = int(sys.argv[2]), [0]
def count(execute, sql, params, many, context):
    if "messaging_" in sql or "listening_posted" in sql:
        if sql.split()[0] in ("UPDATE", "INSERT", "DELETE"):
            seen[0] += 1
            if seen[0] == at:
                os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)
def watch(connection, **_):
    connection.execute_wrappers.append(count)
connection_created.connect(watch)
connection.execute_wrappers.append(count)
from rapport.kit import bulk
many = bulk.execute_many
def execute_many(sql, rows, **more):
    count(lambda *_: None, sql, None, True, None)
    return many(sql, rows, **more)
bulk.execute_many = execute_many
import datetime as dt
from rapport.kit import clock
from rapport.messaging.services import drain
with clock.frozen(clock.now() + dt.timedelta(hours=int(sys.argv[3]))):
    drain()
from rapport.messaging.models import Delivery
print(json.dumps(list(Delivery.objects.values_list("key", "state"))))
"""
)
N_POSTS = 6

pytestmark = pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="it plans in a data folder of its own, on SQLite",
)


@pytest.fixture
def network() -> Iterator[Network]:
    found = Network()
    yield found
    found.close()


@pytest.fixture
def rapport(tmp_path: Path) -> Any:
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env |= {"RAPPORT_HOME": str(tmp_path / "home"), "DJANGO_SETTINGS_MODULE": "rapport.web.settings"}
    env |= {"RAPPORT_SECRET_KEY": "a key for tests alone"}

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def finished(process: subprocess.Popen[str]) -> dict[str, str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return dict(json.loads(out.strip().splitlines()[-1]))


@pytest.mark.parametrize("how", ["find", "once", "neither"])
def test_killed_again_and_again(rapport: Any, network: Network, how: str) -> None:
    """When the network has it and has not said so; and where it can be asked, also before, and between our notes."""
    planning = rapport(PLAN, how, str(network.port))
    _, err = planning.communicate(timeout=120)
    assert planning.returncode == 0, err

    def killing(n_th: int) -> Any:
        def kill(n: int) -> None:
            if n == n_th:
                running.send_signal(signal.SIGKILL)
                running.wait()

        return kill

    def dies(at: int = -1) -> subprocess.Popen[str]:
        found: subprocess.Popen[str] = rapport(DRAIN, how, str(at), "0")
        return found

    network.after = killing(2)
    running = dies()
    running.communicate(timeout=120)
    assert running.returncode == -signal.SIGKILL
    network.after = None
    if how == "find":
        network.before = killing(network.n_seen + 1)
        running = dies()
        running.communicate(timeout=120)
        assert running.returncode == -signal.SIGKILL
        network.before = None
        for at in (2, 4):  # before these statements of ours
            running = dies(at)
            running.communicate(timeout=120)
            assert running.returncode == -signal.SIGKILL

    states = finished(dies())
    if (
        "planned" in states.values()
    ):  # in the air both times that we died: it is asked about again after a while
        states = finished(rapport(DRAIN, how, "-1", "2"))
    posted = Counter(post["text"] for post in network.posts)
    assert max(posted.values()) == 1  # nothing twice, whatever the network can tell
    unknown = {key for key, state in states.items() if state == "unknown"}
    assert set(states.values()) <= {"sent", "unknown"}
    if how == "neither":
        # What was in the air when we died, and no more than that: the network cannot be asked.
        assert 1 <= len(unknown) <= SIDE_BY_SIDE
        assert len(posted) >= N_POSTS - len(unknown)
    else:
        assert not unknown
        assert len(posted) == N_POSTS
