"""A small log: three buyers and what people said, loaded and identified."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from rapport.events import lake, spool, subscriptions
from rapport.events import rules as event_rules
from rapport.events import services as events
from rapport.insights.contract import ANNOTATED, KIND, Context, Gives
from rapport.insights.services import annotating
from rapport.kit import registry
from rapport.listening.tests.networks import source, square

__all__ = ["source", "square"]  # fixtures

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


def written(name: str) -> list[dict[str, Any]]:
    with lake.connect() as con:
        rows = con.execute("SELECT * FROM annotation WHERE name = $name ORDER BY seq, run", {"name": name})
        found: list[dict[str, Any]] = rows.to_arrow_table().to_pylist()
    return found


@dataclasses.dataclass
class Loud:
    """Says how loud a text is: the share of capitals."""

    name: str = "loud"
    version: str = "1"
    title: str = "Loudness"
    meaning: str = "How much of a text is in capitals."
    limits: str = "None."
    purpose: str = "analytics"
    after: tuple[str, ...] = ()
    needs: None = None
    gives: tuple[Gives, ...] = (Gives("annotation", "loud", "share", 0, 1, ("loud", "quiet"), "Share."),)
    parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    shipped: None = None
    asked: list[int] = dataclasses.field(default_factory=list)
    value: float | None = 0.5
    label: str = "loud"
    writes: str = "loud"
    shift: int = 0
    silent_on: tuple[int, ...] = ()

    def fit(self, table: pa.Table, context: Context) -> bytes:  # noqa: ARG002  the contract's
        return self.version.encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002  the contract's
        self.asked += table.column("seq").to_pylist()
        rows = [
            {
                "seq": s + self.shift,
                "name": self.writes,
                "label": self.label,
                "value": self.value,
                "probability": 1.0,
                "detail": None,
            }
            for s in table.column("seq").to_pylist()
            if s not in self.silent_on
        ]
        return pa.Table.from_pylist(rows, schema=ANNOTATED)

    def explain(self, row: Mapping[str, Any]) -> str:
        return f"It is {row['label']}."


@pytest.fixture
def loud(monkeypatch: pytest.MonkeyPatch) -> Loud:
    """The only model there is."""
    model = Loud()
    found = {"loud": registry.Plugin("loud", KIND, "test", model)}
    monkeypatch.setattr(registry, "plugins", lambda _kind: found)
    return model


@pytest.fixture
def pages_of_two(monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts are read two at a time."""
    monkeypatch.setattr(annotating, "TEXTS_MOST", 2)
