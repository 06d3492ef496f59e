"""A small log: Ana buys often, Bo bought once, Chi looks; all of it within some weeks before a Monday noon."""

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
OTHERS = tuple(f"customer:other{i}" for i in range(8))

Say = Callable[..., None]
_numbers = itertools.count()


def row(name: str, identifier: str, days_ago: float = 0.0, **columns: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{next(_numbers)}",
        "name": name,
        "ts": NOON - dt.timedelta(days=days_ago),
        "identifier": identifier,
        "properties": json.dumps(columns.pop("properties", {})),
        **columns,
    }


def told(identifier: str, *also: str, **traits: Any) -> dict[str, Any]:
    said = {"traits": traits, "origin": "declared"}
    return row("person_identified", identifier, 60, also=list(also), evidence="login", properties=said)


def ordered(identifier: str, days_ago: float, minor: int = 1_000, channel: str = "shop") -> dict[str, Any]:
    said = {"order_id": f"o{next(_numbers)}", "country": "ES"}
    return row(
        "order_placed",
        identifier,
        days_ago,
        value_minor=minor,
        currency="EUR",
        channel=channel,
        properties=said,
    )


@pytest.fixture
def say(home: Path, db: None) -> Iterator[Say]:  # noqa: ARG001  wanted for what they set up
    """Record touchpoints at Monday noon, load them and let every subscriber react; the clock stays there."""
    with clock.frozen(NOON):

        def record(*rows: dict[str, Any]) -> None:
            if rows:
                services.record(pa.Table.from_pylist(list(rows), schema=rules.TOUCHPOINT), source="shop")
            services.settle(spool.current().next_seq() - 1)
            subscriptions.drain()

        yield record


@pytest.fixture
def shop(say: Say) -> Say:
    """Ana and her device, Bo, Chi, and eight more who ordered once."""
    say(
        told(ANA, "anonymous:a1", country="ES", plan="gold"),
        told(BO, country="DE", plan="blue"),
        told(CHI, country="DE"),
        *(told(other, country="ES", plan="gold") for other in OTHERS),
        row("page_viewed", "anonymous:a1", 5.01, properties={"path": "/oil"}),
        ordered(ANA, 40),
        ordered(ANA, 5, 2_500, channel="app"),
        ordered(BO, 4, 700),
        row("page_viewed", CHI, 3, properties={"path": "/"}),
        *(ordered(other, 10 + i, 1_100) for i, other in enumerate(OTHERS)),
    )
    return say
