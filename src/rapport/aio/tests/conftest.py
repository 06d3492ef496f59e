"""A small log: people who buy, read, search and write, each in a manner of their own."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import rules, services, spool, subscriptions
from rapport.kit import clock

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ANA, BO, CHI = "customer:ana", "customer:bo", "customer:chi"
CATEGORIES = ("engine_oil", "wipers", "bulbs", "brake_pads")

Say = Callable[..., services.Range]
_numbers = itertools.count()


def row(name: str, identifier: str, days_ago: float = 1.0, **columns: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{next(_numbers)}",
        "name": name,
        "ts": NOON - dt.timedelta(days=days_ago),
        "identifier": identifier,
        "properties": json.dumps(columns.pop("properties", {})),
        **columns,
    }


def ordered(identifier: str, days_ago: float, category: str) -> dict[str, Any]:
    items = [{"product_code": f"{category}-1", "product_name": f"Nordling {category}", "category": category}]
    properties = {"order_id": f"o{next(_numbers)}", "items": items}
    return row(
        "order_placed",
        identifier,
        days_ago,
        channel="web",
        value_minor=1000,
        currency="EUR",
        properties=properties,
    )


def wrote(identifier: str, text: str, days_ago: float = 3.0, **columns: Any) -> dict[str, Any]:
    return row("message_received", identifier, days_ago, text=text, channel="email", **columns)


def told(identifier: str, *also: str, **traits: Any) -> dict[str, Any]:
    said = {"traits": traits, "origin": "declared"}
    return row("person_identified", identifier, 300, also=list(also), evidence="login", properties=said)


def everybody(n: int = 20) -> list[dict[str, Any]]:
    """Others, who buy of everything now and then, so that there is an average."""
    return [
        ordered(f"customer:other{k}", 10 + 9 * i + k, category)
        for k in range(n)
        for i, category in enumerate(CATEGORIES)
    ]


def fond_of(identifier: str, category: str, weeks: int = 8) -> list[dict[str, Any]]:
    """Somebody who turns to one category week after week."""
    return [ordered(identifier, 4 + 7 * week, category) for week in range(weeks)]


@pytest.fixture
def say(home: Path, db: None) -> Iterator[Say]:  # noqa: ARG001  wanted for what they set up
    """Record touchpoints, load them and let people and consent react; it is noon on a Monday, and no model reads."""

    def record(*rows: dict[str, Any]) -> services.Range:
        table = pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT)
        span = services.record(table, source="crm")
        head = spool.current().next_seq() - 1
        services.settle(head)
        subscriptions.settle(head, ["people", "consent"])
        return span

    with clock.frozen(NOON):
        yield record


def annotate(seq: int, name: str, label: str, value: float, detail: dict[str, Any] | None = None) -> None:
    """What a model, or staff, says of a text."""
    from rapport.events import lake

    con = lake.connect()
    try:
        found = con.execute("SELECT subject, ts FROM event WHERE seq = ?", [seq]).fetchone()
    finally:
        con.close()
    assert found is not None
    columns = {
        "seq": seq, "subject": found[0], "ts": found[1], "name": name, "label": label, "value": value,
        "probability": 0.97, "model": "test", "version": "1", "detail": json.dumps(detail or {}),
    }  # fmt: skip
    span = services.annotate(pa.Table.from_pylist([columns], schema=rules.ANNOTATION))
    services.settle(span.first + span.n - 1)
