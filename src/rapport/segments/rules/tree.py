"""The rule tree: what a segment asks of a person, as frozen values. `parse` reads it from JSON."""

from __future__ import annotations

import datetime as dt
import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

Operator = Literal["=", "!=", "<", "<=", ">", ">=", "between"]
WindowKind = Literal["ever", "last_days", "before_days", "next_days", "between", "before", "since"]

OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

Day: TypeAlias = dt.date
Bounds: TypeAlias = tuple[Day | None, Day | None]  # first and last day, both inside; None: no end


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of whole days in UTC, fixed or counted from today.

    `last_days` 7 is today and the six days before it, `before_days` 7 is everything before those, and
    `next_days` 7 is today and the six days after it. `between`, `before` and `since` name days.
    """

    kind: WindowKind = "ever"
    days: int = 0
    first: Day | None = None
    last: Day | None = None

    def bounds(self, today: Day) -> Bounds:
        """First and last day, both inside."""
        near = dt.timedelta(days=self.days - 1)
        if self.kind == "last_days":
            return today - near, today
        if self.kind == "before_days":
            return None, today - near - dt.timedelta(days=1)
        if self.kind == "next_days":
            return today, today + near
        return self.first, self.last

    def happened(self, today: Day) -> Bounds:
        """The part of it that is not in the future: what lies after today has not happened."""
        first, last = self.bounds(today)
        return first, today if last is None else min(last, today)


EVER = Window()


@dataclass(frozen=True, slots=True)
class Comparison:
    """A number against one bound, or `between` two that both lie inside."""

    op: Operator
    value: float
    upto: float = 0.0

    def holds(self, number: float) -> bool:
        if self.op == "between":
            return self.value <= number <= self.upto
        return OPERATORS[self.op](number, self.value)


# ---- tests of one value -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Is:
    """The text or the statement is this one."""

    value: str | bool


@dataclass(frozen=True, slots=True)
class In:
    """The text is one of these."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Contains:
    """The text holds this one, whatever the case of its letters; with `at_start`, it begins with it."""

    value: str
    at_start: bool = False


@dataclass(frozen=True, slots=True)
class When:
    """The day lies in the window; here it may lie in the future."""

    window: Window


@dataclass(frozen=True, slots=True)
class Anniversary:
    """The day comes round within so many days, today being the first of them."""

    next_days: int


@dataclass(frozen=True, slots=True)
class Known:
    """There is a value at all, or none."""

    known: bool = True


Test: TypeAlias = Is | In | Contains | Comparison | When | Anniversary | Known


# ---- conditions ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Trait:
    name: str
    test: Test


@dataclass(frozen=True, slots=True)
class Field:
    """A column that every profile has: country, language, kind, first_seen or last_seen."""

    name: str
    test: Test


@dataclass(frozen=True, slots=True)
class Identifier:
    """Whether an identifier of this namespace is known, such as `email`."""

    namespace: str
    known: bool = True


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether the purpose may be served on the channel; an empty channel stands for the purpose as such."""

    purpose: str
    channel: str = ""
    allowed: bool = True


@dataclass(frozen=True, slots=True)
class Score:
    """`Comparison` asks its value, `In` its label."""

    name: str
    test: Comparison | In | Known


@dataclass(frozen=True, slots=True)
class Act:
    """A kind of event; with a dimension, those of that value of the property by which the plan counts it."""

    event: str
    dimension: str = ""


@dataclass(frozen=True, slots=True)
class Did:
    """At least one, or none."""

    did: bool = True


@dataclass(frozen=True, slots=True)
class Count:
    """How many; on how many days, where `of_days`."""

    test: Comparison
    of_days: bool = False


@dataclass(frozen=True, slots=True)
class Money:
    """Their values added up, in minor units; refunds count below zero."""

    test: Comparison


@dataclass(frozen=True, slots=True)
class Edge:
    """The first, or the last, of all that ever happened lies in the window."""

    end: Literal["first", "last"]
    window: Window


@dataclass(frozen=True, slots=True)
class Then:
    """Followed by another: later the same day, or on one of the `within_days` days after it."""

    act: Act
    within_days: int | None = None  # None: any time later


Measure: TypeAlias = Did | Count | Money | Edge | Then


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a person did, in a window of days; for `Edge` the window is its own."""

    act: Act
    measure: Measure = Did()
    window: Window = EVER


@dataclass(frozen=True, slots=True)
class Annotated:
    """How many texts of the person a model gave this label; an empty label stands for any."""

    name: str
    label: str = ""
    measure: Did | Count = Did()
    window: Window = EVER


@dataclass(frozen=True, slots=True)
class Segment:
    """Whether the person is in another segment, as it was last refreshed."""

    key: str
    member: bool = True


Condition: TypeAlias = Trait | Field | Identifier | Consent | Score | Behaviour | Annotated | Segment


@dataclass(frozen=True, slots=True)
class All:
    """Every part holds; without parts, it holds for everybody."""

    of: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Any:
    """At least one part holds; without parts, it holds for nobody."""

    of: tuple[Rule, ...]


@dataclass(frozen=True, slots=True)
class Not:
    of: Rule


Rule: TypeAlias = All | Any | Not | Condition

EVERYBODY = All(())


def parts(rule: Rule) -> tuple[Rule, ...]:
    """What stands directly below."""
    if isinstance(rule, All | Any):
        return rule.of
    return (rule.of,) if isinstance(rule, Not) else ()


def conditions(rule: Rule) -> Iterator[Condition]:
    """Every condition of the tree, from the left."""
    if isinstance(rule, All | Any | Not):
        for part in parts(rule):
            yield from conditions(part)
    else:
        yield rule


def segments_in(rule: Rule) -> frozenset[str]:
    """Keys of the segments that the rule asks about."""
    return frozenset(c.key for c in conditions(rule) if isinstance(c, Segment))
