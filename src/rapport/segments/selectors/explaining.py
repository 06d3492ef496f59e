"""Why somebody is in a segment, or is not: their facts, read as the rule needs them, and the rule line by line."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import duckdb

from rapport.consent.services import Warrant
from rapport.kit import clock, query
from rapport.segments import rules
from rapport.segments.rules import explaining, tree
from rapport.segments.rules.catalogue import LABEL, SCORE, TRAIT
from rapport.segments.rules.explaining import Line
from rapport.segments.rules.matching import DayCount, Facts, LabelCount, Value
from rapport.segments.rules.saying import ENGLISH, Words
from rapport.segments.selectors import counting


@dataclass(frozen=True, slots=True)
class Explained:
    """Whether the rule holds for a person and why; without a line where they may not be seen for this purpose."""

    person: int
    is_in: bool
    line: Line | None

    @property
    def deciding(self) -> list[Line]:
        """The conditions that decided it."""
        return explaining.deciding(self.line) if self.line else []


def explain(rule: rules.Rule, person: int, leave: Warrant, words: Words = ENGLISH) -> Explained:
    """The rule line by line for one person, with the value behind each.

    There is no line for somebody whom the rule is not asked of: who refuses the purpose, or is no person
    that the firm knows.
    """
    with counting.asked(rule, leave) as (con, found):
        known = facts(con, rule, person, found.needs.allowed)
    if known is None:
        return Explained(person, False, None)
    line = explaining.explain(rule, known, clock.now(), words)
    return Explained(person, line.holds, line)


def facts(
    con: duckdb.DuckDBPyConnection,
    rule: rules.Rule,
    person: int,
    allowed: frozenset[tuple[str, str]] = frozenset(),
) -> Facts | None:
    """What the relations hold of a person, as far as the rule asks for it; None for whom they do not hold."""
    profile = _profile(con, person)
    if profile is None:
        return None
    asked = list(tree.conditions(rule))
    events = {act.event for c in asked if isinstance(c, tree.Behaviour) for act in _acts(c)}
    names = {c.name for c in asked if isinstance(c, tree.Annotated)}
    return Facts(
        fields={name: v for name, v in profile.items() if ":" not in name},
        traits=_prefixed(profile, TRAIT),
        scores={
            name: float(v) for name, v in _prefixed(profile, SCORE).items() if isinstance(v, int | float)
        },
        labels={name: v for name, v in _prefixed(profile, LABEL).items() if isinstance(v, str)},
        namespaces=frozenset(profile.get("namespaces") or ()),  # type: ignore[arg-type]
        allowed=_allowed(con, person) if allowed else frozenset(),
        days=_days(con, person, events) if events else (),
        annotated=_annotated(con, person, names) if names else (),
        segments=_segments(con, person) if tree.segments_in(rule) else {},
    )


def _acts(asked: tree.Behaviour) -> list[tree.Act]:
    then = asked.measure
    return [asked.act, then.act] if isinstance(then, tree.Then) else [asked.act]


def _profile(con: duckdb.DuckDBPyConnection, person: int) -> dict[str, Value] | None:
    found = con.execute("SELECT * FROM profile WHERE person = $person", {"person": person})
    names = [column[0] for column in found.description]
    row = found.fetchone()
    return dict(zip(names, row, strict=True)) if row else None


def _prefixed(profile: dict[str, Value], prefix: str) -> dict[str, Value]:
    return {name.removeprefix(prefix): v for name, v in profile.items() if name.startswith(prefix)}


def _days(con: duckdb.DuckDBPyConnection, person: int, events: set[str]) -> tuple[DayCount, ...]:
    asked = query.load("rapport.segments", "days_of_person")
    rows = query.run(con, asked, {"person": person, "names": sorted(events)}).fetchall()
    return tuple(DayCount(*row) for row in rows)


def _annotated(con: duckdb.DuckDBPyConnection, person: int, names: set[str]) -> tuple[LabelCount, ...]:
    asked = query.load("rapport.segments", "labels_of_person")
    rows = query.run(con, asked, {"person": person, "names": sorted(names)}).fetchall()
    return tuple(LabelCount(*row) for row in rows)


def _allowed(con: duckdb.DuckDBPyConnection, person: int) -> frozenset[tuple[str, str]]:
    rows = con.execute("SELECT purpose, channel FROM allowed WHERE person = $person", {"person": person})
    return frozenset((purpose, channel) for purpose, channel in rows.fetchall())


def _segments(con: duckdb.DuckDBPyConnection, person: int) -> dict[str, dt.datetime | None]:
    rows = con.execute("SELECT segment, since FROM member WHERE person = $person", {"person": person})
    return dict(rows.fetchall())
