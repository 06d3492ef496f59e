"""The columns say what the log and people say: when made, after whatever happened, and after a renewal."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rapport.consent import services as consent
from rapport.events import lake, rules, services, subscriptions
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.segments.rules.columns import Needs
from rapport.segments.selectors import columns, columns_held
from rapport.segments.services import columns as making

MONDAY = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
_numbers = itertools.count()

Say = Callable[..., None]


def row(name: str, identifier: str, **columns_: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{next(_numbers)}",
        "name": name,
        "ts": columns_.pop("ts", MONDAY),
        "identifier": identifier,
        "properties": json.dumps(columns_.pop("properties", {})),
        **columns_,
    }


def told(identifier: str, *also: str, **traits: Any) -> dict[str, Any]:
    return row(
        "person_identified",
        identifier,
        also=list(also),
        evidence="login",
        properties={"traits": traits, "origin": "declared"},
    )


def ordered(identifier: str, day: int, category: str = "wipers", minor: int = 1_000) -> dict[str, Any]:
    item = {"category": category, "quantity": 1, "unit_price_minor": minor, "product_code": "w1"}
    return row(
        "order_placed",
        identifier,
        ts=MONDAY + day * DAY,
        value_minor=minor,
        currency="EUR",
        properties={"order_id": f"o{next(_numbers)}", "items": [item]},
    )


def viewed(identifier: str, day: int, path: str = "/") -> dict[str, Any]:
    return row("page_viewed", identifier, ts=MONDAY + day * DAY, properties={"path": path})


@pytest.fixture
def say(home: Path, db: None) -> Iterator[Say]:  # noqa: ARG001
    """Record touchpoints, load them and let people and consent react."""

    def record(*rows_: dict[str, Any], react: bool = True) -> None:
        table = pa.Table.from_pylist(list(rows_), schema=rules.TOUCHPOINT)
        span = services.record(table, source="crm")
        services.settle(span.first + span.n - 1)
        if react:
            subscriptions.settle(span.first + span.n - 1, ["people", "consent"])

    yield record
    columns.forget()


def world() -> dict[str, Any]:
    """What the log and people say, asked without the columns."""
    identity = people.identity_arrow()
    kinds = {i: people.person(i).kind for i in set(identity["person"].to_pylist())}
    con = lake.connect()
    try:
        lake.give(con, "belongs", identity)
        lake.give(
            con,
            "known",
            pa.table(
                {"person": [i for i, k in kinds.items() if k == "person"]},
                schema=pa.schema([("person", pa.int64())]),
            ),
        )
        days = con.execute(
            "SELECT name, dimension, day, i.person, sum(n)::BIGINT, sum(value_minor)::BIGINT, min(first_ts), max(last_ts)"
            " FROM subject_day AS d JOIN belongs AS i ON d.subject = i.subject SEMI JOIN known AS k ON i.person = k.person"
            " GROUP BY ALL ORDER BY ALL"
        ).fetchall()
        seen = dict(
            (person, (first, last))
            for person, first, last in con.execute(
                "SELECT i.person, min(first_ts)::DATE, max(last_ts)::DATE FROM subject_day AS d JOIN belongs AS i"
                " ON d.subject = i.subject SEMI JOIN known AS k ON i.person = k.person WHERE dimension = '' AND"
                " name IN ('order_placed', 'page_viewed', 'person_identified') GROUP BY ALL"
            ).fetchall()
        )
    finally:
        con.close()
    profile = []
    for person in sorted(i for i, kind in kinds.items() if kind == "person"):
        view = people.person(person)
        traits = {t.name: t.chosen.value for t in view.traits}
        scores = {s.name: s.value for s in view.scores if not s.is_stale}
        profile.append(
            (
                person,
                view.country or None,
                *seen.get(person, (None, None)),
                sorted({i.namespace for i in view.identifiers}),
                traits.get("plan"),
                traits.get("points"),
                scores.get("churn_risk"),
            )
        )
    return {"days": days, "profile": profile}


def seen_in_columns(**how: Any) -> dict[str, Any]:
    with columns.engine(**how) as con:
        names = {r[0] for r in con.execute("DESCRIBE profile").fetchall()}
        asked = [
            f'"{c}"' if c in names else "NULL" for c in ("trait:plan", "trait:points", "score:churn_risk")
        ]
        return {
            "days": con.execute(
                "SELECT name, dimension, day, person, sum(n)::BIGINT, sum(value_minor)::BIGINT, min(first_ts), max(last_ts)"
                " FROM person_day SEMI JOIN profile USING (person) GROUP BY ALL ORDER BY ALL"
            ).fetchall(),
            "profile": con.execute(
                f"SELECT person, country, first_seen, last_seen, namespaces, {', '.join(asked)} FROM profile ORDER BY person"
            ).fetchall(),
        }


def agree() -> None:
    """The columns agree as readers see them, and again once they are written down."""
    asked = world()
    assert seen_in_columns() == asked
    assert columns.freshness().is_current


def begin(say: Say) -> None:
    say(
        told("customer:1", "email:ana@example.org", plan="gold", points=3, country="ES"),
        told("customer:2", "email:bo@example.org", plan="silver", points=5),
        told("customer:3", "email:chi@example.org", plan="gold", points=8),
        *(ordered("customer:1", d) for d in range(3)),
        *(ordered("customer:2", d, "oil", 500) for d in range(5)),
        *(viewed("anonymous:device1", d) for d in range(4)),
        viewed("customer:3", 1),
    )


def person(text: str) -> int:
    return people.person_id(text)


def test_made_from_the_log_and_from_people(say: Say) -> None:
    begin(say)
    agree()
    assert making.renew().how == "nothing"


def test_an_empty_log_has_empty_columns(say: Say) -> None:  # noqa: ARG001
    assert seen_in_columns() == {"days": [], "profile": []}
    assert columns.catalogue().columns["country"].type == "text"


STEPS: dict[str, Callable[[Say], None]] = {
    "more of the same": lambda say: say(ordered("customer:1", 9), viewed("customer:2", 9)),
    "somebody new": lambda say: say(told("customer:9", plan="new"), ordered("customer:9", 4)),
    "a trait that changes": lambda say: say(told("customer:1", plan="black", points=12)),
    "a trait nobody had": lambda say: say(told("customer:1", shoe_size=42)),
    "a visitor who logs in": lambda say: say(told("customer:3", "anonymous:device1")),
    "a visitor who stays one": lambda say: say(viewed("anonymous:device2", 3)),
    "an author who turns out to be a customer": lambda say: (
        say(row("post_published", "mastodon:m@social.example", text="hello")),
        say(told("customer:2", "mastodon:m@social.example")),
    )[0],
    "two who are one": lambda say: merge(say, "customer:1", "customer:2"),
    "one who is two": lambda say: (
        merge(say, "customer:1", "customer:2"),
        part(say, "customer:1", "customer:2"),
    )[0],
    "a score": lambda _: score("customer:1", 0.7),
    "a score that goes": lambda _: (
        score("customer:1", 0.7),
        people_services.drop_scores(subjects("customer:1"), "m"),
    )[0],
    "an erasure": lambda _: consent.erase("customer:1", by="alice") and None,
}


def subjects(text: str) -> Any:
    return np.asarray([people.subject_of(text)], np.int64)


def score(text: str, value: float) -> None:
    people_services.write_scores(
        pa.table(
            {
                "person": [person(text)],
                "name": ["churn_risk"],
                "value": [value],
                "unit": ["probability"],
                "as_of": pa.array([MONDAY], pa.timestamp("us", tz="UTC")),
                "model": ["m"],
                "version": ["1"],
            }
        )
    )


def merge(say: Say, a: str, b: str) -> None:
    people_services.merge(people.subject_of(a), people.subject_of(b), "staff", "alice")
    del say


def part(say: Say, a: str, b: str) -> None:
    del say, b
    edges = [e for e in people.person(a).edges if e.evidence == "staff" and e.is_removable]
    for edge in edges:
        people_services.unmerge(edge.id, "alice")


@pytest.mark.parametrize("renews", [False, True], ids=["read over the files", "written down"])
@pytest.mark.parametrize("step", sorted(STEPS))
def test_whatever_happens_since_is_seen_at_once(say: Say, step: str, renews: bool) -> None:
    begin(say)
    agree()
    STEPS[step](say)
    agree()
    if renews:
        assert making.renew().how in {"difference", "nothing"}
        agree()
        assert making.renew().how == "nothing"
