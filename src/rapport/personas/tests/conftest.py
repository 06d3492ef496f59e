"""Two kinds of people: forty buy tyres by app and write of grip, forty wax in the shop and write of shine."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.events import subscriptions
from rapport.insights import services as insights
from rapport.personas import selectors

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
EACH = 40
Say = Callable[..., None]


def row(key: str, name: str, who: str, days_ago: float, **columns: Any) -> dict[str, Any]:
    return {
        "message_id": key,
        "name": name,
        "ts": NOW - dt.timedelta(days=days_ago),
        "identifier": f"customer:{who}",
        "properties": json.dumps(columns.pop("properties", {})),
        **columns,
    }


def buyer(who: str, kind: int, n: int) -> list[dict[str, Any]]:
    """Somebody of kind 0 (tyres, app) or 1 (wax, shop) with their orders and an answer to a survey."""
    goods, channel = (("tyres", "oil"), "app") if kind == 0 else (("wax", "racks"), "shop")
    rows = []
    for k in range(3):
        items = [{"category": goods[(n + k) % 2], "unit_price_minor": 1000 + 100 * kind, "quantity": 1}]
        told = {"order_id": f"{who}-{k}", "items": items}
        rows.append(
            row(f"o-{who}-{k}", "order_placed", who, 200 - 40 * k - n / 10, channel=channel, value_minor=1000 + 700 * kind,
                currency="EUR", properties=told)
        )  # fmt: skip
    words = ("The grip of these wheels is all that matters", "I love the shine and the smooth polish")[kind]
    rows.append(
        row(f"a-{who}", "survey_answered", who, 30 + n / 10, text=f"{words}, number {n}.",
            properties={"survey": "nps", "question": "why"})
    )  # fmt: skip
    return rows


def answer(who: str, kind: str, purpose: str, channel: str = "", days_ago: float = 20) -> dict[str, Any]:
    told = {"purpose": purpose, "channel": channel, "how": "form"}
    return row(f"{kind}-{who}-{purpose}-{days_ago}", kind, who, days_ago, properties=told)


@pytest.fixture
def say(home: Path, db: None, noon: dt.datetime) -> Iterator[Say]:  # noqa: ARG001  wanted for what they set up
    """Record rows, load them, let every subscriber react; the model looks for few personas, a few times."""
    insights.parameters_from("persona", lambda: {**selectors.parameters(), "refits": 3, "most": 3})

    def record(*rows: dict[str, Any]) -> None:
        span = events.record(pa.Table.from_pylist(list(rows), schema=event_rules.TOUCHPOINT), source="shop")
        events.settle(span.first + span.n - 1)
        subscriptions.drain()

    yield record
    insights.parameters_from("persona", selectors.parameters)


@pytest.fixture
def crowd(say: Say) -> Say:
    """Both kinds; a third of each lets us ask for their opinion by mail, and one of the first kind refuses estimates."""
    rows: list[dict[str, Any]] = []
    for n in range(EACH):
        for kind in (0, 1):
            who = f"k{kind}n{n}"
            rows += buyer(who, kind, n)
            if n % 3 == 0:
                rows.append(answer(who, "consent_granted", "research", "email"))
    rows.append(answer("k0n7", "consent_withdrawn", "profiling"))
    say(*rows)
    return say


def found() -> None:
    """Let the model look for personas over everything."""
    (done,) = insights.run(["persona"])
    assert done.state == "done", done.error
