"""Killed between the server's yes and our note of it: bounded to what was in flight, and said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from rapport.messaging.tests.conftest import Mailbox

PLAN = """
import sys
from rapport.web import stores
stores.initialise()
from rapport.consent import services as consent
from rapport.messaging.services import Outgoing, accounts, send_many
port, in_flight = int(sys.argv[1]), int(sys.argv[2])
accounts.set_up("email", {"host": "127.0.0.1", "port": port, "security": "none", "timeout_s": 5,
    "from_address": "shop@otter.example", "in_flight": in_flight}, postal_address="Hauptstrasse 1")
receipt = {"number": "1", "what": "Blades", "date": "today", "amount": "9 EUR"}
letter = {"subject_line": "Spring", "blocks": [{"type": "offer", "text": "Ten per cent"}]}
for i in range(20):
    consent.grant(f"email:m{i}@example.org", "marketing", "email", how="form")
send_many(
    [Outgoing(f"email:s{i}@example.org", "service", "receipt", f"s{i}", receipt) for i in range(20)]
    + [Outgoing(f"email:m{i}@example.org", "marketing", "letter", f"m{i}", letter) for i in range(20)]
)
"""
DRAIN = """
from rapport.web import stores
stores.set_up()
from rapport.messaging.services import drain
drain()
"""
STATES = """
from rapport.web import stores
stores.set_up()
import json
from rapport.messaging.models import Delivery
print(json.dumps(list(Delivery.objects.values_list("key", "state", "reason"))))
"""

pytestmark = pytest.mark.skipif(
    os.environ.get("RAPPORT_DATABASE_URL", "").startswith("postgres"),
    reason="it plans in a data folder of its own, on SQLite",
)


@pytest.fixture
def rapport(tmp_path: Path) -> Any:
    env = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    env |= {"RAPPORT_HOME": str(tmp_path / "home"), "DJANGO_SETTINGS_MODULE": "rapport.web.settings"}

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def states(rapport: Any) -> dict[str, tuple[str, str]]:
    import json

    out, err = rapport(STATES).communicate(timeout=60)
    assert out, err
    return {key: (state, reason) for key, state, reason in json.loads(out)}


@pytest.mark.parametrize(("in_flight", "kill_at"), [(1, 7), (1, 27), (6, 30)])
def test_killed_after_the_yes_and_before_the_note(
    rapport: Any, mailbox: Mailbox, in_flight: int, kill_at: int
) -> None:
    _, err = rapport(PLAN, str(mailbox.port), str(in_flight)).communicate(timeout=120)
    assert "Traceback" not in err, err
    running = rapport(DRAIN)

    def kill(n_arrived: int) -> None:
        if n_arrived == kill_at:  # the server has the message and has not yet said so
            running.send_signal(signal.SIGKILL)
            running.wait()

    mailbox.on_arrival = kill
    running.communicate(timeout=120)
    assert running.returncode == -signal.SIGKILL
    left = states(rapport)
    in_the_air = {key for key, (state, _) in left.items() if state == "sending"}
    assert 1 <= len(in_the_air) <= in_flight
    mailbox.on_arrival = None

    _out, err = rapport(DRAIN).communicate(timeout=120)
    assert f"{len(in_the_air)} messages were in flight when sending ended" in err
    ended = states(rapport)
    service = {key for key in in_the_air if key.startswith("s")}
    assert {key for key, (state, _) in ended.items() if state == "unknown"} == in_the_air - service
    assert all(state == "sent" for key, (state, _) in ended.items() if key not in in_the_air - service)
    arrived = Counter(address.partition("@")[0] for address in mailbox.addresses)
    twice = {name for name, n in arrived.items() if n > 1}
    assert twice <= service  # nothing but what was in flight comes twice, and no marketing does
    assert max(arrived.values()) <= 2
    never = set(ended) - set(arrived)
    assert never <= in_the_air - service  # nobody else is forgotten


def test_nothing_leaves_twice_where_two_would_send(rapport: Any, mailbox: Mailbox) -> None:
    rapport(PLAN, str(mailbox.port), "4").communicate(timeout=120)
    both = [rapport(DRAIN), rapport(DRAIN)]
    said = [process.communicate(timeout=120)[1] for process in both]
    assert all(process.returncode == 0 or "Conflict" in err for process, err in zip(both, said, strict=True))
    assert len(mailbox.addresses) == len(set(mailbox.addresses)) == 40
