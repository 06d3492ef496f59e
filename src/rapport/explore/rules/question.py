"""A question as a typed tree; `document` writes it as the JSON that `parsing.parse` reads."""

from __future__ import annotations

import dataclasses
import datetime as dt
from dataclasses import dataclass
from typing import Any, Literal

Unit = Literal["day", "week", "month", "year"]
UNITS: tuple[Unit, ...] = ("day", "week", "month", "year")
Grain = Literal["", "day", "week", "month"]
GRAINS: tuple[Grain, ...] = ("", "day", "week", "month")


@dataclass(frozen=True, slots=True)
class Asked:
    """A measure, and what it is to be about."""

    measure: str
    event: str = ""
    annotation: str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Condition:
    """Keep rows whose dimension is one of the values, or none of them; an empty value means not known."""

    dimension: str
    values: tuple[str, ...] = ()
    is_not: bool = False
    at_least: float | None = None
    at_most: float | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """From when to when: the last whole units, days from and to, or ever. Days are the firm's.

    `with_current` adds the unit that is still running.
    """

    last: int = 0
    unit: Unit = "day"
    with_current: bool = False
    first_day: dt.date | None = None
    last_day: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """Measures by dimensions over time."""

    measures: tuple[Asked, ...]
    by: tuple[str, ...] = ()
    where: tuple[Condition, ...] = ()
    segment: str = ""
    period: Period = Period()
    grain: Grain = ""
    compare: bool = False
    most: int = 12  # groups shown


@dataclass(frozen=True, slots=True)
class Cohorts:
    """Of those who began in one unit of time, how many came back in each that followed."""

    event: str = "order_placed"
    unit: Literal["week", "month"] = "month"
    where: tuple[Condition, ...] = ()
    segment: str = ""
    period: Period = Period()
    n: int = 12  # units followed


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a funnel, or what paths begin or end at."""

    event: str
    where: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Funnel:
    """Of those who took the first step, how many took each that follows, in order and within a time."""

    steps: tuple[Step, ...]
    within_days: float = 7
    by: str = ""
    segment: str = ""
    period: Period = Period()
    most: int = 6


@dataclass(frozen=True, slots=True)
class Paths:
    """What people do next after something, or did before it."""

    around: Step
    direction: Literal["after", "before"] = "after"
    through: Literal["pages", "events"] = "pages"
    steps: int = 3
    segment: str = ""
    period: Period = Period()
    most: int = 12


Question = Figures | Cohorts | Funnel | Paths
KINDS: dict[str, type[Question]] = {
    "figures": Figures,
    "cohorts": Cohorts,
    "funnel": Funnel,
    "paths": Paths,
}


def kind_of(question: Question) -> str:
    """figures, cohorts, funnel or paths."""
    return next(name for name, kind in KINDS.items() if isinstance(question, kind))


def document(question: Question) -> dict[str, Any]:
    """The JSON of a question: what it leaves to the default is left out."""
    return {"ask": kind_of(question), **_plain(question)}


def _plain(node: Any) -> dict[str, Any]:
    written: dict[str, Any] = {}
    for one in dataclasses.fields(node):
        value = getattr(node, one.name)
        if one.default is not dataclasses.MISSING and value == one.default:
            continue
        written[one.name] = _value(value)
    return written


def _value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_value(one) for one in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return _plain(value)
    return value.isoformat() if isinstance(value, dt.date) else value
