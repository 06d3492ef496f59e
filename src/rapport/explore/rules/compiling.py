"""A question about figures as one SQL statement, and the rows behind one of its numbers as another."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport.explore.rules import catalogue, periods
from rapport.explore.rules.catalogue import LINE, Measure, World
from rapport.explore.rules.parsing import base_of
from rapport.explore.rules.periods import Spans
from rapport.explore.rules.question import Asked, Condition, Figures
from rapport.explore.rules.rows import Binding, select

SHOWN_LEAST = 5  # people; a smaller group's figures are not shown where people are told apart

# Relations of facts about people that a statement may read beside the lake's tables.
GIVEN = {
    "identity": "subject BIGINT, person BIGINT, core BIGINT",
    "refused": "subject BIGINT",
    "known": "person BIGINT, country VARCHAR, language VARCHAR",
    "trait_of": "person BIGINT, name VARCHAR, value VARCHAR",
    "score_of": "person BIGINT, name VARCHAR, value VARCHAR",
    "member": "segment VARCHAR, person BIGINT",
}


@dataclass(frozen=True, slots=True)
class Reads:
    """What a statement reads of people, by name."""

    people: bool = False
    profile: bool = False
    traits: frozenset[str] = frozenset()
    scores: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Compiled:
    """A statement, its values, what it reads of people, and what its answer must hide."""

    sql: str
    values: dict[str, Any]
    reads: Reads
    spans: Spans
    store: str = "events"  # or counters, or both
    hides_few: bool = False


def compile_figures(question: Figures, world: World, today: dt.date) -> Compiled:
    """One statement for every measure, group, unit of time and total; see `figures.sql` in the reference.

    Gives rows (measure, d0, d1, bucket, is_before, currency, top, over, n_people, all_groups, all_time,
    place, n_groups).
    """
    binding = _binding(question, world, today)
    named = [*question.by, *(c.dimension for c in question.where)]
    hides = bool(question.segment) or any(catalogue.is_personal(name, world) for name in named)
    parts, stores = [], set()
    for at, asked in enumerate(question.measures):
        store = _store(binding, question, asked, world)
        stores.add(store)
        parts.append(_measure(binding, question, asked, at, hides=hides, store=store))
    cells = " UNION ALL ".join(parts)
    keys = [f"d{i}" for i in range(len(question.by))]
    grouped = ", ".join(keys)
    ranked = (
        f"SELECT {grouped}, row_number() OVER (ORDER BY max(CASE WHEN c.measure = 0 AND NOT c.is_before"
        f" THEN coalesce(c.over, c.top) END) DESC NULLS LAST, {grouped}) AS place"
        f" FROM cell AS c WHERE NOT c.all_groups AND c.all_time GROUP BY {grouped}"
        if keys
        else "SELECT 1 AS place"
    )
    joined = f"LEFT JOIN ranked AS k USING ({grouped})" if keys else "CROSS JOIN ranked AS k"
    shown = f"WHERE c.all_groups OR k.place <= {binding.bind(question.most)}" if keys else ""
    order = ", ".join(
        ["c.measure", "k.place NULLS FIRST", *(f"c.{k}" for k in keys), "c.bucket", "c.is_before"]
    )
    sql = (
        f"WITH {preamble(binding)}cell AS MATERIALIZED ({cells}), ranked AS ({ranked})"
        f" SELECT c.measure, {_both(keys, 'c.')}, c.bucket, c.is_before, c.currency, c.top, c.over, c.n_people,"
        " c.all_groups, c.all_time, k.place, (SELECT count(*) FROM ranked) AS n_groups"
        f" FROM cell AS c {joined} {shown} ORDER BY {order}, c.currency"
    )
    store = stores.pop() if len(stores) == 1 else "both"
    return compiled(binding, sql, store=store, hides=hides)


def _binding(question: Figures, world: World, today: dt.date) -> Binding:
    spans = periods.spans(question.period, today)
    if not question.compare:
        spans = Spans(spans.now, None, spans.is_ever)
    if not spans.is_ever:
        periods.buckets(spans.now, question.grain)
    return Binding(spans, world.zone, grain=question.grain)


def compiled(binding: Binding, sql: str, *, store: str, hides: bool) -> Compiled:
    """The statement with what it was bound to."""
    reads = Reads(
        binding.reads_people,
        binding.reads_profile,
        frozenset(binding.traits),
        frozenset(binding.scores),
        frozenset(binding.segments),
    )
    return Compiled(sql, binding.values, reads, binding.spans, store, hides)


def preamble(binding: Binding) -> str:
    """Whose first order was when, where the question asks for it."""
    if not binding.reads_first_order:
        return ""
    return (
        "first_order AS MATERIALIZED (SELECT coalesce(i.person, o.subject) AS person,"
        " min(epoch_us(o.ts)) AS first_us FROM event AS o LEFT JOIN identity AS i ON o.subject = i.subject"
        " ANTI JOIN refused AS x ON o.subject = x.subject WHERE o.name = 'order_placed' GROUP BY 1), "
    )


def _both(keys: Sequence[str], prefix: str = "") -> str:
    return ", ".join(f"{prefix}{k}" if k in keys else f"'' AS {k}" for k in ("d0", "d1"))


def _measure(binding: Binding, question: Figures, asked: Asked, at: int, *, hides: bool, store: str) -> str:
    measure = catalogue.measure(asked.measure)
    named = [*question.by, *(c.dimension for c in question.where)]
    base = base_of(measure, named)
    by_line = base == LINE and bool(measure.by_line)
    rows = select(
        binding,
        base,
        names=_names(measure, asked),
        by=question.by,
        where=question.where,
        segment=question.segment,
        annotation=asked.annotation,
        label=asked.label,
        with_people=measure.of_people or hides,
        with_first_order=needs_first_order(measure),
        from_counters=store == "counters",
    )
    top = measure.by_line if by_line else measure.top
    over = measure.over or "NULL"
    people = "count(DISTINCT r.person)" if hides else "NULL"
    # What orders are told apart by lines adds up no more: an order has several.
    adds_up = not (measure.is_distinct or hides or (by_line and not measure.is_money))
    keys = [f"d{i}" for i in range(len(question.by))]
    bucket = binding.bucket("r.us") if question.grain else "NULL::DATE"
    before = f"r.us < {binding.now_us}" if binding.spans.before else "false"
    only = f" WHERE {measure.only}" if measure.only else ""
    source = f"SELECT {bucket} AS bucket, {before} AS is_before, r.* FROM ({rows}) AS r{only}"
    money = ["currency"] if measure.is_money else []
    always = ["is_before", *money]
    sets = _sets(always, keys, bool(question.grain))
    columns = f"{at} AS measure, {_both(keys)}, bucket, is_before, " + (
        "currency" if measure.is_money else "'' AS currency"
    )
    all_groups = f"grouping({keys[0]}) = 1" if keys else "true"
    all_time = "grouping(bucket) = 1" if question.grain else "true"
    flags = f"{all_groups} AS all_groups, {all_time} AS all_time"
    if not question.grain:
        columns = columns.replace("bucket", "NULL::DATE AS bucket")
    if adds_up:
        finest = ", ".join([*keys, *(["bucket"] if question.grain else []), *always])
        source = f"SELECT {finest}, {top} AS top_, {over} AS over_ FROM ({source}) AS r GROUP BY {finest}"
        top, over = "sum(r.top_)", "sum(r.over_)" if measure.over else "NULL"
    return (
        f"SELECT {columns}, ({top})::BIGINT AS top, ({over})::BIGINT AS over,"
        f" ({people})::BIGINT AS n_people, {flags} FROM ({source}) AS r GROUP BY GROUPING SETS ({sets})"
    )


def _sets(always: Sequence[str], keys: Sequence[str], has_time: bool) -> str:
    """Every total that is shown: by group and unit, by group, by unit, of all."""
    groups = [list(keys), []] if keys else [[]]
    times = [["bucket"], []] if has_time else [[]]
    sets = [[*always, *g, *t] for g, t in itertools.product(groups, times)]
    return ", ".join(f"({', '.join(one)})" for one in sets)


def needs_first_order(measure: Measure) -> bool:
    """Whether a measure asks when somebody first ordered."""
    return "first_us" in f"{measure.top} {measure.by_line} {measure.only}"


def _names(measure: Measure, asked: Asked) -> tuple[str, ...]:
    return (asked.event,) if asked.event else measure.events


def _store(binding: Binding, question: Figures, asked: Asked, world: World) -> str:
    """counters where they can answer exactly, the log itself otherwise."""
    measure = catalogue.measure(asked.measure)
    names = _names(measure, asked)
    if (
        not binding.has_utc_days
        or not measure.is_counted
        or not names
        or any(name not in world.counted for name in names)
    ):
        return "events"
    for name in (*question.by, *(c.dimension for c in question.where)):
        found, _rest = catalogue.split(name)
        if not (found.name == "event" or found.is_personal):
            return "events"
    return "counters"


@dataclass(frozen=True, slots=True)
class Cell:
    """One number of an answer: which group, unit and side it is of; None means all of them."""

    groups: tuple[str, ...] | None = None
    bucket: dt.date | None = None
    is_before: bool = False
    currency: str = ""


def compile_behind(
    question: Figures,
    at: int,
    cell: Cell,
    world: World,
    today: dt.date,
    *,
    limit: int,
    before: tuple[int, int] | None,
) -> Compiled:
    """The rows behind one number, newest first: (seq, us, subject, person), and how many people there are.

    `before` is the (us, seq) of the last row already shown.
    """
    asked = question.measures[at]
    measure = catalogue.measure(asked.measure)
    where = question.where
    if cell.groups is not None:
        where = (*where, *(Condition(name, (v,)) for name, v in zip(question.by, cell.groups, strict=True)))
    binding = _binding(question, world, today)
    named = [*question.by, *(c.dimension for c in where)]
    base = base_of(measure, named)
    rows = select(
        binding,
        base,
        names=_names(measure, asked),
        where=where,
        segment=question.segment,
        annotation=asked.annotation,
        label=asked.label,
        with_people=True,
        with_first_order=needs_first_order(measure),
    )
    kept = [measure.only] if measure.only else []
    if measure.is_money:
        kept.append(f"r.currency = {binding.bind(cell.currency)}")
    if cell.bucket is not None:
        kept.append(f"{binding.bucket('r.us')} = {binding.bind(cell.bucket)}::DATE")
    if binding.spans.before:
        kept.append(f"r.us {'<' if cell.is_before else '>='} {binding.now_us}")
    inside = f" WHERE {' AND '.join(kept)}" if kept else ""
    seq = "coalesce(r.seq, r.us)" if base == catalogue.SESSION else "r.seq"
    later = f" WHERE (n.us, n.seq) < ({before[0]}, {before[1]})" if before else ""
    sql = (
        f"WITH {preamble(binding)}n AS MATERIALIZED (SELECT DISTINCT {seq} AS seq, r.us, r.subject, r.person"
        f" FROM ({rows}) AS r{inside})"
        " SELECT n.seq, n.us, n.subject, n.person, (SELECT count(DISTINCT m.person) FROM n AS m) AS n_people,"
        " (SELECT count(*) FROM n AS m) AS n_rows"
        f" FROM n{later} ORDER BY n.us DESC, n.seq DESC LIMIT {binding.bind(limit)}"
    )
    return compiled(binding, sql, store="events", hides=False)
