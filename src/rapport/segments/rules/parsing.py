"""From JSON to the rule tree and back; what is wrong is said with the place in the document."""

from __future__ import annotations

import datetime as dt
import json
import math
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from rapport.kit.errors import Invalid
from rapport.segments.rules import tree
from rapport.segments.rules.catalogue import FIELDS

DEPTH_MAX = 12
CONDITIONS_MAX = 200
VALUES_MAX = 1_000
TEXT_CHARS_MAX = 255
DAYS_MAX = 36_500
NUMBER_MAX = 2.0**53  # beyond it a number of JSON is no longer exact

Json: TypeAlias = Any  # what json.loads gives

WINDOWS = "ever, last_days, before_days, between, before or since"
CONDITIONS = ("trait", "profile", "identifier", "consent", "score", "event", "annotation", "segment")


def parse(given: Json) -> tree.Rule:
    """The rule that a JSON document states. Raises Invalid with the place, as in `$.all[1].count.op`."""
    if isinstance(given, str | bytes):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError) as error:
            raise Invalid(f"the rule is not JSON: {error}", "Check braces, commas and quotes.") from None
    rule = _rule(given, "$", 1)
    if (n := sum(1 for _ in tree.conditions(rule))) > CONDITIONS_MAX:
        raise Invalid(
            f"the rule has {n} conditions", f"Keep it below {CONDITIONS_MAX}; build on another segment."
        )
    return rule


def _rule(given: Json, at: str, depth: int) -> tree.Rule:
    if depth > DEPTH_MAX:
        raise Invalid(f"{at}: the rule is nested {depth} deep", f"Nest at most {DEPTH_MAX} deep.")
    fields = _object(given, at)
    for key, shape in (("all", tree.All), ("any", tree.Any)):
        if key in fields:
            _only(fields, at, key)
            below = fields[key]
            if not isinstance(below, list):
                raise Invalid(f"{at}.{key}: {_shown(below)} is no list", "Give the parts in brackets.")
            return shape(tuple(_rule(p, f"{at}.{key}[{i}]", depth + 1) for i, p in enumerate(below)))
    if "not" in fields:
        _only(fields, at, "not")
        return tree.Not(_rule(fields["not"], f"{at}.not", depth + 1))
    kinds = [kind for kind in CONDITIONS if kind in fields]
    if len(kinds) != 1:
        found = " and ".join(kinds) if kinds else ", ".join(map(str, fields)) or "nothing"
        raise Invalid(
            f"{at}: {found} says no one thing to ask", f"Use one of all, any, not, {', '.join(CONDITIONS)}."
        )
    return _PARSERS[kinds[0]](fields, at)


# ---- conditions ---------------------------------------------------------------------------------------


def _trait(fields: Mapping[str, Json], at: str) -> tree.Rule:
    return tree.Trait(_text(fields, "trait", at), _test(fields, at, "trait", TESTS))


def _profile(fields: Mapping[str, Json], at: str) -> tree.Rule:
    name = _text(fields, "profile", at)
    if name not in FIELDS:
        raise Invalid(f"{at}.profile: there is no profile field {name!r}", f"There is {', '.join(FIELDS)}.")
    tests = TEXT_TESTS if FIELDS[name] == "text" else DATE_TESTS
    test = _test(fields, at, "profile", tests)
    if isinstance(test, tree.Is) and isinstance(test.value, bool):
        raise Invalid(f"{at}.is: {name} is a text", 'Give a text such as "ES".')
    return tree.Field(name, test)


def _identifier(fields: Mapping[str, Json], at: str) -> tree.Rule:
    _only(fields, at, "identifier", "known")
    return tree.Identifier(_text(fields, "identifier", at), _boolean(fields, "known", at))


def _consent(fields: Mapping[str, Json], at: str) -> tree.Rule:
    _only(fields, at, "consent", "channel", "allowed")
    channel = _text(fields, "channel", at, empty=True) if "channel" in fields else ""
    return tree.Consent(_text(fields, "consent", at), channel, _boolean(fields, "allowed", at))


def _score(fields: Mapping[str, Json], at: str) -> tree.Rule:
    test = _test(fields, at, "score", ("compare", "in", "known"))
    return tree.Score(_text(fields, "score", at), typing.cast("tree.Comparison | tree.In | tree.Known", test))


MEASURES = ("did", "count", "days", "value_minor", "first", "last", "then")


def _behaviour(fields: Mapping[str, Json], at: str) -> tree.Rule:
    _only(fields, at, "event", "dimension", "window", *MEASURES)
    act = _act(fields, at)
    said = [name for name in MEASURES if name in fields]
    if len(said) > 1:
        raise Invalid(
            f"{at}: {' and '.join(said)} are two questions",
            "Ask one here and the other in a condition beside.",
        )
    name = said[0] if said else "did"
    if name in ("first", "last"):
        if "window" in fields:
            raise Invalid(
                f"{at}.window: {name} has a window of its own", f"Say when in {name}, and no window."
            )
        window = _window(fields[name], f"{at}.{name}")
        return tree.Behaviour(act, tree.Edge("first" if name == "first" else "last", window))
    window = _window(fields["window"], f"{at}.window") if "window" in fields else tree.EVER
    return tree.Behaviour(act, _measure(name, fields, at), window)


def _measure(name: str, fields: Mapping[str, Json], at: str) -> tree.Measure:
    if name == "did":
        return tree.Did(_boolean(fields, "did", at))
    if name == "then":
        below = _object(fields["then"], f"{at}.then")
        _only(below, f"{at}.then", "event", "dimension", "within_days")
        within = _days(below["within_days"], f"{at}.then.within_days", 0) if "within_days" in below else None
        return tree.Then(_act(below, f"{at}.then"), within)
    test = _comparison(fields[name], f"{at}.{name}", whole=True)
    return tree.Money(test) if name == "value_minor" else tree.Count(test, of_days=name == "days")


def _act(fields: Mapping[str, Json], at: str) -> tree.Act:
    dimension = _text(fields, "dimension", at, empty=True) if "dimension" in fields else ""
    return tree.Act(_text(fields, "event", at), dimension)


def _annotation(fields: Mapping[str, Json], at: str) -> tree.Rule:
    _only(fields, at, "annotation", "label", "window", "did", "count")
    if "did" in fields and "count" in fields:
        raise Invalid(f"{at}: did and count are two questions", "Keep one of them.")
    label = _text(fields, "label", at, empty=True) if "label" in fields else ""
    window = _window(fields["window"], f"{at}.window") if "window" in fields else tree.EVER
    measure = _measure("count" if "count" in fields else "did", fields, at)
    return tree.Annotated(
        _text(fields, "annotation", at), label, typing.cast("tree.Did | tree.Count", measure), window
    )


def _segment(fields: Mapping[str, Json], at: str) -> tree.Rule:
    _only(fields, at, "segment", "member")
    return tree.Segment(_text(fields, "segment", at), _boolean(fields, "member", at))


_PARSERS: dict[str, Callable[[Mapping[str, Json], str], tree.Rule]] = {
    "trait": _trait,
    "profile": _profile,
    "identifier": _identifier,
    "consent": _consent,
    "score": _score,
    "event": _behaviour,
    "annotation": _annotation,
    "segment": _segment,
}


# ---- tests of one value -------------------------------------------------------------------------------

TEXT_TESTS = ("is", "in", "contains", "begins_with", "known")
DATE_TESTS = ("when", "anniversary_next_days", "known")
TESTS = ("is", "in", "contains", "begins_with", "compare", "when", "anniversary_next_days", "known")


def _test(fields: Mapping[str, Json], at: str, of: str, allowed: tuple[str, ...]) -> tree.Test:
    _only(fields, at, of, *allowed)
    said = [name for name in allowed if name in fields]
    if len(said) != 1:
        raise Invalid(
            f"{at}: {' and '.join(said) or 'nothing'} is asked of {of} {_shown(fields[of])}",
            f"Use one of {', '.join(allowed)}.",
        )
    name, given, place = said[0], fields[said[0]], f"{at}.{said[0]}"
    if name == "is":
        return tree.Is(given if isinstance(given, bool) else _as_text(given, place))
    if name == "in":
        return tree.In(_texts(given, place))
    if name in ("contains", "begins_with"):
        return tree.Contains(_as_text(given, place), at_start=name == "begins_with")
    if name == "compare":
        return _comparison(given, place)
    if name == "when":
        return tree.When(_window(given, place, future=True))
    if name == "anniversary_next_days":
        return tree.Anniversary(_days(given, place, 1, 366))
    return tree.Known(_boolean(fields, "known", at))


def _comparison(given: Json, at: str, *, whole: bool = False) -> tree.Comparison:
    fields = _object(given, at)
    _only(fields, at, "op", "value")
    op, value = fields.get("op"), fields.get("value")
    if op == "between":
        if not isinstance(value, list) or len(value) != 2:
            raise Invalid(f"{at}.value: {_shown(value)} is no pair", "Give [lowest, highest].")
        low, high = (_number(v, f"{at}.value[{i}]", whole=whole) for i, v in enumerate(value))
        if low > high:
            raise Invalid(f"{at}.value: {low:g} is more than {high:g}", "Give the lower one first.")
        return tree.Comparison("between", low, high)
    if not isinstance(op, str) or op not in tree.OPERATORS:
        raise Invalid(
            f"{at}.op: {_shown(op)} is no comparison", f"Use one of {', '.join(tree.OPERATORS)}, between."
        )
    return tree.Comparison(typing.cast("tree.Operator", op), _number(value, f"{at}.value", whole=whole))


def _window(given: Json, at: str, *, future: bool = False) -> tree.Window:
    names = WINDOWS + (", or next_days" if future else "")
    if given == "ever":
        return tree.EVER
    if not isinstance(given, dict) or len(given) != 1:
        raise Invalid(f"{at}: {_shown(given)} is no window", f'Use {names}, as in {{"last_days": 90}}.')
    ((kind, value),) = given.items()
    place = f"{at}.{kind}"
    if kind in ("last_days", "before_days") or (kind == "next_days" and future):
        return tree.Window(kind, days=_days(value, place, 1))
    if kind == "between":
        if not isinstance(value, list) or len(value) != 2:
            raise Invalid(f"{place}: {_shown(value)} is no pair of days", "Give [first day, last day].")
        first, last = (_day(v, f"{place}[{i}]") for i, v in enumerate(value))
        if first > last:
            raise Invalid(f"{place}: {first} is after {last}", "Give the earlier day first.")
        return tree.Window("between", first=first, last=last)
    if kind == "before":
        return tree.Window("before", last=_day(value, place) - dt.timedelta(days=1))
    if kind == "since":
        return tree.Window("since", first=_day(value, place))
    raise Invalid(f"{at}: there is no window {_shown(kind)}", f"Use {names}.")


# ---- values -------------------------------------------------------------------------------------------


def _object(given: Json, at: str) -> Mapping[str, Json]:
    if not isinstance(given, dict):
        raise Invalid(f"{at}: {_shown(given)} is no object", 'Write it in braces, as in {"trait": "plan"}.')
    return given


def _only(fields: Mapping[str, Json], at: str, *allowed: str) -> None:
    for name in fields:
        if name not in allowed:
            raise Invalid(f"{at}: {_shown(name)} does not belong here", f"Allowed: {', '.join(allowed)}.")


def _text(fields: Mapping[str, Json], name: str, at: str, *, empty: bool = False) -> str:
    if empty and fields.get(name) == "":
        return ""
    return _as_text(fields.get(name), f"{at}.{name}")


def _as_text(given: Json, at: str) -> str:
    if not isinstance(given, str) or not given.strip() or len(given) > TEXT_CHARS_MAX:
        raise Invalid(f"{at}: {_shown(given)} is no text", f"Give 1 to {TEXT_CHARS_MAX} characters.")
    if "\x00" in given or any("\ud800" <= c <= "\udfff" for c in given):
        raise Invalid(f"{at}: the text holds what no text may hold", "Type it anew.")
    return given


def _texts(given: Json, at: str) -> tuple[str, ...]:
    if not isinstance(given, list) or not 1 <= len(given) <= VALUES_MAX:
        raise Invalid(f"{at}: {_shown(given)} is no list of texts", f"Give 1 to {VALUES_MAX} in brackets.")
    return tuple(dict.fromkeys(_as_text(v, f"{at}[{i}]") for i, v in enumerate(given)))


def _number(given: Json, at: str, *, whole: bool = False) -> float:
    is_number = isinstance(given, int | float) and not isinstance(given, bool)
    if not is_number or not math.isfinite(given) or abs(given) > NUMBER_MAX:
        raise Invalid(f"{at}: {_shown(given)} is no number", "Give a number such as 2.")
    if whole and given != int(given):
        raise Invalid(f"{at}: {_shown(given)} is no whole number", "Give a whole number such as 2.")
    return float(given)


def _days(given: Json, at: str, least: int, most: int = DAYS_MAX) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not least <= given <= most:
        raise Invalid(
            f"{at}: {_shown(given)} is no number of days", f"Give a whole number from {least} to {most}."
        )
    return given


def _day(given: Json, at: str) -> dt.date:
    try:
        if not isinstance(given, str) or len(given) != 10:
            raise ValueError
        day = dt.date.fromisoformat(given)
    except ValueError:
        raise Invalid(f"{at}: {_shown(given)} is no day", 'Write it as "2026-03-31".') from None
    if not 1900 <= day.year <= 2200:
        raise Invalid(f"{at}: the year {day.year} lies too far away", "Choose one from 1900 to 2200.")
    return day


def _boolean(fields: Mapping[str, Json], name: str, at: str) -> bool:
    given = fields.get(name, True)
    if not isinstance(given, bool):
        raise Invalid(f"{at}.{name}: {_shown(given)} is neither true nor false", "Write true or false.")
    return given


def _shown(given: Json) -> str:
    text = json.dumps(given, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:57]}..."
