"""A small log: people who order, complain and are answered or not, loaded, identified and scored."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.events import subscriptions
from rapport.insights import services as insights

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
Say = Callable[..., None]


def row(key: str, name: str, identifier: str, days_ago: float, **columns: Any) -> dict[str, Any]:
    properties = columns.pop("properties", {})
    return {
        "message_id": key,
        "name": name,
        "ts": NOW - dt.timedelta(days=days_ago),
        "identifier": identifier,
        "properties": json.dumps(properties),
        **columns,
    }


def order(key: str, who: str, days_ago: float, minor: int, **properties: Any) -> dict[str, Any]:
    told = {"order_id": key, "items": [{"category": "tyres"}], **properties}
    return row(
        key, "order_placed", f"customer:{who}", days_ago, value_minor=minor, currency="EUR", properties=told
    )


def complaint(key: str, who: str, days_ago: float, reason: str = "late") -> dict[str, Any]:
    told = {"reason": reason, "conversation": key}
    return row(key, "complaint_raised", f"customer:{who}", days_ago, channel="email", properties=told)


def letter(key: str, who: str, days_ago: float) -> dict[str, Any]:
    return row(
        key, "message_received", f"customer:{who}", days_ago, channel="web", properties={"conversation": key}
    )


def answer(key: str, who: str, days_ago: float, to: str) -> dict[str, Any]:
    told = {"purpose": "service", "conversation": to}
    return row(f"{key}", "message_sent", f"customer:{who}", days_ago, channel="email", properties=told)


def identified(
    key: str, who: str, days_ago: float = 400, origin: str = "declared", **traits: Any
) -> dict[str, Any]:
    return row(
        key, "person_identified", f"customer:{who}", days_ago, properties={"traits": traits, "origin": origin}
    )


@pytest.fixture
def say(home: Path, db: None, noon: dt.datetime) -> Say:  # noqa: ARG001  wanted for what they set up
    """Record rows, load them, let every subscriber react."""

    def record(*rows: dict[str, Any]) -> None:
        table = pa.Table.from_pylist(list(rows), schema=event_rules.TOUCHPOINT)
        span = events.record(table, source="shop")
        events.settle(span.first + span.n - 1)
        subscriptions.drain()

    return record


@pytest.fixture
def market(say: Say) -> None:
    """Forty buyers, c0 to c39, the later the more they spend; a third complained, some were answered."""
    rows: list[dict[str, Any]] = []
    for k in range(40):
        who = f"c{k}"
        rows += [order(f"o{k}-{n}", who, 300 - 40 * n - k, 1000 + 400 * k) for n in range(5)]
        if k % 3 == 0:
            rows.append(complaint(f"k{k}", who, 100 - k))
            rows.append(row(f"r{k}", "order_refunded", f"customer:{who}", 90 - k, value_minor=-1000, currency="EUR",
                            properties={"order_id": f"o{k}-0"}))  # fmt: skip
            if k % 2 == 0:
                rows.append(answer(f"a{k}", who, 99.5 - k, to=f"k{k}"))
    say(*rows)


def scored() -> None:
    """Run the model over everything."""
    (done,) = insights.run(["portfolio"])
    assert done.state == "done", done.error
