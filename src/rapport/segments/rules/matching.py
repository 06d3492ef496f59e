"""Whether a rule holds for one person, in plain Python: the reference that the SQL is tested against.

Everything is computed from what is kept of the person, one value after the other, without any thought of
speed. What is unknown satisfies no test but `known: false`; `not` turns the outcome of a test round, so that
`not (points > 3)` also holds for somebody without points.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from rapport.segments.rules import tree

Value: TypeAlias = str | float | bool | dt.date | None


@dataclass(frozen=True, slots=True)
class DayCount:
    """What a person did of one kind on one day in UTC; an empty dimension counts all of the kind."""

    name: str
    dimension: str
    day: dt.date
    n: int
    value_minor: int
    first_ts: dt.datetime
    last_ts: dt.datetime


@dataclass(frozen=True, slots=True)
class LabelCount:
    """How many of a person's texts of one day a model gave a label."""

    name: str
    label: str
    day: dt.date
    n: int


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything of one person that a rule can ask for."""

    fields: Mapping[str, Value] = field(default_factory=dict)
    traits: Mapping[str, Value] = field(default_factory=dict)
    scores: Mapping[str, float] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)  # of scores, by the score's name
    namespaces: frozenset[str] = frozenset()
    allowed: frozenset[tuple[str, str]] = frozenset()  # purpose and channel
    days: tuple[DayCount, ...] = ()
    annotated: tuple[LabelCount, ...] = ()
    segments: Mapping[str, dt.datetime | None] = field(default_factory=dict)  # since when, by key


def matches(rule: tree.Rule, facts: Facts, now: dt.datetime) -> bool:
    """Whether the rule holds for the person at that time."""
    match rule:
        case tree.All(of):
            return all(matches(part, facts, now) for part in of)
        case tree.Any(of):
            return any(matches(part, facts, now) for part in of)
        case tree.Not(of):
            return not matches(of, facts, now)
        case _:
            return holds(rule, facts, today_of(now))


def today_of(now: dt.datetime) -> dt.date:
    """The day it is in UTC, wherever the clock hangs."""
    return now.astimezone(dt.UTC).date()


def holds(asked: tree.Condition, facts: Facts, today: dt.date) -> bool:
    """Whether one condition holds."""
    match asked:
        case tree.Trait(name, test):
            return passes(test, facts.traits.get(name), today)
        case tree.Field(name, test):
            return passes(test, facts.fields.get(name), today)
        case tree.Identifier(namespace, known):
            return (namespace in facts.namespaces) is known
        case tree.Consent(purpose, channel, allowed):
            return ((purpose, channel) in facts.allowed) is allowed
        case tree.Score(name, tree.In(values)):
            return facts.labels.get(name) in values
        case tree.Score(name, test):
            return passes(test, facts.scores.get(name), today)
        case tree.Behaviour():
            return behaved(asked, facts, today)
        case tree.Annotated(_, _, measure):
            n = sum(row.n for row in labelled(asked, facts, today))
            return measure.test.holds(n) if isinstance(measure, tree.Count) else (n > 0) is measure.did
        case tree.Segment(key, member):
            return (key in facts.segments) is member


def passes(test: tree.Test, value: Value, today: dt.date) -> bool:
    """Whether one value passes; an empty text is no value, and a value of another type passes nothing."""
    if value is None or value == "":
        return isinstance(test, tree.Known) and not test.known
    match test:
        case tree.Known(known):
            return known
        case tree.Is(wanted):
            return type(value) is type(wanted) and value == wanted
        case tree.In(values):
            return value in values
        case tree.Contains(wanted, at_start):
            if not isinstance(value, str):
                return False
            text, piece = lower(value), lower(wanted)
            return text.startswith(piece) if at_start else piece in text
        case tree.Comparison():
            return isinstance(value, int | float) and not isinstance(value, bool) and test.holds(value)
        case tree.When(window):
            return isinstance(value, dt.date) and lies(value, window.bounds(today))
        case tree.Anniversary(next_days):
            return isinstance(value, dt.date) and month_day(value) in round_days(today, next_days)


def lower(text: str) -> str:
    """Letter by letter, as databases do it: no letter becomes two, and none looks at its neighbours."""
    return "".join("i" if c == "İ" else c.lower() for c in text)


def month_day(day: dt.date) -> int:
    return day.month * 100 + day.day


def round_days(today: dt.date, next_days: int) -> frozenset[int]:
    """Months and days, as 1231, that come round then; 29 February falls on the 28th in other years."""
    days = [today + dt.timedelta(days=ahead) for ahead in range(next_days)]
    found = {month_day(day) for day in days}
    if any(month_day(day) == 228 and (day + dt.timedelta(days=1)).day == 1 for day in days):
        found.add(229)
    return frozenset(found)


def lies(day: dt.date, bounds: tree.Bounds) -> bool:
    first, last = bounds
    return (first is None or day >= first) and (last is None or day <= last)


# ---- behaviour ----------------------------------------------------------------------------------------


def done(act: tree.Act, facts: Facts, bounds: tree.Bounds) -> list[DayCount]:
    """The counters of an act on the days of a window."""
    return [
        row
        for row in facts.days
        if row.name == act.event and row.dimension == act.dimension and lies(row.day, bounds)
    ]


def labelled(asked: tree.Annotated, facts: Facts, today: dt.date) -> list[LabelCount]:
    """The counted texts that a condition is about."""
    bounds = asked.window.happened(today)
    return [
        row
        for row in facts.annotated
        if row.name == asked.name and asked.label in ("", row.label) and lies(row.day, bounds)
    ]


def behaved(asked: tree.Behaviour, facts: Facts, today: dt.date) -> bool:
    """Whether somebody did what is asked."""
    bounds = asked.window.happened(today)
    rows = done(asked.act, facts, bounds)
    match asked.measure:
        case tree.Did(did):
            return bool(rows) is did
        case tree.Count(test, of_days):
            return test.holds(len({row.day for row in rows}) if of_days else sum(row.n for row in rows))
        case tree.Money(test):
            return test.holds(sum(row.value_minor for row in rows))
        case tree.Edge(end, window):
            ever = [row.day for row in done(asked.act, facts, (None, today))]
            if not ever:
                return False
            return lies(min(ever) if end == "first" else max(ever), window.happened(today))
        case tree.Then(act, within):
            later = done(act, facts, bounds)
            return any(follows(a, b, within) for a in rows for b in later)


def follows(a: DayCount, b: DayCount, within_days: int | None) -> bool:
    """Whether one of the second came after one of the first, and on no later day than allowed."""
    if b.last_ts <= a.first_ts:
        return False
    return within_days is None or b.day <= a.day + dt.timedelta(days=within_days)
