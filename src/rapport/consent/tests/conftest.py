"""A log that tests can speak into, with people and consent listening."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules, services, subscriptions

MONDAY = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)

Say = Callable[..., "services.Range"]

_numbers = itertools.count()


def touchpoint(name: str, identifier: str, **columns: Any) -> dict[str, Any]:
    """A row in the TOUCHPOINT shape, on Monday noon unless told otherwise."""
    return {
        "message_id": columns.pop("message_id", f"m{next(_numbers)}"),
        "name": name,
        "ts": columns.pop("ts", MONDAY),
        "identifier": identifier,
        "properties": json.dumps(columns.pop("properties", {})),
        **columns,
    }


def identified(identifier: str, *also: str) -> dict[str, Any]:
    """Somebody and the identifiers that certainly are theirs."""
    return touchpoint(
        "person_identified",
        identifier,
        also=list(also),
        evidence="import",
        properties={"traits": {}, "origin": "declared"},
    )


def said(state: str, identifier: str, purpose: str, channel: str = "", **columns: Any) -> dict[str, Any]:
    """An answer about a use of data, as a source reports it."""
    properties = {"purpose": purpose, "channel": channel, **columns.pop("properties", {})}
    return touchpoint(f"consent_{state}", identifier, properties=properties, **columns)


@pytest.fixture
def say(home: Path, db: None) -> Say:  # noqa: ARG001  what it speaks into
    """Record touchpoints, load them and let people and consent react; gives their range."""

    def record(*rows: dict[str, Any], source: str = "crm", batch: str = "") -> services.Range:
        table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
        span = services.record(table, source=source, batch=batch)
        services.settle(span.first + span.n - 1)
        subscriptions.settle(span.first + span.n - 1, ["people", "consent"])
        return span

    return record


@pytest.fixture
def react(home: Path, db: None) -> Callable[[], None]:  # noqa: ARG001
    """Load what our own services recorded, and let people and consent react to it."""
    from rapport.events import spool

    def load() -> None:
        upto = spool.current().next_seq() - 1
        services.settle(upto)
        subscriptions.settle(upto, ["people", "consent"])

    return load
