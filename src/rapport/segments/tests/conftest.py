"""A small log: Ana buys often, Bo bought once, Chi looks and buys nothing."""

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
from rapport.segments.selectors import columns

NOON = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)
ANA, BO, CHI = "customer:ana", "customer:bo", "customer:chi"

Say = Callable[..., None]
_numbers = itertools.count()


def row(name: str, identifier: str, days_ago: float = 0.0, **columns_: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{next(_numbers)}",
        "name": name,
        "ts": NOON - dt.timedelta(days=days_ago),
        "identifier": identifier,
        "properties": json.dumps(columns_.pop("properties", {})),
        **columns_,
    }


def told(identifier: str, *also: str, **traits: Any) -> dict[str, Any]:
    said = {"traits": traits, "origin": "declared"}
    return row("person_identified", identifier, 300, also=list(also), evidence="login", properties=said)


def ordered(identifier: str, days_ago: float, minor: int = 1_000) -> dict[str, Any]:
    said = {"order_id": f"o{next(_numbers)}"}
    return row("order_placed", identifier, days_ago, value_minor=minor, currency="EUR", properties=said)


def viewed(identifier: str, days_ago: float) -> dict[str, Any]:
    return row("page_viewed", identifier, days_ago, properties={"path": "/"})


def settled() -> None:
    """Load everything, and let people and consent react."""
    head = spool.current().next_seq() - 1
    services.settle(head)
    subscriptions.settle(head, ["people", "consent"])


@pytest.fixture
def say(home: Path, db: None) -> Iterator[Say]:  # noqa: ARG001  wanted for what they set up
    """Record touchpoints, load them and let people and consent react; it is noon on a Monday."""

    def record(*rows_: dict[str, Any]) -> None:
        services.record(pa.Table.from_pylist(list(rows_), schema=rules.TOUCHPOINT), source="crm")
        settled()

    with clock.frozen(NOON):
        yield record
    columns.forget()


@pytest.fixture
def crowd(say: Say) -> Say:
    """Ana, Bo and Chi, as the first line of this file says."""
    say(
        told(ANA, "email:ana@example.org", plan="gold", points=120),
        told(BO, plan="silver"),
        told(CHI, "email:chi@example.org"),
        *(ordered(ANA, days) for days in (2, 20, 40)),
        ordered(BO, 100),
        viewed(CHI, 1),
    )
    return say
