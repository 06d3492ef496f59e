"""A small log: three buyers and what people said, loaded and identified."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.events import spool, subscriptions

NOW = dt.datetime(2026, 3, 2, 12, tzinfo=dt.UTC)

Say = Callable[..., int]


def row(key: str, name: str, identifier: str, days_ago: float, **columns: object) -> dict[str, object]:
    return {
        "message_id": key,
        "name": name,
        "ts": NOW - dt.timedelta(days=days_ago),
        "identifier": identifier,
        "properties": "{}",
        **columns,
    }


def order(
    key: str, customer: str, days_ago: float, minor: int, name: str = "order_placed"
) -> dict[str, object]:
    return row(
        key, name, f"customer:{customer}", days_ago, value_minor=minor, currency="EUR",
        properties=f'{{"order_id": "{key}"}}',
    )  # fmt: skip


def post(key: str, author: str, days_ago: float, text: str | None, **columns: object) -> dict[str, object]:
    return row(key, "post_published", f"mastodon:{author}", days_ago, text=text, **columns)


def loaded() -> int:
    """Load everything and return the last number of the log."""
    head = spool.current().next_seq() - 1
    events.settle(head)
    return head


@pytest.fixture
def say(home: Path, db: None, noon: dt.datetime) -> Say:  # noqa: ARG001  wanted for what they set up
    """Record rows and load them; no subscriber runs."""

    def record(*rows: dict[str, object]) -> int:
        events.record(
            pa.Table.from_pylist(list(rows), schema=event_rules.TOUCHPOINT), source="test", trusted=True
        )
        return loaded()

    return record


def react() -> None:
    """Let every subscriber deal with everything, and load what they wrote."""
    subscriptions.drain()
    loaded()
    subscriptions.drain()
