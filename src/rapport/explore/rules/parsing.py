"""From JSON to a question: whatever is wrong is named with its place and what to write instead."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from rapport.explore.rules import catalogue
from rapport.explore.rules.question import (
    GRAINS,
    KINDS,
    UNITS,
    Asked,
    Cohorts,
    Condition,
    Figures,
    Funnel,
    Paths,
    Period,
    Question,
    Step,
)
from rapport.kit.errors import Invalid, RapportError

T = TypeVar("T")

MEASURES_MOST = 4
BY_MOST = 2
CONDITIONS_MOST = 12
VALUES_MOST = 200
STEPS_MOST = 8
GROUPS_MOST = 500
LAST_MOST = 1000
TEXT_MOST = 255


def parse(given: Any) -> Question:
    """A question from its JSON. Raises Invalid with the place of what is wrong."""
    top = _object(given, "$")
    kind = top.get("ask", "figures")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Invalid(f"$.ask is {kind!r}", f"Write one of {', '.join(KINDS)}.")
    known = set(KINDS[kind].__dataclass_fields__) | {"ask"}
    _only(top, known, "$")
    readers: dict[str, Callable[[dict[str, Any]], Question]] = {
        "figures": _figures,
        "cohorts": _cohorts,
        "funnel": _funnel,
        "paths": _paths,
    }
    return readers[kind](top)


def _figures(top: dict[str, Any]) -> Figures:
    measures = _each(top.get("measures"), "$.measures", _asked, least=1, most=MEASURES_MOST)
    by = _each(top.get("by", []), "$.by", _dimension, most=BY_MOST)
    where = _where(top.get("where", []), "$.where")
    if len(set(by)) < len(by):
        raise Invalid("$.by names a dimension twice", "Name each once.")
    question = Figures(
        measures=measures,
        by=by,
        where=where,
        segment=_text(top.get("segment", ""), "$.segment", may_be_empty=True),
        period=_period(top.get("period", {}), "$.period"),
        grain=_one_of(top.get("grain", ""), GRAINS, "$.grain"),
        compare=_flag(top.get("compare", False), "$.compare"),
        most=_whole(top.get("most", 12), "$.most", 1, GROUPS_MOST),
    )
    if question.compare and _is_ever(question.period):
        raise Invalid("$.compare has nothing to compare with", "Choose a period that has a beginning.")
    for at, asked in enumerate(measures):
        _fits(asked, (*by, *(c.dimension for c in where)), where, f"$.measures[{at}]")
    return question


def _cohorts(top: dict[str, Any]) -> Cohorts:
    return Cohorts(
        event=_text(top.get("event", "order_placed"), "$.event"),
        unit=_one_of(top.get("unit", "month"), ("week", "month"), "$.unit"),
        where=_event_conditions(top.get("where", []), "$.where"),
        segment=_text(top.get("segment", ""), "$.segment", may_be_empty=True),
        period=_period(top.get("period", {}), "$.period"),
        n=_whole(top.get("n", 12), "$.n", 1, 60),
    )


def _funnel(top: dict[str, Any]) -> Funnel:
    steps = _each(top.get("steps"), "$.steps", _step, least=2, most=STEPS_MOST)
    by = top.get("by", "")
    if by:
        by = _dimension(by, "$.by")
        _on_events(by, "$.by")
    return Funnel(
        steps=steps,
        within_days=_number(top.get("within_days", 7), "$.within_days", 0.001, 3660),
        by=by,
        segment=_text(top.get("segment", ""), "$.segment", may_be_empty=True),
        period=_period(top.get("period", {}), "$.period"),
        most=_whole(top.get("most", 6), "$.most", 1, 50),
    )


def _paths(top: dict[str, Any]) -> Paths:
    return Paths(
        around=_step(top.get("around"), "$.around"),
        direction=_one_of(top.get("direction", "after"), ("after", "before"), "$.direction"),
        through=_one_of(top.get("through", "pages"), ("pages", "events"), "$.through"),
        steps=_whole(top.get("steps", 3), "$.steps", 1, 5),
        segment=_text(top.get("segment", ""), "$.segment", may_be_empty=True),
        period=_period(top.get("period", {}), "$.period"),
        most=_whole(top.get("most", 12), "$.most", 1, 100),
    )


def _asked(given: Any, at: str) -> Asked:
    if isinstance(given, str):
        given = {"measure": given}
    node = _object(given, at)
    _only(node, {"measure", "event", "annotation", "label"}, at)
    name = _text(node.get("measure"), f"{at}.measure")
    measure = _at(f"{at}.measure", lambda: catalogue.measure(name))
    for key in ("event", "annotation", "label"):
        if node.get(key) and key not in measure.asks:
            raise Invalid(f"{at}.{key} says nothing: {name} asks for none", f"Remove {key}.")
    texts = {
        key: _text(node.get(key, ""), f"{at}.{key}", may_be_empty=True)
        for key in ("event", "annotation", "label")
    }
    return Asked(measure=name, **texts)


def _fits(asked: Asked, named: Sequence[str], where: Sequence[Condition], at: str) -> None:
    """Refuse a measure that cannot be told apart by a dimension, or that would mix questions."""
    measure = catalogue.measure(asked.measure)
    base = base_of(measure, named)
    for name in named:
        found, _rest = catalogue.split(name)
        if found.is_line and not measure.by_line:
            raise Invalid(
                f"{at}: {measure.name} cannot be told apart by {name}, which differs within an order",
                "Ask for revenue, orders, pieces or people by it.",
            )
        if found.name == "property":
            if base not in (catalogue.EVENT, catalogue.LINE):
                raise Invalid(f"{at}: {measure.name} knows no {name}", "Choose another dimension or measure.")
        elif not found.is_prefix and base not in found.on:
            raise Invalid(f"{at}: {measure.name} knows no {name}", "Choose another dimension or measure.")
    if measure.name in ("nps", "answer_average"):
        kept = {c.dimension for c in where if not c.is_not and len(c.values) == 1}
        if "question" not in kept | set(named):
            raise Invalid(
                f"{at}: {measure.name} would mix questions",
                "Keep one question with `where`, or tell questions apart with `by`.",
            )


def base_of(measure: catalogue.Measure, named: Sequence[str]) -> str:
    """The base that a measure's rows come from when these dimensions are named."""
    if measure.by_line and any(catalogue.split(name)[0].is_line for name in named):
        return catalogue.LINE
    return measure.base


def _step(given: Any, at: str) -> Step:
    if isinstance(given, str):
        given = {"event": given}
    node = _object(given, at)
    _only(node, {"event", "where"}, at)
    return Step(
        _text(node.get("event"), f"{at}.event"), _event_conditions(node.get("where", []), f"{at}.where")
    )


def _event_conditions(given: Any, at: str) -> tuple[Condition, ...]:
    conditions = _where(given, at)
    for i, condition in enumerate(conditions):
        _on_events(condition.dimension, f"{at}[{i}].dimension")
    return conditions


def _on_events(name: str, at: str) -> None:
    found, _rest = catalogue.split(name)
    if not found.is_prefix and catalogue.EVENT not in found.on:
        raise Invalid(f"{at}: events have no {name}", "Choose another dimension.")


def _where(given: Any, at: str) -> tuple[Condition, ...]:
    return _each(given, at, _condition, most=CONDITIONS_MOST)


def _condition(given: Any, at: str) -> Condition:
    node = _object(given, at)
    # `is` is what people write; `values` and `is_not` are how it is kept.
    _only(node, {"dimension", "values", "is", "is_not", "at_least", "at_most"}, at)
    dimension = _dimension(node.get("dimension"), f"{at}.dimension")
    values, is_not = node.get("values", node.get("is", [])), node.get("is_not", False)
    if isinstance(is_not, list):
        values, is_not = is_not, True
    found = _each(values, f"{at}.values", _plain_value, most=VALUES_MOST)
    limits = {
        key: None if node.get(key) is None else _number(node[key], f"{at}.{key}", -1e15, 1e15)
        for key in ("at_least", "at_most")
    }
    if not found and limits["at_least"] is None and limits["at_most"] is None:
        raise Invalid(f"{at} keeps nothing apart", "Give `is`, `is_not`, `at_least` or `at_most`.")
    return Condition(dimension, found, _flag(is_not, f"{at}.is_not"), **limits)


def _plain_value(given: Any, at: str) -> str:
    if given is None:
        return ""
    if isinstance(given, bool):
        return "true" if given else "false"
    if isinstance(given, int):
        return str(given)
    return _text(given, at, may_be_empty=True)


def _dimension(given: Any, at: str) -> str:
    name = _text(given, at)
    found, rest = _at(at, lambda: catalogue.split(name))
    if found.name == "property" and not re.fullmatch(r"[\w .:/-]+", rest):
        raise Invalid(f"{at} names a property {rest!r}", "Write letters, digits and .:/-_ alone.")
    return name


def parse_period(given: Any) -> Period:
    """A period from its JSON."""
    return _period(given, "$")


def _period(given: Any, at: str) -> Period:
    node = _object(given, at)
    _only(node, {"last", "unit", "with_current", "first_day", "last_day"}, at)
    first, last = _day(node.get("first_day"), f"{at}.first_day"), _day(node.get("last_day"), f"{at}.last_day")
    n = _whole(node.get("last", 0), f"{at}.last", 0, LAST_MOST)
    if n and (first or last):
        raise Invalid(f"{at} says both the last {n} and a day", "Give one of the two.")
    if last and not first:
        raise Invalid(f"{at}.first_day is missing", "Give the first day as well.")
    if first and last and last < first:
        raise Invalid(f"{at}.last_day is before its first", "Exchange the two.")
    current = _flag(node.get("with_current", False), f"{at}.with_current")
    return Period(
        last=n,
        unit=_one_of(node.get("unit", "day"), UNITS, f"{at}.unit"),
        with_current=current,
        first_day=first,
        last_day=last,
    )


def _is_ever(period: Period) -> bool:
    return not period.last and not period.with_current and period.first_day is None


def _day(given: Any, at: str) -> dt.date | None:
    if given in (None, ""):
        return None
    try:
        day = dt.date.fromisoformat(given)
    except (TypeError, ValueError):
        raise Invalid(f"{at} is {given!r}", "Write a day like 2026-03-01.") from None
    if not 1990 <= day.year <= 2200:
        raise Invalid(f"{at} is {given}", "Choose a year from 1990 to 2200.")
    return day


def _object(given: Any, at: str) -> dict[str, Any]:
    if not isinstance(given, dict):
        raise Invalid(f"{at} is no object", 'Write {"…": …} there.')
    return given


def _only(node: dict[str, Any], known: set[str], at: str) -> None:
    unknown = sorted(set(node) - known)
    if unknown:
        raise Invalid(f"{at} says {', '.join(unknown)}", f"It may say: {', '.join(sorted(known))}.")


def _each(given: Any, at: str, read: Callable[[Any, str], T], *, least: int = 0, most: int) -> tuple[T, ...]:
    if not isinstance(given, list):
        raise Invalid(f"{at} is no list", "Write […] there.")
    if not least <= len(given) <= most:
        raise Invalid(f"{at} holds {len(given)}", f"Give {least} to {most}.")
    return tuple(read(one, f"{at}[{i}]") for i, one in enumerate(given))


def _text(given: Any, at: str, *, may_be_empty: bool = False) -> str:
    if not isinstance(given, str) or (not given and not may_be_empty):
        raise Invalid(f"{at} is {given!r}", "Write a text there.")
    if len(given) > TEXT_MOST or re.search("[\x00\ud800-\udfff]", given):
        raise Invalid(f"{at} is longer than {TEXT_MOST} letters or no text", "Shorten or correct it.")
    return given


def _one_of(given: Any, known: Sequence[T], at: str) -> T:
    if not isinstance(given, str) or given not in known:
        raise Invalid(f"{at} is {given!r}", f"Write one of {', '.join(str(k) or 'nothing' for k in known)}.")
    return next(k for k in known if k == given)


def _flag(given: Any, at: str) -> bool:
    if not isinstance(given, bool):
        raise Invalid(f"{at} is {given!r}", "Write true or false.")
    return given


def _whole(given: Any, at: str, least: int, most: int) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or not least <= given <= most:
        raise Invalid(f"{at} is {given!r}", f"Write a whole number from {least} to {most}.")
    return given


def _number(given: Any, at: str, least: float, most: float) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise Invalid(f"{at} is {given!r}", "Write a number.")
    if not least <= given <= most:
        raise Invalid(f"{at} is {given}", f"Write a number from {least:g} to {most:g}.")
    return given


def _at(at: str, read: Callable[[], T]) -> T:
    try:
        return read()
    except RapportError as error:
        raise Invalid(f"{at}: {error.message}", error.hint) from None
