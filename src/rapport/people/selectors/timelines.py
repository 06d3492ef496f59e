"""What happened to people, from the log: a timeline, last signs of life, what an import brought."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rapport.events import lake
from rapport.events.rules import SUBJECT_BITS
from rapport.kit import clock, query
from rapport.kit.errors import Invalid
from rapport.kit.money import Money
from rapport.people import models
from rapport.people.rules import graph, words
from rapport.people.selectors import identity, rows, spans
from rapport.people.selectors.persons import subjects_of

PAGE = 50
RECENT = dt.timedelta(days=90)  # looked at before all of history: a few monthly files instead of all
NEAR = 1 << 16  # subjects closer than this are read together: some thousand events lie between them at most


@dataclass(frozen=True, slots=True)
class Annotation:
    """What a model said of an event's text."""

    name: str
    label: str
    value: float | None
    probability: float | None
    model: str
    version: str
    detail: str | None = None  # JSON: the words that decided, all probabilities


@dataclass(frozen=True, slots=True)
class TimelineEvent:
    """One thing that happened, as a timeline shows it."""

    seq: int
    at: dt.datetime
    subject: int
    name: str
    source: str
    channel: str | None
    venue: str | None
    text: str | None
    value: Money | None
    properties: dict[str, Any]
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Timeline:
    """A page of a timeline, newest first, and the cursor of the next older one (empty at the end)."""

    events: tuple[TimelineEvent, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Activity:
    """When a person first and last did something, and how many things."""

    first_seen: dt.datetime | None = None
    last_seen: dt.datetime | None = None
    n_events: int = 0


@dataclass(frozen=True, slots=True)
class Arrivals:
    """What a range of the log brought: people nobody had heard of, and people we knew."""

    new: int
    matched: int
    new_by_kind: dict[str, int] = field(default_factory=dict)


def timeline(person_id: int, *, before: str = "", kinds: Sequence[str] = (), limit: int = PAGE) -> Timeline:
    """What happened to all subjects of a person, newest first; `kinds` are those of rules.words.TIMELINE."""
    held = spans.spans_for([person_id])
    return timeline_of(subjects_of(person_id), before=before, kinds=kinds, limit=limit, held=held)


def timeline_of(
    subjects: Sequence[int],
    *,
    before: str = "",
    kinds: Sequence[str] = (),
    limit: int = PAGE,
    held: Sequence[spans.Span] = (),
) -> Timeline:
    """What happened to these subjects and, while they were held, on these shared devices; newest first."""
    names = words.event_names(kinds)
    mine = graph.as_subjects(subjects)
    at, seq = _read_cursor(before)
    with _lake() as con:
        asked = {"names": names or None, "before_ts": at, "before_seq": seq, "limit": limit + 1}
        found = _newest(con, mine, asked, held)
        shown = found[:limit]
        said = _annotations(con, [row for row in shown if row[6] is not None])
    events = tuple(_event(row, said.get(row[0], ())) for row in shown)
    is_more = len(found) > limit
    return Timeline(events, f"{clock.to_us(events[-1].at)}.{events[-1].seq}" if is_more else "")


def _newest(
    con: duckdb.DuckDBPyConnection, mine: graph.Subjects, asked: dict[str, Any], held: Sequence[spans.Span]
) -> list[Any]:
    """The newest events asked for: of recent weeks, and only where those are too few of all time.

    The log is sorted by subject within each month, so a range of subjects is read by itself; one read
    over subjects that lie far apart would take in everybody between them.
    """
    text = query.load("rapport.people", "timeline")
    recent = (asked["before_ts"] or clock.now()) - RECENT
    for since in (recent, None):
        found: list[Any] = []
        for low, high in graph.clusters(mine, NEAR):
            inside = mine[(mine >= low) & (mine <= high)].tolist()
            span = {"low": low, "high": high, "subjects": inside, "since": since, "until": None}
            found += query.run(con, text, {**asked, **span}).fetchall()
        for part in held:
            one = {"low": part.device, "high": part.device, "subjects": [part.device], "until": part.to_ts}
            begins = max((at for at in (since, part.from_ts) if at is not None), default=None)
            found += query.run(con, text, {**asked, **one, "since": begins}).fetchall()
        if len(found) >= asked["limit"]:
            break
    found.sort(key=lambda row: (row[1], row[0]), reverse=True)
    return found[: asked["limit"]]


def activity(person_ids: Sequence[int]) -> dict[int, Activity]:
    """Signs of life of a page of people; a person without any has none."""
    mine = models.Identity.objects.filter(person__in=list(person_ids)).values_list("subject", "person")
    person_of = dict(mine)
    found: dict[int, Activity] = dict.fromkeys(person_ids, Activity())
    if not person_of:
        return found
    with _lake() as con:
        lake.give(con, "wanted", pa.table({"subject": graph.as_subjects(list(person_of))}))
        counted = query.run(
            con, query.load("rapport.people", "activity"), {"passive": list(words.NO_SIGN_OF_LIFE)}
        ).fetchall()
        shared = _held_activity(con, spans.spans_for(person_ids))
    by_person = [(person_of[subject], *rest) for subject, *rest in counted]
    for person, n, first, last in [*by_person, *shared]:
        so_far = found[person]
        found[person] = Activity(
            first_seen=min(first, so_far.first_seen or first),
            last_seen=max(last, so_far.last_seen or last),
            n_events=so_far.n_events + n,
        )
    return found


def _held_activity(
    con: duckdb.DuckDBPyConnection, held: Sequence[spans.Span]
) -> list[tuple[int, int, dt.datetime, dt.datetime]]:
    if not held:
        return []
    schema = pa.schema(
        [
            ("subject", pa.int64()),
            ("person", pa.int64()),
            ("from_ts", pa.timestamp("us", tz="UTC")),
            ("to_ts", pa.timestamp("us", tz="UTC")),
        ]
    )
    rows_ = [{"subject": s.device, "person": s.person, "from_ts": s.from_ts, "to_ts": s.to_ts} for s in held]
    lake.give(con, "held_span", pa.Table.from_pylist(rows_, schema=schema))
    found = query.run(
        con, query.load("rapport.people", "activity_shared"), {"passive": list(words.NO_SIGN_OF_LIFE)}
    )
    return found.fetchall()


def arrivals(first_seq: int, last_seq: int) -> Arrivals:
    """Who came with the events of a range, both ends inside.

    New are people whose smallest subject was first named in the range; matched are other people that one
    of its events concerns.
    """
    low, high = first_seq << SUBJECT_BITS, ((last_seq + 1) << SUBJECT_BITS) - 1
    with _lake() as con:
        touched = query.run(
            con, query.load("rapport.people", "touched"), {"first": first_seq, "last": last_seq}
        ).to_arrow_table()
    persons = np.unique(rows.numbers(identity.people_for(rows.numbers(touched, "subject")), "person"))
    born = models.Person.objects.filter(id__range=(low, high))
    by_kind = {kind: born.filter(kind=kind).count() for kind in ("person", "author", "visitor")}
    return Arrivals(
        new=sum(by_kind.values()),
        matched=int(((persons < low) | (persons > high)).sum()),
        new_by_kind=by_kind,
    )


@contextmanager
def _lake() -> Iterator[duckdb.DuckDBPyConnection]:
    con = lake.connect()
    try:
        yield con
    finally:
        con.close()


def _annotations(
    con: duckdb.DuckDBPyConnection, shown: Sequence[Sequence[Any]]
) -> dict[int, tuple[Annotation, ...]]:
    """The newest word of each model on each of these events."""
    if not shown:
        return {}
    lake.give(con, "shown", pa.table({"seq": graph.as_subjects([row[0] for row in shown])}))
    times = [row[1] for row in shown]
    found = query.run(
        con,
        query.load("rapport.people", "annotations"),
        {"first_ts": min(times), "last_ts": max(times)},
    ).fetchall()
    said: dict[int, list[Annotation]] = {}
    for seq, *rest in found:
        said.setdefault(seq, []).append(Annotation(*rest))
    return {seq: tuple(annotations) for seq, annotations in said.items()}


def _event(row: Sequence[Any], annotations: tuple[Annotation, ...]) -> TimelineEvent:
    seq, at, subject, name, source, venue, text, value_minor, currency, properties, channel = row
    return TimelineEvent(
        seq=seq,
        at=at,
        subject=subject,
        name=name,
        source=source,
        channel=channel,
        venue=venue,
        text=text,
        value=Money(value_minor, currency) if value_minor is not None and currency else None,
        properties=json.loads(properties) if properties else {},
        annotations=annotations,
    )


def _read_cursor(before: str) -> tuple[dt.datetime | None, int | None]:
    if not before:
        return None, None
    us, _, seq = before.partition(".")
    if not (us.lstrip("-").isdecimal() and seq.isdecimal()):
        raise Invalid(f"the place in the timeline {before!r} is damaged", "Begin at the top.")
    return clock.from_us(int(us)), int(seq)
