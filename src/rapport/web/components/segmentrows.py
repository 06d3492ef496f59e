"""One row of the form and the condition it states: the row's texts to JSON, and a condition of the tree to a row."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias

from django.utils.translation import gettext as _

from rapport.kit import money
from rapport.kit.errors import Invalid
from rapport.segments.rules import tree
from rapport.segments.rules.catalogue import SCORE, TRAIT, Catalogue, Column
from rapport.web.components.segmenttree import Row

Json: TypeAlias = Any

DID, SAID, FIELD = "did:", "said:", "profile:"
IDENTIFIER, CONSENT, SEGMENT = "identifier", "consent", "segment"
DAYS_USUAL = "90"
DIGITS_MAX = 15


def share(unit: str) -> bool:
    """Whether a figure in this unit is written as a percentage."""
    return unit in ("ratio", "probability")


def currency_of(unit: str, firms: str) -> str:
    """The currency of a figure in minor units, or nothing."""
    return (unit.removeprefix("minor").strip() or firms) if unit.startswith("minor") else ""


# ---- from a row to JSON -------------------------------------------------------------------------------


def condition(row: Row, catalogue: Catalogue, currency: str) -> Json:
    """What the row states, as the rule's JSON. Raises Invalid with what to do where something is missing."""
    prefix, colon, name = row.about.partition(":")
    maker = _MAKERS.get(prefix + colon)
    if maker is None:
        raise Invalid(_("it is not said what this is about"), _("Choose something in its first field."))
    return maker(name, row.given, catalogue, currency)


def _did(name: str, given: Mapping[str, str], _catalogue: Catalogue, currency: str) -> Json:
    asked: dict[str, Json] = {"event": name}
    if dimension := given.get("dim", "").strip():
        asked["dimension"] = dimension
    do = given.get("do", "did")
    if do in ("first", "last"):
        return {**asked, do: _window(given)}
    if do == "did_not":
        asked["did"] = False
    elif do in ("count", "days"):
        asked[do] = _comparison(given, _whole)
    elif do == "value":
        asked["value_minor"] = _comparison(given, lambda text: money.parse(text, currency).minor)
    elif do == "then":
        after: dict[str, Json] = {"event": given.get("then", "")}
        if dimension := given.get("then_dim", "").strip():
            after["dimension"] = dimension
        if given.get("within", "").strip():
            after["within_days"] = _days(given["within"])
        asked["then"] = after
    window = _window(given)
    return asked if window == "ever" else {**asked, "window": window}


def _said(name: str, given: Mapping[str, str], _catalogue: Catalogue, _currency: str) -> Json:
    asked: dict[str, Json] = {"annotation": name}
    if label := given.get("label", ""):
        asked["label"] = label
    if given.get("do") == "did_not":
        asked["did"] = False
    elif given.get("do") == "count":
        asked["count"] = _comparison(given, _whole)
    window = _window(given)
    return asked if window == "ever" else {**asked, "window": window}


def _trait(name: str, given: Mapping[str, str], catalogue: Catalogue, currency: str) -> Json:
    return _tested({"trait": name}, given, catalogue.columns.get(TRAIT + name), currency)


def _profile(name: str, given: Mapping[str, str], catalogue: Catalogue, currency: str) -> Json:
    return _tested({"profile": name}, given, catalogue.columns.get(name), currency)


def _score(name: str, given: Mapping[str, str], catalogue: Catalogue, currency: str) -> Json:
    return _tested({"score": name}, given, catalogue.columns.get(SCORE + name), currency)


def _identifier(_name: str, given: Mapping[str, str], _catalogue: Catalogue, _currency: str) -> Json:
    return {"identifier": given.get("namespace", ""), "known": given.get("test") != "unknown"}


def _consent(_name: str, given: Mapping[str, str], _catalogue: Catalogue, _currency: str) -> Json:
    purpose, _dot, channel = given.get("use", "").partition(".")
    if not purpose:
        raise Invalid(_("no purpose was chosen"), _("Choose what they allow."))
    asked: dict[str, Json] = {"consent": purpose, "allowed": given.get("test") != "refused"}
    return {**asked, "channel": channel} if channel else asked


def _segment(_name: str, given: Mapping[str, str], _catalogue: Catalogue, _currency: str) -> Json:
    if not given.get("key"):
        raise Invalid(_("no segment was chosen"), _("Choose one; if there is none yet, keep this one first."))
    return {"segment": given["key"], "member": given.get("test") != "out"}


_MAKERS: dict[str, Callable[[str, Mapping[str, str], Catalogue, str], Json]] = {
    DID: _did,
    SAID: _said,
    TRAIT: _trait,
    FIELD: _profile,
    SCORE: _score,
    IDENTIFIER: _identifier,
    CONSENT: _consent,
    SEGMENT: _segment,
}


def _tested(asked: dict[str, Json], given: Mapping[str, str], column: Column | None, currency: str) -> Json:
    test = given.get("test", "known")
    if test in ("known", "unknown"):
        return {**asked, "known": test == "known"}
    if test in ("yes", "no"):
        return {**asked, "is": test == "yes"}
    if test == "in":
        return {**asked, "in": _texts(given)}
    if test == "not_in":
        return {"not": {**asked, "in": _texts(given)}}
    if test in ("contains", "begins_with"):
        (text, *more) = _texts(given)
        if more:
            raise Invalid(_("only one text can be looked for here"), _("Add a condition for each other one."))
        return {**asked, test: text}
    if test == "when":
        return {**asked, "when": _window(given)}
    if test == "anniversary":
        return {**asked, "anniversary_next_days": _days(given.get("days", ""))}
    return {**asked, "compare": _comparison({**given, "op": test}, _reader(column, currency))}


def _reader(column: Column | None, currency: str) -> Callable[[str], float]:
    unit = column.unit if column else ""
    if share(unit):
        return lambda text: float(_number(text.rstrip("% ")) / 100)
    if in_currency := currency_of(unit, currency):
        return lambda text: money.parse(text, in_currency).minor
    return lambda text: float(_number(text))


def _comparison(given: Mapping[str, str], reads: Callable[[str], float]) -> Json:
    op = given.get("op", ">=")
    if op == "between":
        low, high = reads(given.get("n", "")), reads(given.get("upto", ""))
        if low > high:
            raise Invalid(_("the lower number stands behind the higher one"), _("Exchange them."))
        return {"op": op, "value": [low, high]}
    return {"op": op, "value": reads(given.get("n", ""))}


def _number(text: str) -> Decimal:
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        value = Decimal("nan")
    # A huge exponent would be written out, digit after digit.
    if not value.is_finite() or value.adjusted() > DIGITS_MAX:
        raise Invalid(
            _("“%(value)s” is no number") % {"value": text} if text.strip() else _("a number is missing"),
            _("Type one, such as 2."),
        )
    return value


def _whole(text: str) -> int:
    value = _number(text)
    if value != int(value):
        raise Invalid(_("%(value)s is no whole number") % {"value": text}, _("Type one, such as 2."))
    return int(value)


def _days(text: str) -> int:
    if not text.strip():
        raise Invalid(_("the number of days is missing"), _("Type one, such as 90."))
    return _whole(text)


def _texts(given: Mapping[str, str]) -> list[str]:
    """Values parted by commas; one that holds a comma stands in quotes, as in a CSV file."""
    line = " ".join(given.get("values", "").splitlines())
    try:
        (cells,) = csv.reader([line], skipinitialspace=True)
    except csv.Error:  # one is longer than a cell may be
        cells = []
    found = list(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))
    if not found:
        raise Invalid(_("there is nothing to compare with"), _("Type one value, or several with commas."))
    return found


def _window(given: Mapping[str, str]) -> Json:
    when = given.get("when", "ever")
    if when in ("last_days", "before_days", "next_days"):
        return {when: _days(given.get("days", ""))}
    if when == "between":
        first, last = _day(given.get("first", "")), _day(given.get("last", ""))
        if first > last:
            raise Invalid(_("the first day is after the last"), _("Exchange them."))
        return {when: [first, last]}
    if when in ("before", "since"):
        return {when: _day(given.get("first", ""))}
    return "ever"


def _day(text: str) -> str:
    try:
        return dt.date.fromisoformat(text.strip()).isoformat()
    except ValueError:
        raise Invalid(
            _("“%(value)s” is no date") % {"value": text} if text.strip() else _("a date is missing"),
            _("Write it like 2026-03-01."),
        ) from None


# ---- from a condition to a row ------------------------------------------------------------------------


def row(found: tree.Condition, catalogue: Catalogue, currency: str) -> Row:
    """The row that states a condition."""
    match found:
        case tree.Behaviour(act, measure, window):
            return Row(
                DID + act.event, {"dim": act.dimension, **_when(window), **_measured(measure, currency)}
            )
        case tree.Annotated(name, label, measure, window):
            return Row(SAID + name, {"label": label, **_when(window), **_measured(measure, currency)})
        case tree.Trait(name, test):
            return Row(TRAIT + name, _of_test(test, catalogue.columns.get(TRAIT + name), currency))
        case tree.Field(name, test):
            return Row(FIELD + name, _of_test(test, None, currency))
        case tree.Score(name, test):
            return Row(SCORE + name, _of_test(test, catalogue.columns.get(SCORE + name), currency))
        case tree.Identifier(namespace, known):
            return Row(IDENTIFIER, {"namespace": namespace, "test": "known" if known else "unknown"})
        case tree.Consent(purpose, channel, allowed):
            use = f"{purpose}.{channel}" if channel else purpose
            return Row(CONSENT, {"use": use, "test": "allowed" if allowed else "refused"})
        case tree.Segment(key, member):
            return Row(SEGMENT, {"key": key, "test": "in" if member else "out"})


def negated(found: tree.Condition, catalogue: Catalogue, currency: str) -> Row | None:
    """The row that states the opposite of a condition, where one row can."""
    if isinstance(found, tree.Trait | tree.Field | tree.Score) and isinstance(found.test, tree.In | tree.Is):
        stated = row(found, catalogue, currency)
        if stated.given.get("test") == "in":
            return Row(stated.about, {**stated.given, "test": "not_in"})
    return None


def _measured(measure: tree.Measure, currency: str) -> dict[str, str]:
    match measure:
        case tree.Did(did):
            return {"do": "did" if did else "did_not"}
        case tree.Count(test, of_days):
            return {"do": "days" if of_days else "count", **_compared(test, _plain)}
        case tree.Money(test):
            return {"do": "value", **_compared(test, lambda n: _major(n, currency))}
        case tree.Edge(end, window):
            return {"do": end, **_when(window)}
        case tree.Then(act, within):
            days = "" if within is None else str(within)
            return {"do": "then", "then": act.event, "then_dim": act.dimension, "within": days}


def _of_test(test: tree.Test, column: Column | None, currency: str) -> dict[str, str]:
    match test:
        case tree.Known(known):
            return {"test": "known" if known else "unknown"}
        case tree.Is(bool(value)):
            return {"test": "yes" if value else "no"}
        case tree.Is(value):
            return {"test": "in", "values": listed((str(value),))}
        case tree.In(values):
            return {"test": "in", "values": listed(values)}
        case tree.Contains(value, at_start):
            return {"test": "begins_with" if at_start else "contains", "values": listed((value,))}
        case tree.When(window):
            return {"test": "when", **_when(window)}
        case tree.Anniversary(next_days):
            return {"test": "anniversary", "days": str(next_days)}
        case tree.Comparison():
            compared = _compared(test, writer(column.unit if column else "", currency))
            return {**compared, "test": compared["op"]}


def writer(unit: str, currency: str) -> Callable[[float], str]:
    """How a figure in this unit stands in a field."""
    if share(unit):
        return lambda n: _plain(float(Decimal(str(n)) * 100))
    if in_currency := currency_of(unit, currency):
        return lambda n: _major(n, in_currency)
    return _plain


def _compared(test: tree.Comparison, says: Callable[[float], str]) -> dict[str, str]:
    upto = {"upto": says(test.upto)} if test.op == "between" else {}
    return {"op": test.op, "n": says(test.value), **upto}


def _when(window: tree.Window) -> dict[str, str]:
    found = {"when": window.kind}
    if window.kind in ("last_days", "before_days", "next_days"):
        return {**found, "days": str(window.days)}
    if window.kind == "before" and window.last:
        return {**found, "first": (window.last + dt.timedelta(days=1)).isoformat()}
    first = {"first": window.first.isoformat()} if window.first else {}
    last = {"last": window.last.isoformat()} if window.last else {}
    return {**found, **first, **last}


def _plain(n: float) -> str:
    return str(int(n)) if n == int(n) else format(Decimal(str(n)), "f")


def _major(minor: float, currency: str) -> str:
    return str(money.Money(round(minor), currency).amount)


def listed(values: tuple[str, ...]) -> str:
    """Values with commas between them; one that holds a comma in quotes."""
    return ", ".join(f'"{v.replace(chr(34), chr(34) * 2)}"' if "," in v or '"' in v else v for v in values)
