"""A network on loopback that counts what it is given, the firm, and colleagues: Alice approves, Bob writes."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules, services, spool, subscriptions
from rapport.kit import clock, registry
from rapport.listening import services as listening
from rapport.listening.contract import KIND
from rapport.messaging.services import posting
from rapport.messaging.tests.network import Connector, Network
from rapport.staff.models import Organisation, Staff

NOW = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
ALICE, BOB = "alice@example.com", "bob@example.com"


class AtOnce(Executor):
    """Runs what it is given before it comes back: the test's own transaction is then seen."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        fn(*args, **kwargs)
        return Future()


@pytest.fixture
def network() -> Iterator[Network]:
    found = Network()
    yield found
    found.close()


@pytest.fixture
def now() -> Iterator[None]:
    with clock.frozen(NOW):
        yield


@pytest.fixture
def source(
    home: Path,  # noqa: ARG001  what it writes into
    db: None,  # noqa: ARG001
    network: Network,
    monkeypatch: pytest.MonkeyPatch,
    now: None,  # noqa: ARG001
) -> Connector:
    offered = Connector()
    monkeypatch.setitem(
        registry.plugins(KIND), "loopback", registry.Plugin("loopback", KIND, __name__, offered)
    )
    monkeypatch.setattr(posting, "ThreadPoolExecutor", lambda *_, **__: AtOnce())
    Organisation.objects.create(
        id=1, name="Otter Tools", currency="EUR", timezone="UTC", language="en", created_at=NOW
    )
    Staff.objects.create(email=ALICE, role="owner", name="Alice")
    Staff.objects.create(email=BOB, role="answers", name="Bob")
    listening.add_source("here", "loopback", {"port": network.port})
    return offered


@pytest.fixture
def told(home: Path, db: None) -> Callable[..., None]:  # noqa: ARG001  what it writes into
    """Record touchpoints by the source `here`, load them and let the desk gather."""

    def record(*rows: dict[str, Any]) -> None:
        services.record(pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT), source="here")
        services.settle(spool.current().next_seq() - 1)
        subscriptions.drain(["broadcasts"])

    return record


def comment(
    who: str, text: str, post_id: str = "", *, name: str = "post_published", seconds: float = 0.0, **more: Any
) -> dict[str, Any]:
    """One comment on our broadcast."""
    number = post_id or f"{who}-{abs(hash(text))}"
    return {
        "message_id": f"{name}:{number}",
        "name": name,
        "ts": NOW + dt.timedelta(seconds=seconds),
        "identifier": f"loopback:{who}",
        "channel": "social",
        "venue": "loopback",
        "text": text or None,
        "properties": json.dumps(
            {"network": "loopback", "post_id": number, "thread": "live-1", "author_name": who.title()} | more
        ),
    }
