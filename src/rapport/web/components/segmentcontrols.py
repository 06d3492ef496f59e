"""The fields of each kind of row, so that the row reads as a sentence, and what its first field offers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from rapport.segments import rules
from rapport.segments.rules.catalogue import LABEL, SCORE, TRAIT, Catalogue, Column, ColumnType
from rapport.web.components import segmentwords, words
from rapport.web.components.segmentrows import (
    CONSENT,
    DAYS_USUAL,
    DID,
    FIELD,
    IDENTIFIER,
    SAID,
    SEGMENT,
    currency_of,
    share,
)
from rapport.web.components.segmenttree import ALL, ANY, NONE, NOT_ALL, Row

Options = Sequence[tuple[str, str]]
SUGGESTED_MOST = 50
USUAL_EVENT = "order_placed"


@dataclass(frozen=True, slots=True)
class Control:
    """One field of a row, or with the kind `words` what stands between two."""

    name: str
    kind: str  # select, text, number, date, words
    label: str
    value: str = ""
    options: Options = ()
    suggestions: Sequence[str] = ()
    placeholder: str = ""
    is_shape: bool = False  # what is chosen here decides which fields follow


@dataclass(frozen=True, slots=True)
class Offer:
    """What a rule may be about here, in the reader's words."""

    catalogue: Catalogue
    currency: str
    uses: Options = ()  # purposes and their channels
    of: str = ""  # the segment whose rule this is: it cannot ask for itself
    check: Callable[[rules.Rule], None] = lambda _rule: None

    @property
    def first_about(self) -> str:
        """What a new row is about."""
        seen = self.seen
        if seen:
            return DID + (USUAL_EVENT if USUAL_EVENT in seen else next(iter(seen)))
        return FIELD + "first_seen"

    @property
    def seen(self) -> Mapping[str, rules.Counted]:
        """Kinds of event that somebody did at all."""
        return {name: event for name, event in self.catalogue.events.items() if event.n}

    def groups(self, about: str) -> list[tuple[Any, list[tuple[str, str]]]]:
        """The first field of a row: everything it may be about, and what it is about though that is gone."""
        found = self.catalogue
        events = [(DID + name, segmentwords.event(one)) for name, one in self.seen.items()]
        traits = [
            (c.name, segmentwords.trait(c))
            for c in found.traits
            if c.name.removeprefix(TRAIT) not in rules.FIELDS
        ]
        fields = [
            (FIELD + n, str(segmentwords.FIELDS[n]))
            for n in rules.FIELDS
            if n in found.columns and n != "kind"
        ]
        if found.namespaces:
            fields.append((IDENTIFIER, _("Identifier")))
        groups: list[tuple[Any, list[tuple[str, str]]]] = [
            (_("What they did"), _sorted(events)),
            (_("What their words show"), [(SAID + n, words.plain(n)) for n in found.annotations]),
            (_("Who they are"), fields + _sorted(traits)),
            (_("What they allow"), [(CONSENT, _("Consent"))] if self.uses else []),
            (_("What models expect"), [(SCORE + n, segmentwords.score(found, n)) for n in scores(found)]),
            (_("Other segments"), [(SEGMENT, _("Segment"))] if set(found.segments) - {self.of} else []),
        ]
        offered = [(label, choices) for label, choices in groups if choices]
        if all(about != value for _label, choices in offered for value, _text in choices):
            name = about.partition(":")[2] or about
            offered.append((_("Not seen here"), [(about, words.event_label(name))]))
        return offered


def _sorted(options: Options) -> list[tuple[str, str]]:
    return sorted(options, key=lambda option: option[1].casefold())


def scores(catalogue: Catalogue) -> list[str]:
    """Names of what models wrote down, whether a figure or a label."""
    names = (c.partition(":")[2] for c in catalogue.columns if c.startswith((SCORE, LABEL)))
    return list(dict.fromkeys(names))


def hows() -> dict[str, str]:
    """How the parts of a bracket hold together."""
    return {
        ALL: _("all of these hold"),
        ANY: _("at least one of these holds"),
        NONE: _("none of these holds"),
        NOT_ALL: _("not all of these hold"),
    }


def controls(row: Row, offer: Offer) -> list[Control]:
    """What follows the first field of a row."""
    prefix, colon, name = row.about.partition(":")
    maker = _MAKERS.get(prefix + colon)
    return maker(name, row.given, offer) if maker else []


def complete(row: Row, offer: Offer) -> Row:
    """The row with the value of every field it shows, and of no other: what stands there unsaid counts too."""
    return Row(row.about, {c.name: c.value for c in controls(row, offer) if c.name})


# ---- kinds of row -------------------------------------------------------------------------------------


def _did(name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    event = offer.catalogue.events.get(name)
    do = given.get("do", "did")
    deeds = [
        ("did", _("at least once")),
        ("did_not", _("never")),
        ("count", _("so often")),
        ("days", _("on so many days")),
        ("first", _("for the first time")),
        ("last", _("for the last time")),
        ("then", _("and then")),
    ]
    if do == "value" or (event and event.has_value):
        deeds.insert(4, ("value", _("for so much in all")))
    found = [*_dimension("dim", event, given), _select("do", _("How"), do, deeds, is_shape=True)]
    if do in ("count", "days"):
        found += _comparison(given, _("times") if do == "count" else _("days"), "2")
    elif do == "value":
        found += _comparison(given, offer.currency, "100")
    elif do == "then":
        found += _then(given, offer)
    return found + _window(given)


def _dimension(name: str, event: rules.Counted | None, given: Mapping[str, str]) -> list[Control]:
    """What kind of it, for events that are counted by something."""
    called = segmentwords.dimension(event.name) if event else ""
    if not called and not given.get(name):
        return []
    return [
        Control(
            name,
            "text",
            called or _("Of what kind"),
            given.get(name, ""),
            suggestions=event.dimensions[:SUGGESTED_MOST] if event else (),
            placeholder=_("any %(what)s") % {"what": called.lower()} if called else "",
        )
    ]


def _then(given: Mapping[str, str], offer: Offer) -> list[Control]:
    events = offer.catalogue.events
    then = given.get("then") or next(iter(offer.seen), "")
    choices = _sorted([(name, segmentwords.event(one)) for name, one in offer.seen.items()])
    return [
        _select("then", _("What came after"), then, _with(choices, then), is_shape=True),
        *_dimension("then_dim", events.get(then), given),
        _words(_("within")),
        Control("within", "number", _("Days between them"), given.get("within", ""), placeholder=_("any")),
        _words(_("days;")),
    ]


def _said(name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    labels = [(label, segmentwords.label(label)) for label in offer.catalogue.annotations.get(name, ())]
    do, label = given.get("do", "did"), given.get("label", "")
    deeds = [("did", _("at least once")), ("did_not", _("never")), ("count", _("so often"))]
    found = [
        _select("label", _("Which"), label, _with([("", _("of any kind")), *labels], label)),
        _select("do", _("How"), do, deeds, is_shape=True),
    ]
    if do == "count":
        found += _comparison(given, _("times"), "2")
    return found + _window(given)


def _trait(name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    return _tested(given, offer.catalogue.columns.get(TRAIT + name), offer)


def _profile(name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    kind: ColumnType = rules.FIELDS.get(name, "text")
    return _tested(given, offer.catalogue.columns.get(name, rules.Column(name, kind)), offer)


def _score(name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    figure, label = (offer.catalogue.columns.get(p + name) for p in (SCORE, LABEL))
    return _tested(given, figure, offer, label)


def _identifier(_name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    namespace = given.get("namespace") or next(iter(offer.catalogue.namespaces), "")
    choices = [(n, segmentwords.namespace(n)) for n in offer.catalogue.namespaces]
    tests = [("known", _("is known")), ("unknown", _("is not known"))]
    return [
        _select("namespace", _("Which"), namespace, _with(choices, namespace)),
        _select("test", _("Whether"), given.get("test", "known"), tests),
    ]


def _consent(_name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    use = given.get("use") or (offer.uses[0][0] if offer.uses else "")
    tests = [("allowed", _("is allowed")), ("refused", _("is not allowed"))]
    return [
        _select("use", _("What for"), use, _with(offer.uses, use)),
        _select("test", _("Whether"), given.get("test", "allowed"), tests),
    ]


def _segment(_name: str, given: Mapping[str, str], offer: Offer) -> list[Control]:
    others = [(key, title) for key, title in offer.catalogue.segments.items() if key != offer.of]
    key = given.get("key") or (others[0][0] if others else "")
    tests = [("in", _("they are in")), ("out", _("they are not in"))]
    return [
        _select("test", _("Whether"), given.get("test", "in"), tests),
        _select("key", _("Which segment"), key, _with(_sorted(others), key)),
    ]


_MAKERS: dict[str, Callable[[str, Mapping[str, str], Offer], list[Control]]] = {
    DID: _did,
    SAID: _said,
    TRAIT: _trait,
    FIELD: _profile,
    SCORE: _score,
    IDENTIFIER: _identifier,
    CONSENT: _consent,
    SEGMENT: _segment,
}


# ---- tests of one value -------------------------------------------------------------------------------


def _operators() -> list[tuple[str, str]]:
    return [
        (">=", _("at least")),
        ("<=", _("at most")),
        ("=", _("exactly")),
        ("between", _("between")),
        (">", _("more than")),
        ("<", _("less than")),
        ("!=", _("not")),
    ]


def _tests(kind: ColumnType) -> list[tuple[str, str]]:
    if kind == "number":
        return [(op, _("is %(how)s") % {"how": how}) for op, how in _operators()]
    if kind == "boolean":
        return [("yes", _("is yes")), ("no", _("is no"))]
    if kind == "date":
        return [("when", _("lies")), ("anniversary", _("comes round within"))]
    return [
        ("in", _("is one of")),
        ("not_in", _("is none of")),
        ("begins_with", _("begins with")),
        ("contains", _("contains")),
    ]


def _tested(
    given: Mapping[str, str], column: Column | None, offer: Offer, label: Column | None = None
) -> list[Control]:
    tests = _tests(column.type) if column else []
    if label:
        tests += [test for test in _tests("text")[:2] if test not in tests]
    tests += [("known", _("is known")), ("unknown", _("is not known"))]
    test = given.get("test") or (tests[0][0] if label is None else "in")
    everything = [t for kind in ("number", "boolean", "date", "text") for t in _tests(kind)]
    tests += [t for t in everything if t[0] == test and t not in tests]
    found = [_select("test", _("Compared how"), test, tests, is_shape=True)]
    if test in ("in", "not_in", "contains", "begins_with"):
        told = label or column
        values = told.values if told else ()
        hint = _("value, value") if test in ("in", "not_in") else ""
        return [*found, _text("values", _("With what"), given, values, hint)]
    if test == "when":
        return found + _window(given, future=True, needs=True)
    if test == "anniversary":
        return [*found, _days(given), _words(_("days"))]
    if test in dict(_operators()):
        return found + _numbers(given, test, _unit(column, offer))
    return found


def _unit(column: Column | None, offer: Offer) -> str:
    unit = column.unit if column else ""
    if share(unit):
        return "%"
    return currency_of(unit, offer.currency) or segmentwords.unit(unit)


def _comparison(given: Mapping[str, str], unit: str, usual: str) -> list[Control]:
    op = given.get("op", ">=")
    return [
        _select("op", _("Compared how"), op, _operators(), is_shape=True),
        *_numbers({"n": usual, **given}, op, unit),
    ]


def _numbers(given: Mapping[str, str], op: str, unit: str) -> list[Control]:
    found = [Control("n", "number", _("Number"), given.get("n", ""))]
    if op == "between":
        found += [_words(_("and")), Control("upto", "number", _("Up to"), given.get("upto", ""))]
    return [*found, _words(unit)] if unit else found


def _window(given: Mapping[str, str], *, future: bool = False, needs: bool = False) -> list[Control]:
    when = given.get("when", "last_days" if needs else "ever")
    choices = [
        ("ever", _("at any time")),
        ("last_days", _("in the last days")),
        ("before_days", _("longer ago than")),
        ("between", _("between two days")),
        ("since", _("since a day")),
        ("before", _("before a day")),
    ]
    if future or when == "next_days":
        choices.insert(3, ("next_days", _("in the next days")))
    found = [_select("when", _("When"), when, choices, is_shape=True)]
    if when in ("last_days", "before_days", "next_days"):
        return [*found, _days(given), _words(_("days"))]
    if when == "between":
        return [
            *found,
            _date("first", _("First day"), given),
            _words(_("and")),
            _date("last", _("Last day"), given),
        ]
    if when in ("since", "before"):
        return [*found, _date("first", _("Day"), given)]
    return found


# ---- fields -------------------------------------------------------------------------------------------


def _select(name: str, label: str, value: str, options: Options, *, is_shape: bool = False) -> Control:
    return Control(name, "select", label, value, options, is_shape=is_shape)


def _with(options: Options, value: str) -> Options:
    """The options, and what is chosen though it is no longer among them."""
    if not value or any(value == one for one, _label in options):
        return options
    return [*options, (value, _("%(name)s (not seen here)") % {"name": value})]


def _text(
    name: str, label: str, given: Mapping[str, str], suggestions: Sequence[str], placeholder: str
) -> Control:
    return Control(
        name,
        "text",
        label,
        given.get(name, ""),
        suggestions=suggestions[:SUGGESTED_MOST],
        placeholder=placeholder,
    )


def _days(given: Mapping[str, str]) -> Control:
    return Control("days", "number", _("Days"), given.get("days", DAYS_USUAL))


def _date(name: str, label: str, given: Mapping[str, str]) -> Control:
    return Control(name, "date", label, given.get(name, ""))


def _words(text: str) -> Control:
    return Control("", "words", text)
