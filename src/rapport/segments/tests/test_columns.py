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

Say = Callable[..., object]


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


def viewed(identifier: str, day: int) -> dict[str, Any]:
    return row("page_viewed", identifier, ts=MONDAY + day * DAY, properties={"path": "/"})


@pytest.fixture
def say(home: Path, db: None) -> Iterator[Say]:
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
        seen = {
            person: (first, last)
            for person, first, last in con.execute(
                "SELECT i.person, min(first_ts)::DATE, max(last_ts)::DATE FROM subject_day AS d JOIN belongs AS i"
                " ON d.subject = i.subject SEMI JOIN known AS k ON i.person = k.person WHERE dimension = '' AND"
                " name IN ('order_placed', 'page_viewed', 'person_identified') GROUP BY ALL"
            ).fetchall()
        }
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


def test_an_empty_log_has_empty_columns(say: Say) -> None:
    assert seen_in_columns() == {"days": [], "profile": []}
    assert columns.catalogue().columns["country"].type == "text"


STEPS: dict[str, Callable[[Say], object]] = {
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
    "two who are one": lambda _: merge("customer:1", "customer:2"),
    "one who is two": lambda _: (
        merge("customer:1", "customer:2"),
        part("customer:1"),
    )[0],
    "a score": lambda _: score("customer:1", 0.7),
    "a score that goes": lambda _: (
        score("customer:1", 0.7),
        people_services.drop_scores(subjects("customer:1"), "m"),
    )[0],
    "an erasure": lambda _: consent.erase("customer:1", by="alice"),
}


def subjects(text: str) -> Any:
    return np.asarray([people.subject_of(text)], np.int64)


def score(text: str, value: float) -> object:
    return people_services.write_scores(
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


def merge(a: str, b: str) -> object:
    return people_services.merge(people.subject_of(a), people.subject_of(b), "staff", "alice")


def part(text: str) -> object:
    edges = [e for e in people.person(text).edges if e.evidence == "staff" and e.is_removable]
    return [people_services.unmerge(edge.id, "alice") for edge in edges]


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


def test_what_is_left_out_of_the_log_is_noticed_and_made_anew(say: Say) -> None:
    begin(say)
    agree()
    services.forget_older({"order_placed": MONDAY + 2 * DAY - dt.timedelta(hours=12)})
    assert making.renew().how == "whole"
    agree()


def test_several_renewals_one_upon_the_other(say: Say) -> None:
    begin(say)
    agree()
    for round_, step in enumerate(
        ("a visitor who logs in", "two who are one", "a trait that changes", "more of the same")
    ):
        STEPS[step](say)
        assert making.renew().how == "difference", round_
        agree()
    merged = seen_in_columns()
    assert making.renew(whole=True).how == "whole"
    assert seen_in_columns() == merged


def test_many_scores_at_once_are_read_as_a_whole(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(say)
    agree()
    with monkeypatch.context() as patch:
        patch.setattr("rapport.people.services.writing.SLICE_ROWS", 0)
        score("customer:1", 0.25)
    told_ = columns.freshness()
    assert not told_.is_current
    assert "scores" in told_.why
    making.renew()
    agree()


def test_more_than_can_be_read_at_once_is_left_out_and_said(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(say)
    agree()
    before = seen_in_columns()
    monkeypatch.setattr(columns, "INLINE_EVENTS", 1)
    say(ordered("customer:1", 9), ordered("customer:2", 9))
    assert seen_in_columns() == before
    assert not columns.freshness().is_current
    making.renew()
    agree()


def test_whoever_people_does_not_know_yet_is_counted_once_they_are_known(say: Say) -> None:
    begin(say)
    say(told("customer:8", plan="gold"), ordered("customer:8", 1), react=False)
    agree()
    making.renew(whole=True)
    agree()
    subscriptions.settle(services_head(), ["people", "consent"])
    agree()
    making.renew()
    agree()
    assert person("customer:8") in {p[0] for p in seen_in_columns()["profile"]}


def services_head() -> int:
    from rapport.events import spool

    return spool.current().next_seq() - 1


def test_annotations_are_counted_by_label_and_the_newest_run_wins(say: Say) -> None:
    begin(say)
    say(
        *(
            row("post_published", "customer:1", text=t, ts=MONDAY + d * DAY)
            for d, t in enumerate(("good", "bad", "so so"))
        )
    )
    annotate("sentiment", ["positive", "negative", "negative"])
    assert annotated() == {("sentiment", "positive"): 1, ("sentiment", "negative"): 2}
    making.renew()
    annotate("sentiment", ["positive", "positive", "negative"], version="2")
    assert annotated() == {("sentiment", "positive"): 2, ("sentiment", "negative"): 1}
    making.renew()
    assert annotated() == {("sentiment", "positive"): 2, ("sentiment", "negative"): 1}
    assert columns.catalogue().annotations["sentiment"] == ("negative", "positive")


def annotate(name: str, labels: list[str], version: str = "1") -> None:
    con = lake.connect()
    posts = con.execute("SELECT seq, subject, ts FROM event WHERE text IS NOT NULL ORDER BY seq").fetchall()
    con.close()
    table = pa.Table.from_pylist(
        [
            {
                "seq": seq,
                "subject": subject,
                "ts": ts,
                "name": name,
                "label": label,
                "model": "m",
                "version": version,
            }
            for (seq, subject, ts), label in zip(posts, labels, strict=True)
        ],
        schema=rules.ANNOTATION,
    )
    span = services.annotate(table)
    services.settle(span.first + span.n - 1)


def annotated() -> dict[tuple[str, str], int]:
    with columns.engine() as con:
        found = con.execute(
            "SELECT name, label, sum(n)::BIGINT FROM annotated_day WHERE person = ? GROUP BY ALL",
            [person("customer:1")],
        ).fetchall()
    return {(name, label): n for name, label, n in found}


def test_who_refuses_the_purpose_is_in_no_relation(say: Say) -> None:
    begin(say)
    leave = consent.warrant("analytics", by="alice", why="a test")
    assert person("customer:2") in {p[0] for p in seen_in_columns(leave=leave)["profile"]}
    consent.withdraw("email:bo@example.org", "analytics", how="form")
    with columns.engine(leave) as con:
        for relation in ("profile", "person_day"):
            found = {p for (p,) in con.execute(f"SELECT DISTINCT person FROM {relation}").fetchall()}
            assert person("customer:1") in found
            assert person("customer:2") not in found, relation
    with columns.engine() as con:
        assert con.execute("SELECT count(*) FROM profile").fetchall() == [(3,)]


def test_allowed_reaches_as_far_as_a_core(say: Say) -> None:
    begin(say)
    consent.grant("email:ana@example.org", "marketing", "email", how="form")
    needs = Needs(allowed=frozenset({("marketing", "email"), ("marketing", "phone"), ("service", "")}))

    def allowed() -> set[tuple[str, str, int]]:
        with columns.engine(needs=needs) as con:
            return set(
                con.execute(
                    "SELECT purpose, channel, person FROM allowed WHERE purpose = 'marketing'"
                ).fetchall()
            )

    assert allowed() == {("marketing", "email", person("customer:1"))}
    consent.withdraw("customer:1", "marketing", how="form")
    assert allowed() == set()


def test_traits_have_the_type_that_nearly_all_their_values_have(say: Say) -> None:
    say(
        *(
            told(
                f"customer:{i}",
                points=i,
                since=f"2026-01-{10 + i}",
                postcode="08001",
                is_firm=i % 2 == 0,
                religion="x",
                tags=["a"],
            )
            for i in range(10, 15)
        )
    )
    found = {name: c.type for name, c in columns.catalogue().columns.items() if name.startswith("trait:")}
    assert found == {
        "trait:points": "number",
        "trait:since": "date",
        "trait:postcode": "text",
        "trait:is_firm": "boolean",
    }


def test_nobody_erased_is_left_in_any_file(say: Say) -> None:
    begin(say)
    say(told("customer:1", nickname="Qzxwvut"), told("customer:2", friend="email:ana@example.org"))
    agree()
    say(row("link_clicked", "customer:1", properties={"name": "qzxwvut"}))
    making.renew()
    assert {"Qzxwvut", "qzxwvut", "ana@example.org"} <= words_in_files()
    consent.erase("customer:1", by="alice")
    left = " ".join(words_in_files()).lower()
    assert "qzxwvut" not in left
    assert "ana@example" not in left
    assert not [f for f in columns_held.folder().iterdir() if b"qzxwvut" in f.read_bytes().lower()]
    agree()
    assert making.renew().how in {"difference", "nothing"}
    agree()


def words_in_files() -> set[str]:
    """Every text in the files, as an engine reads it."""
    import duckdb

    found: set[str] = set()
    for file in columns_held.folder().glob("*.duckdb"):
        con = duckdb.connect(str(file), read_only=True)
        for (table,) in con.execute("SELECT table_name FROM duckdb_tables()").fetchall():
            for one in con.execute(f'SELECT * FROM "{table}"').fetchall():
                for value in one:
                    found |= {str(v) for v in (value if isinstance(value, list) else [value])}
        con.close()
    return (
        found
        | {part for text in found for part in text.split("/")}
        | {t.removeprefix("email:") for t in found}
    )


def test_a_file_of_another_log_is_made_anew(say: Say, home: Path) -> None:
    from django.db import connection

    begin(say)
    agree()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE people_watermark SET epoch = 'restored' WHERE name = 'change'")
    agree()
    assert json.loads((home / "columns" / "current.json").read_text())["epoch"] == "restored"


def test_a_renewal_that_fails_is_told_and_tried_again_later(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(say)
    agree()
    say(ordered("customer:1", 9))

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("rapport.segments.services.columns_difference.by_difference", full)
        with pytest.raises(OSError, match="No space"):
            making.renew()
    failing = columns.condition().trouble
    assert failing is not None
    assert "No space left" in failing.error
    assert making.renew_if_due() is None  # not at once
    agree()  # readers go on
    making.renew()
    assert columns.condition().trouble is None


def test_old_files_go_and_a_reader_under_way_reads_on(say: Say) -> None:
    begin(say)
    with columns.engine() as con:
        before = con.execute("SELECT count(*) FROM person_day").fetchall()
        say(ordered("customer:1", 9))
        making.renew()
        assert con.execute("SELECT count(*) FROM person_day").fetchall() == before
        agree()
    named = json.loads((columns_held.folder() / "current.json").read_text())
    kept = {f.name for f in columns_held.folder().iterdir()}
    assert kept == {named["profile"], *named["parts"], "current.json"}


def test_who_refuses_is_unseen_though_the_files_lag_behind_a_merge(
    say: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(say)
    leave = consent.warrant("analytics", by="alice", why="a test")
    was = person("customer:2")
    consent.withdraw("email:bo@example.org", "analytics", how="form")
    people_services.merge(person("customer:1"), was, evidence="they said so", by="alice")
    monkeypatch.setattr(columns, "INLINE_PERSONS", 0)  # the files alone are read
    with columns.engine(leave) as con:
        seen = {p for (p,) in con.execute("SELECT person FROM profile").fetchall()}
    assert was not in seen


def test_a_renewal_between_two_looks_is_noticed(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(say)
    columns.freshness()
    columns.forget()
    attach = columns.columns_store.open_store

    with monkeypatch.context() as patch:

        def late(generation: columns_held.Generation) -> object:
            patch.undo()  # once: a renewal looks at the store itself, and would wait for its own lock
            store = attach(generation)
            say(ordered("customer:1", 1))
            making.renew()
            return store

        patch.setattr(columns.columns_store, "open_store", late)
        columns.freshness()
    columns.freshness()
    newest = columns_held.current()
    assert newest is not None
    assert columns._held is not None
    assert columns._held.generation.number == newest.number


def test_what_is_no_number_is_not_above_all_numbers(say: Say) -> None:
    say(*(told(f"customer:{i}", points=i) for i in range(200)), told("customer:x", points="inf"))
    say(told("customer:y", points="nan"))
    assert columns.catalogue().columns["trait:points"].type == "number"
    with columns.engine() as con:
        above = 'SELECT count(*), max("trait:points") FROM profile WHERE "trait:points" > 100'
        assert con.execute(above).fetchall() == [(99, 199.0)]


def test_where_very_many_people_changed_all_is_made_anew(say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    begin(say)
    making.renew()
    say(told("customer:1", plan="gold"), told("customer:2", plan="gold"))
    people_services.merge(person("customer:1"), person("customer:2"), evidence="they said so", by="alice")
    monkeypatch.setattr(making, "WHOLE_PERSONS", 0)
    assert making.renew().how == "whole"
    agree()
