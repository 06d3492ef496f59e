"""A log that tests can speak into, and what it made of the people."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import duckdb
import pyarrow as pa
import pytest

from rapport.events import rules, services, subscriptions
from rapport.kit import query
from rapport.people import handlers, selectors
from rapport.people.rules import graph
from rapport.people.services import holdings

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


class Log:
    """The log without its stores: numbers touchpoints as the loader does and hands the batch over."""

    def __init__(self) -> None:
        self.batches: list[subscriptions.Batch] = []
        self._subjects: dict[str, int] = {}
        self._last = 0

    def __call__(self, *rows: dict[str, Any], source: str = "crm") -> subscriptions.Batch:
        first = self._last + 1
        events, claims, subjects = [], [], []
        for seq, row in enumerate(rows, first):
            mine = []
            for place, identifier in enumerate([row["identifier"], *(row.get("also") or [])]):
                if identifier not in self._subjects:
                    number = self._subjects[identifier] = seq << rules.SUBJECT_BITS | place
                    subjects.append({"subject": number, "identifier": identifier, "first_seq": seq})
                mine.append(self._subjects[identifier])
            told = {"seq": seq, "ts": row["ts"], "source": source}
            if row["name"] in handlers.NAMES:
                events.append(
                    {**told, "subject": mine[0], "name": row["name"], "properties": row["properties"]}
                )
            evidence = row.get("evidence") or "event"
            claims += [
                {**told, "a": min(mine[0], b), "b": max(mine[0], b), "evidence": evidence} for b in mine[1:]
            ]
        self._last += len(rows)
        batch = subscriptions.Batch(
            first,
            self._last,
            events=pa.Table.from_pylist(events, schema=EVENT),
            claims=pa.Table.from_pylist(claims, schema=CLAIM),
            subjects=pa.Table.from_pylist(subjects, schema=SUBJECT),
        )
        self.batches.append(batch)
        with mock.patch.object(holdings, "of_log", self._holdings):
            handlers.on_batch(batch)
        return batch

    def _holdings(self, shared: graph.Subjects, holders: graph.Subjects) -> pa.Table:
        """What people.holdings reads from the lake."""
        with duckdb.connect() as con:
            con.execute("SET TimeZone = 'UTC'")
            con.register("claim", pa.concat_tables([b.claims for b in self.batches]))
            con.register("shared", pa.table({"device": shared}))
            con.register("held", pa.table({"holder": holders}))
            found = query.run(con, query.load("rapport.people", "holdings")).to_arrow_table()
        return found.cast(holdings.HOLDING)


EVENT = pa.schema(
    [
        ("seq", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("subject", pa.int64()),
        ("name", pa.string()),
        ("source", pa.string()),
        ("properties", pa.string()),
    ]
)
CLAIM = pa.schema(
    [
        ("seq", pa.int64()),
        ("ts", pa.timestamp("us", tz="UTC")),
        ("a", pa.int64()),
        ("b", pa.int64()),
        ("evidence", pa.string()),
        ("source", pa.string()),
    ]
)
SUBJECT = pa.schema([("subject", pa.int64()), ("identifier", pa.string()), ("first_seq", pa.int64())])


@pytest.fixture
def tell(db: None) -> Log:  # noqa: ARG001  where people are kept
    """Tell people touchpoints without a lake, which most tests do not need."""
    selectors.forget_counts()
    return Log()


@pytest.fixture
def say(home: Path, db: None) -> Say:  # noqa: ARG001  what it speaks into
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
def ana_and_bo(tell: Log) -> tuple[int, int]:
    """Ana, a customer with a mail address, and Bo, a handle on a network, as two persons."""
    tell(
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
