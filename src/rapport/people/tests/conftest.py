"""A log that tests can speak into, and what it made of the people."""

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
from rapport.people import selectors

MONDAY = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)

Say = Callable[..., "services.Range"]


def touchpoint(name: str, identifier: str, **columns: Any) -> dict[str, Any]:
    """A row in the TOUCHPOINT shape, on Monday noon unless told otherwise."""
    properties = columns.pop("properties", {})
    return {
        "message_id": columns.pop("message_id", f"m{next(_numbers)}"),
        "name": name,
        "ts": columns.pop("ts", MONDAY),
        "identifier": identifier,
        "properties": json.dumps(properties),
        **columns,
    }


_numbers = itertools.count()


def identified(identifier: str, *also: str, origin: str = "declared", **columns: Any) -> dict[str, Any]:
    """Somebody, their other identifiers and traits."""
    traits = columns.pop("traits", {})
    properties = {"traits": traits, "origin": origin}
    row = {"also": list(also), "evidence": "import", **columns}
    return touchpoint("person_identified", identifier, properties=properties, **row)


@pytest.fixture
def say(home: Path, db: None) -> Say:
    """Record touchpoints, load them and let people react; gives their range."""
    selectors.forget_counts()

    def record(*rows: dict[str, Any], source: str = "crm", batch: str = "") -> services.Range:
        table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
        span = services.record(table, source=source, batch=batch)
        services.settle(span.first + span.n - 1)
        subscriptions.settle(span.first + span.n - 1, ["people"])
        return span

    return record


@pytest.fixture
def ana_and_bo(say: Say) -> tuple[int, int]:
    """Ana, a customer with a mail address, and Bo, a handle on a network, as two persons."""
    say(
        identified(
            "customer:1",
            "email:ana@example.org",
            traits={"name": "Ana Ruiz", "country": "ES", "language": "es", "city": "Cádiz"},
        ),
        touchpoint(
            "post_published",
            "mastodon:bo@example.social",
            text="Does anyone know why?",
            properties={"author_name": "Bo", "place": "Basel"},
        ),
    )
    return selectors.person_id("customer:1"), selectors.person_id("mastodon:bo@example.social")
