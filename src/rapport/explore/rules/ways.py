"""Cohorts, funnels and paths, each as one statement."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.explore.rules import catalogue, periods
from rapport.explore.rules.catalogue import EVENT, World
from rapport.explore.rules.compiling import Compiled, compiled, preamble
from rapport.explore.rules.periods import Span, Spans
from rapport.explore.rules.question import Cohorts, Funnel, Paths, Step
from rapport.explore.rules.rows import Binding, select

GAP_US = 30 * 60 * 1_000_000  # a longer silence ends a session, and a path with it
DAY_US = periods.DAY_US


@dataclass(frozen=True, slots=True)
class Page:
    """So many of a list of people, after so many others."""

    limit: int
    offset: int = 0


def _paged(binding: Binding, page: Page | None) -> str:
    return f" LIMIT {binding.bind(page.limit)} OFFSET {binding.bind(page.offset)}" if page else ""


def compile_cohorts(question: Cohorts, world: World, today: dt.date) -> Compiled:
    """(cohort, step, n): people who began in a unit, and how many of them came back so many units later.

    Step 0 is how many began. Somebody begins with their first event ever that fits.
    """
    asked = periods.spans(question.period, today).now
    binding = Binding(Spans(Span(periods.FIRST, today + periods.DAY), None, is_ever=True), world.zone)
    binding.grain = question.unit
    rows = _of(binding, Step(question.event, question.where), question.segment, with_people=True)
    behind = _cohort_rows(binding, rows, asked, question)
    sql = (
        f"WITH {preamble(binding)}{behind}"
        " SELECT w.cohort, w.step, count(DISTINCT w.person)::BIGINT AS n FROM within AS w"
        f" WHERE w.step <= {question.n} GROUP BY w.cohort, w.step ORDER BY w.cohort, w.step"
    )
    return compiled(binding, sql, store="events", hides=True)


def compile_cohort_people(
    question: Cohorts,
    cohort: dt.date,
    step: int,
    world: World,
    today: dt.date,
    *,
    page: Page | None = None,
) -> Compiled:
    """(person, n_people): those behind one number of a cohort."""
    asked = periods.spans(question.period, today).now
    binding = Binding(Spans(Span(periods.FIRST, today + periods.DAY), None, is_ever=True), world.zone)
    binding.grain = question.unit
    rows = _of(binding, Step(question.event, question.where), question.segment, with_people=True)
    behind = _cohort_rows(binding, rows, asked, question)
    sql = (
        f"WITH {preamble(binding)}{behind}"
        " SELECT w.person, max(w.us) AS us, count(*) OVER () AS n_people FROM within AS w"
        f" WHERE w.cohort = {binding.bind(cohort)}::DATE AND w.step = {int(step)}"
        f" GROUP BY w.person ORDER BY us DESC, w.person{_paged(binding, page)}"
    )
    return compiled(binding, sql, store="events", hides=False)


def _cohort_rows(binding: Binding, rows: str, asked: Span, question: Cohorts) -> str:
    apart = (
        "date_diff('month', b.cohort, a.bucket)"
        if question.unit == "month"
        else "((a.bucket - b.cohort) // 7)"
    )
    first = binding.bind(periods.floor_of(asked.first, question.unit))
    return (
        f"active AS MATERIALIZED (SELECT r.person, {binding.bucket('r.us')} AS bucket, min(r.us) AS us"
        f" FROM ({rows}) AS r GROUP BY 1, 2),"
        " began AS (SELECT a.person, min(a.bucket) AS cohort FROM active AS a GROUP BY a.person),"
        f" within AS MATERIALIZED (SELECT a.person, b.cohort, {apart}::INTEGER AS step, a.us FROM active AS a"
        f" INNER JOIN began AS b ON a.person = b.person WHERE b.cohort >= {first}::DATE"
        f" AND b.cohort <= {binding.bind(asked.last)}::DATE)"
    )


def compile_funnel(question: Funnel, world: World, today: dt.date) -> Compiled:
    """(d0, step, n, middle_s, place): people who came at least so far, and how long that took them.

    Of each person the attempt that came furthest counts, the earliest of those; each step is the first
    of its kind that is later than the step before, all within the time from the first step.
    """
    binding, attempts = _attempts(question, world, today)
    n = len(question.steps)
    by = [question.by] if question.by else []
    reached = " UNION ALL ".join(
        f"SELECT b.d0, {k} AS step, count(*)::BIGINT AS n,"
        f" (median(b.t{k} - b.t0) / 1000000)::DOUBLE AS middle_s FROM best AS b WHERE b.depth >= {k}"
        " GROUP BY b.d0"
        for k in range(n)
    )
    total = " UNION ALL ".join(
        f"SELECT NULL::VARCHAR AS d0, {k} AS step, count(*)::BIGINT AS n,"
        f" (median(b.t{k} - b.t0) / 1000000)::DOUBLE AS middle_s FROM best AS b WHERE b.depth >= {k}"
        for k in range(n)
    )
    groups = f" UNION ALL {reached}" if by else ""
    sql = (
        f"WITH {attempts}, reached AS MATERIALIZED ({total}{groups}),"
        " place AS (SELECT r.d0, row_number() OVER (ORDER BY r.n DESC, r.d0) AS place, count(*) OVER () AS n_groups"
        " FROM reached AS r WHERE r.step = 0 AND r.d0 IS NOT NULL)"
        " SELECT r.d0, r.step, r.n, r.middle_s, p.place, coalesce(p.n_groups, 0) AS n_groups FROM reached AS r"
        f" LEFT JOIN place AS p ON r.d0 = p.d0 WHERE r.d0 IS NULL OR p.place <= {binding.bind(question.most)}"
        " ORDER BY p.place NULLS FIRST, r.step"
    )
    hides = _tells_apart(question, world)
    return compiled(binding, sql, store="events", hides=hides)


def compile_funnel_people(
    question: Funnel,
    step: int,
    has_left: bool,
    group: str | None,
    world: World,
    today: dt.date,
    *,
    page: Page | None = None,
) -> Compiled:
    """(person, us, n_people): those who came to a step, or those of them who went no further."""
    binding, attempts = _attempts(question, world, today)
    kept = [f"b.depth = {int(step)}" if has_left else f"b.depth >= {int(step)}"]
    if group is not None:
        kept.append(f"b.d0 = {binding.bind(group)}")
    sql = (
        f"WITH {attempts} SELECT b.person, b.t{int(step)} AS us, count(*) OVER () AS n_people FROM best AS b"
        f" WHERE {' AND '.join(kept)} ORDER BY us DESC, b.person{_paged(binding, page)}"
    )
    return compiled(binding, sql, store="events", hides=False)


def _tells_apart(question: Funnel, world: World) -> bool:
    named = [*([question.by] if question.by else []), *(c.dimension for s in question.steps for c in s.where)]
    return bool(question.segment) or any(catalogue.is_personal(name, world) for name in named)


def _attempts(question: Funnel, world: World, today: dt.date) -> tuple[Binding, str]:
    now = periods.spans(question.period, today).now
    is_ever = periods.spans(question.period, today).is_ever
    within_us = round(question.within_days * DAY_US)
    binding = Binding(Spans(now, None, is_ever), world.zone)
    # What follows may lie after the period's end.
    later_days = int(question.within_days) + 2
    following = Binding(
        Spans(Span(now.first, now.last + later_days * periods.DAY), None, is_ever), world.zone, binding.values
    )
    by = (question.by,) if question.by else ()
    first = _of(binding, question.steps[0], question.segment, with_people=True, by=by)
    group = "any_value(r.d0)" if by else "''"
    steps = [
        f"s0 AS MATERIALIZED (SELECT r.person, r.us, {group} AS d0 FROM ({first}) AS r GROUP BY r.person, r.us)"
    ]
    for k, step in enumerate(question.steps[1:], 1):
        rows = _of(following, step, "", with_people=True)
        steps.append(f"s{k} AS MATERIALIZED (SELECT DISTINCT r.person, r.us FROM ({rows}) AS r)")
    _join_reads(binding, following)
    for k in range(1, len(question.steps)):
        previous = "s0" if k == 1 else f"p{k - 1}"
        inner = "z.person, z.d0, z.t0" if k > 1 else "z.person, z.d0, z.us AS t0"
        passed = "".join(f", z.t{i}" for i in range(1, k))
        last = f"z.t{k - 1}" if k > 1 else "z.us"
        origin = "z.t0" if k > 1 else "z.us"
        steps.append(
            f"p{k} AS (SELECT {inner}{passed}, CASE WHEN {last} IS NOT NULL AND s.us <= {origin} + {within_us}"
            f" THEN s.us END AS t{k}"
            f" FROM {previous} AS z ASOF LEFT JOIN s{k} AS s ON z.person = s.person AND {last} < s.us)"
        )
    n = len(question.steps)
    final = f"p{n - 1}"
    depth = " + ".join(f"(z.t{k} IS NOT NULL)::INTEGER" for k in range(1, n))
    steps.append(
        f"tried AS (SELECT z.*, {depth} AS depth FROM {final} AS z),"
        " best AS MATERIALIZED (SELECT t.* FROM tried AS t QUALIFY row_number() OVER"
        " (PARTITION BY t.person ORDER BY t.depth DESC, t.t0, t.d0) = 1)"
    )
    return binding, preamble(binding) + ", ".join(steps)


def _join_reads(binding: Binding, other: Binding) -> None:
    binding.reads_people |= other.reads_people
    binding.reads_profile |= other.reads_profile
    binding.reads_first_order |= other.reads_first_order
    binding.traits |= other.traits
    binding.scores |= other.scores
    binding.segments |= other.segments


def _of(binding: Binding, step: Step, segment: str, *, with_people: bool, by: tuple[str, ...] = ()) -> str:
    return select(
        binding, EVENT, names=(step.event,), by=by, where=step.where, segment=segment, with_people=with_people
    )


def compile_paths(question: Paths, world: World, today: dt.date) -> Compiled:
    """(n0 .. nk, n, n_people, n_all, n_paths): what came next, step by step, most frequent first; empty where nothing did.

    Of each person, until a silence of 30 minutes; the same thing several times in a row is told once.
    """
    binding, walked, hides = _walked(question, world, today)
    keys = ", ".join(f"n{k}" for k in range(question.steps + 1))
    sql = (
        f"WITH {walked} SELECT {keys}, count(*)::BIGINT AS n, count(DISTINCT person)::BIGINT AS n_people,"
        " (sum(count(*)) OVER ())::BIGINT AS n_all,"
        f" (count(*) OVER ())::BIGINT AS n_paths FROM walked GROUP BY {keys}"
        f" ORDER BY n DESC, {keys} LIMIT {binding.bind(question.most)}"
    )
    return compiled(binding, sql, store="events", hides=hides)


def compile_path_people(
    question: Paths, places: Sequence[str], world: World, today: dt.date, *, page: Page | None = None
) -> Compiled:
    """(person, us, n_people): those who went a way."""
    binding, walked, _hides = _walked(question, world, today)
    kept = [f"coalesce(w.n{k}, '') = {binding.bind(place)}" for k, place in enumerate(places)]
    sql = (
        f"WITH {walked} SELECT w.person, max(w.us) AS us, count(*) OVER () AS n_people FROM walked AS w"
        f" WHERE {' AND '.join(kept)} GROUP BY w.person ORDER BY us DESC, w.person{_paged(binding, page)}"
    )
    return compiled(binding, sql, store="events", hides=False)


def _walked(question: Paths, world: World, today: dt.date) -> tuple[Binding, str, bool]:
    spans = periods.spans(question.period, today)
    binding = Binding(Spans(spans.now, None, spans.is_ever), world.zone)
    named = [c.dimension for c in question.around.where]
    hides = bool(question.segment) or any(catalogue.is_personal(name, world) for name in named)
    if question.through == "pages":
        rows = select(
            binding,
            EVENT,
            names=("page_viewed",),
            by=("page",),
            segment=question.segment,
            with_people=True,
        )
        kind = "'page_viewed'"
    else:
        rows = select(binding, EVENT, names=(), by=("event",), segment=question.segment, with_people=True)
        kind = "r.name"
    anchor = _of(binding, question.around, question.segment, with_people=True)
    side = "lead" if question.direction == "after" else "lag"
    gap = f"abs(x.u{{}} - x.u{{}}) <= {GAP_US}"
    nodes = ", ".join(
        f"{side}(m.node, {k}) OVER w AS f{k}, {side}(m.us, {k}) OVER w AS u{k}"
        for k in range(1, question.steps + 1)
    )
    shown = ["x.node AS n0"]
    held = []
    for k in range(1, question.steps + 1):
        held.append(gap.format(k, k - 1) if k > 1 else f"abs(x.u1 - x.us) <= {GAP_US}")
        shown.append(f"CASE WHEN {' AND '.join(held)} THEN x.f{k} END AS n{k}")
    walked = (
        f"{preamble(binding)}anchor AS MATERIALIZED (SELECT DISTINCT r.seq FROM ({anchor}) AS r),"
        # The anchor is among the nodes even where it is of another kind.
        f" node AS (SELECT r.person, r.us, r.seq, r.d0 AS node, {kind} AS kind FROM ({rows}) AS r"
        " UNION ALL SELECT r.person, r.us, r.seq, r.name AS node, r.name AS kind"
        f" FROM ({anchor}) AS r WHERE r.seq NOT IN (SELECT q.seq FROM ({rows}) AS q)),"
        " marked AS (SELECT o.person, o.us, o.seq, o.node, a.seq IS NOT NULL AS is_anchor,"
        f" coalesce(o.us - lag(o.us) OVER v <= {GAP_US} AND lag(o.node) OVER v = o.node, false) AS repeats"
        " FROM node AS o LEFT JOIN anchor AS a ON o.seq = a.seq"
        " WINDOW v AS (PARTITION BY o.person ORDER BY o.us, o.seq)),"
        # A run of the same is one; it is an anchor where its first is.
        " single AS (SELECT m.person, m.us, m.seq, m.node, m.is_anchor FROM marked AS m WHERE NOT m.repeats),"
        f" path AS (SELECT m.person, m.us, m.seq, m.node, m.is_anchor, {nodes} FROM single AS m"
        " WINDOW w AS (PARTITION BY m.person ORDER BY m.us, m.seq)),"
        f" walked AS (SELECT x.person, x.us, {', '.join(shown)} FROM path AS x WHERE x.is_anchor)"
    )
    return binding, walked, hides
