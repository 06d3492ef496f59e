"""The sentence that somebody fills in: from an address to a question, from a question to the filled-in sentence."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.explore import selectors as explore
from rapport.explore.rules import catalogue, parsing
from rapport.explore.rules.catalogue import World
from rapport.explore.rules.question import (
    Cohorts,
    Condition,
    Figures,
    Funnel,
    Paths,
    Period,
    Question,
    Step,
    kind_of,
)
from rapport.kit.errors import Invalid
from rapport.segments import selectors as segments
from rapport.web.components import exploring, words

CONDITIONS = 3  # lines of the sentence for them; one more than are filled in
STEPS = 6

# Periods to choose among: the JSON of each under a short name.
PERIODS: dict[str, tuple[Any, dict[str, Any]]] = {
    "7d": (gettext_lazy("the last 7 days"), {"last": 7, "unit": "day"}),
    "30d": (gettext_lazy("the last 30 days"), {"last": 30, "unit": "day"}),
    "90d": (gettext_lazy("the last 90 days"), {"last": 90, "unit": "day"}),
    "12w": (gettext_lazy("the last 12 weeks"), {"last": 12, "unit": "week"}),
    "3m": (gettext_lazy("the last 3 months"), {"last": 3, "unit": "month"}),
    "6m": (gettext_lazy("the last 6 months"), {"last": 6, "unit": "month"}),
    "12m": (gettext_lazy("the last 12 months"), {"last": 12, "unit": "month"}),
    "24m": (gettext_lazy("the last 24 months"), {"last": 24, "unit": "month"}),
    "m": (gettext_lazy("this month so far"), {"unit": "month", "with_current": True}),
    "y": (gettext_lazy("this year so far"), {"unit": "year", "with_current": True}),
    "ever": (gettext_lazy("ever"), {}),
    "days": (gettext_lazy("from a day to a day"), {}),
}

OPERATORS: dict[str, Any] = {
    "is": gettext_lazy("is"),
    "is_not": gettext_lazy("is not"),
    "at_least": gettext_lazy("is at least"),
    "at_most": gettext_lazy("is at most"),
}

GROUPS: tuple[tuple[Any, tuple[str, ...]], ...] = (
    (
        gettext_lazy("Sales and money"),
        (
            "revenue",
            "orders",
            "average_order",
            "sales",
            "refunds",
            "pieces",
        ),
    ),
    (gettext_lazy("People"), ("people", "new_customers", "repeat_share")),
    (
        gettext_lazy("Site and app"),
        ("page_views", "sessions", "session_minutes", "pages_per_session", "searches", "events"),
    ),
    (
        gettext_lazy("What people say"),
        ("complaints", "texts", "negative_share", "answers", "answer_average", "nps"),
    ),
    (
        gettext_lazy("Messages"),
        (
            "messages_sent",
            "messages_delivered",
            "messages_opened",
            "messages_clicked",
            "open_share",
            "click_share",
            "bounce_share",
            "messages_unsubscribed",
            "messages_withheld",
        ),
    ),
)

STARTERS: tuple[tuple[Any, dict[str, Any]], ...] = (
    (
        gettext_lazy("Is revenue growing?"),
        {
            "measures": ["revenue"],
            "grain": "month",
            "period": {"last": 12, "unit": "month"},
            "compare": True,
        },
    ),
    (
        gettext_lazy("Which categories bring the money?"),
        {"measures": ["revenue"], "by": ["category"], "period": {"last": 90, "unit": "day"}, "compare": True},
    ),
    (
        gettext_lazy("Do customers come back?"),
        {"ask": "cohorts", "period": {"last": 12, "unit": "month"}},
    ),
    (
        gettext_lazy("When do people order?"),
        {
            "measures": ["orders"],
            "by": ["weekday", "hour"],
            "period": {"last": 90, "unit": "day"},
            "most": 200,
        },
    ),
    (
        gettext_lazy("How many new customers a week?"),
        {"measures": ["new_customers"], "grain": "week", "period": {"last": 12, "unit": "week"}},
    ),
    (
        gettext_lazy("Where do sessions come from?"),
        {"measures": ["sessions"], "by": ["referrer"], "period": {"last": 30, "unit": "day"}},
    ),
    (
        gettext_lazy("Who goes from a page to an order?"),
        {
            "ask": "funnel",
            "steps": ["page_viewed", "order_placed"],
            "within_days": 7,
            "period": {"last": 30, "unit": "day"},
        },
    ),
    (
        gettext_lazy("What do people look at before they order?"),
        {
            "ask": "paths",
            "around": {"event": "order_placed"},
            "direction": "before",
            "period": {"last": 30, "unit": "day"},
        },
    ),
    (
        gettext_lazy("Is what is said of us turning worse?"),
        {"measures": ["negative_share"], "grain": "week", "period": {"last": 12, "unit": "week"}},
    ),
)


@dataclass(frozen=True, slots=True)
class Option:
    value: str
    label: str
    is_chosen: bool = False
    is_off: bool = False


@dataclass(frozen=True, slots=True)
class Options:
    """A group of options under a heading."""

    label: str
    options: list[Option]


@dataclass(frozen=True, slots=True)
class ConditionLine:
    dimensions: list[Options]
    operators: list[Option]
    value: str


@dataclass(frozen=True, slots=True)
class StepLine:
    number: int
    events: list[Option]
    page: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """Everything that the form shows."""

    kind: str
    measures: list[Options]
    second: list[Options]
    events: list[Option]
    asks_event: bool
    label: str
    asks_label: bool
    by: list[Options]
    by2: list[Options]
    grains: list[Option]
    periods: list[Option]
    first: str
    last: str
    segments: list[Option]
    compares: bool
    conditions: list[ConditionLine]
    units: list[Option]
    steps: list[StepLine] = field(default_factory=list)
    within_days: str = "7"
    directions: list[Option] = field(default_factory=list)
    through: list[Option] = field(default_factory=list)
    meaning: str = ""
    most: int = 12


def document_of(given: QueryDict) -> dict[str, Any] | None:
    """The question's JSON that an address carries, whole or in the parts of the form; None where it asks nothing."""
    if given.get("q"):
        try:
            found = json.loads(given.get("q", ""))
        except (ValueError, RecursionError):
            raise Invalid(_("the question in the address is damaged"), _("Begin anew.")) from None
        if not isinstance(found, dict):
            raise Invalid(_("the question in the address is damaged"), _("Begin anew."))
        return found
    kind = given.get("kind", "")
    makers: dict[str, Callable[[QueryDict], dict[str, Any]]] = {
        "figures": _figures,
        "cohorts": _cohorts,
        "funnel": _funnel,
        "paths": _paths,
    }
    return makers[kind](given) if kind in makers else None


def _figures(given: QueryDict) -> dict[str, Any]:
    first = given.get("m", "revenue")
    measures = [_measure(given, first)]
    if given.get("m2") and given["m2"] != first:
        measures.append(_measure(given, given.get("m2", "")))
    by = [name for name in dict.fromkeys([given.get("by", ""), given.get("by2", "")]) if name]
    found: dict[str, Any] = {
        "ask": "figures",
        "measures": measures,
        "by": by,
        "grain": given.get("grain", ""),
        "compare": given.get("compare") == "1",
        "where": _where(given),
        **_common(given),
    }
    if given.get("most", "").isdecimal():
        found["most"] = int(given.get("most", ""))
    elif len(by) == 2:
        found["most"] = 200
    return found


def _measure(given: QueryDict, name: str) -> dict[str, Any]:
    found = {"measure": name}
    known = catalogue.MEASURES.get(name)
    for key in ("event", "label"):
        if known and key in known.asks and given.get(key):
            found[key] = given.get(key, "")
    return found


def _cohorts(given: QueryDict) -> dict[str, Any]:
    return {
        "ask": "cohorts",
        "event": given.get("event") or "order_placed",
        "unit": given.get("unit", "month"),
        "where": _where(given),
        **_common(given),
    }


def _funnel(given: QueryDict) -> dict[str, Any]:
    steps = [
        _step(event, page)
        for event, page in zip(given.getlist("step"), given.getlist("step_page"), strict=False)
        if event
    ]
    within = given.get("within", "7").replace(",", ".")
    try:
        days = float(within)
    except ValueError:
        raise Invalid(
            _("“%(value)s” is no number of days") % {"value": within}, _("Write a number.")
        ) from None
    return {"ask": "funnel", "steps": steps, "within_days": days, "by": given.get("by", ""), **_common(given)}


def _paths(given: QueryDict) -> dict[str, Any]:
    return {
        "ask": "paths",
        "around": _step(given.get("event") or "order_placed", given.get("page", "")),
        "direction": given.get("direction", "after"),
        "through": given.get("through", "pages"),
        **_common(given),
    }


def _step(event: str, page: str) -> dict[str, Any]:
    page = page.strip()
    found: dict[str, Any] = {"event": event}
    if page:
        found["where"] = [{"dimension": "page", "is": [page]}]
    return found


def _common(given: QueryDict) -> dict[str, Any]:
    found: dict[str, Any] = {"period": _period(given)}
    if given.get("segment"):
        found["segment"] = given.get("segment", "")
    return found


def _period(given: QueryDict) -> dict[str, Any]:
    name = given.get("p", "30d")
    if name == "days":
        found = {"first_day": given.get("first", ""), "last_day": given.get("last", "")}
        if not found["first_day"]:
            raise Invalid(_("the period has no first day"), _("Choose a day, or another period."))
        return {key: value for key, value in found.items() if value}
    if name not in PERIODS:
        raise Invalid(_("there is no period “%(name)s”") % {"name": name}, _("Choose another one."))
    return PERIODS[name][1]


def _where(given: QueryDict) -> list[dict[str, Any]]:
    lines = zip(given.getlist("fd"), given.getlist("fo"), given.getlist("fv"), strict=False)
    found: list[dict[str, Any]] = []
    for dimension, operator, value in lines:
        if not dimension:
            continue
        if operator in ("at_least", "at_most"):
            try:
                number = float(value.replace(",", "."))
            except ValueError:
                raise Invalid(_("“%(value)s” is no number") % {"value": value}, _("Write digits.")) from None
            found.append({"dimension": dimension, operator: number})
        else:
            values = [part.strip() for part in value.split(",")]
            found.append({"dimension": dimension, "is_not" if operator == "is_not" else "is": values})
    return found


def sentence(question: Question | None, kind: str, world: World) -> Sentence:
    """The form filled in with a question, or with what one begins with."""
    question = question or _beginning(kind)
    terms = explore.terms()
    if isinstance(question, Figures):
        return _for_figures(question, terms, world)
    shared: dict[str, Any] = {
        "kind": kind_of(question),
        "measures": [],
        "second": [],
        "asks_event": False,
        "label": "",
        "asks_label": False,
        "by2": [],
        "grains": [],
        "compares": False,
        "segments": _segments(question.segment),
        **_period_fields(question.period),
    }
    if isinstance(question, Cohorts):
        return Sentence(
            **shared,
            events=_events(question.event, terms),
            by=[],
            conditions=_lines(question.where, terms, world, catalogue.EVENT),
            units=_chosen({"month": _("month after month"), "week": _("week after week")}, question.unit),
        )
    if isinstance(question, Funnel):
        return Sentence(
            **shared,
            events=[],
            by=_dimensions(question.by, terms, world, catalogue.EVENT),
            conditions=[],
            units=[],
            steps=_steps(question.steps, terms),
            within_days=f"{question.within_days:g}",
        )
    assert isinstance(question, Paths)
    return Sentence(
        **shared,
        events=_events(question.around.event, terms),
        by=[],
        conditions=[],
        units=[],
        steps=[StepLine(1, [], _page(question.around))],
        directions=_chosen({"after": _("after"), "before": _("before")}, question.direction),
        through=_chosen({"pages": _("pages"), "events": _("everything that happened")}, question.through),
    )


def _beginning(kind: str) -> Question:
    begin: Mapping[str, dict[str, Any]] = {
        "figures": {
            "measures": ["revenue"],
            "by": [],
            "grain": "month",
            "period": {"last": 12, "unit": "month"},
        },
        "cohorts": {"period": {"last": 12, "unit": "month"}},
        "funnel": {"steps": ["page_viewed", "order_placed"], "period": {"last": 30, "unit": "day"}},
        "paths": {"around": "order_placed", "direction": "before", "period": {"last": 30, "unit": "day"}},
    }
    kind = kind if kind in begin else "figures"
    return parsing.parse({"ask": kind, **begin[kind]})


def _for_figures(question: Figures, terms: explore.Terms, world: World) -> Sentence:
    first = question.measures[0]
    second = question.measures[1] if len(question.measures) > 1 else None
    measured = catalogue.measure(first.measure)
    bases = {parsing.base_of(measured, []), catalogue.LINE if measured.by_line else measured.base}
    return Sentence(
        kind="figures",
        measures=_measures(first.measure),
        second=_measures(second.measure if second else ""),
        events=_events(first.event, terms),
        asks_event="event" in measured.asks,
        label=first.label,
        asks_label="label" in measured.asks,
        by=_dimensions(question.by[0] if question.by else "", terms, world, *bases),
        by2=_dimensions(question.by[1] if len(question.by) > 1 else "", terms, world, *bases),
        grains=_chosen(exploring.GRAINS, question.grain),
        segments=_segments(question.segment),
        compares=question.compare,
        conditions=_lines(question.where, terms, world, *bases),
        units=[],
        meaning=exploring.meaning(first.measure),
        most=question.most,
        **_period_fields(question.period),
    )


def _measures(chosen: str) -> list[Options]:
    return [
        Options(str(label), [Option(n, str(exploring.MEASURES[n]), n == chosen) for n in names])
        for label, names in GROUPS
    ]


def _events(chosen: str, terms: explore.Terms) -> list[Option]:
    names = sorted({*terms.events, *([chosen] if chosen else [])}, key=words.event_label)
    return [Option(name, words.event_label(name), name == chosen) for name in names]


def _dimensions(chosen: str, terms: explore.Terms, world: World, *bases: str) -> list[Options]:
    """What there is to tell figures apart by; what does not fit the measure is shown and cannot be chosen."""
    plain: list[Option] = []
    personal: list[Option] = []
    for d in catalogue.DIMENSIONS.values():
        if d.is_prefix:
            continue
        one = Option(d.name, exploring.dimension(d.name), d.name == chosen, not set(bases) & set(d.on))
        if not one.is_off or one.is_chosen:
            (personal if d.is_personal else plain).append(one)
    for prefix, names in (
        ("trait", terms.traits),
        ("score", terms.scores),
        ("segment", [s.key for s in segments.segments()]),
    ):
        personal += [
            Option(f"{prefix}:{n}", exploring.dimension(f"{prefix}:{n}"), f"{prefix}:{n}" == chosen)
            for n in names
        ]
    found = [Options(str(_("Of what happened")), plain), Options(str(_("Of the people")), personal)]
    if set(bases) & {catalogue.EVENT, catalogue.LINE}:
        own = {"path", "query", "referrer", *catalogue.DIMENSIONS}
        names = sorted(n for n in world.properties if n not in own)
        found.append(
            Options(
                str(_("Other properties")),
                [Option(f"property:{n}", words.plain(n), f"property:{n}" == chosen) for n in names],
            )
        )
    if chosen and not any(o.is_chosen for group in found for o in group.options):
        found[0].options.append(Option(chosen, exploring.dimension(chosen), is_chosen=True))
    return found


def _lines(
    conditions: Sequence[Condition], terms: explore.Terms, world: World, *bases: str
) -> list[ConditionLine]:
    lines = []
    for one in [*conditions[: CONDITIONS - 1], None][:CONDITIONS]:
        chosen, operator, value = "", "is", ""
        if one:
            chosen = one.dimension
            if one.at_least is not None:
                operator, value = "at_least", f"{one.at_least:g}"
            elif one.at_most is not None:
                operator, value = "at_most", f"{one.at_most:g}"
            else:
                operator, value = "is_not" if one.is_not else "is", ", ".join(one.values)
        lines.append(
            ConditionLine(_dimensions(chosen, terms, world, *bases), _chosen(OPERATORS, operator), value)
        )
    return lines


def _steps(steps: Sequence[Step], terms: explore.Terms) -> list[StepLine]:
    filled = [StepLine(i, _events(s.event, terms), _page(s)) for i, s in enumerate(steps, 1)]
    if len(filled) < STEPS:
        filled.append(StepLine(len(filled) + 1, _events("", terms), ""))
    return filled


def _page(step: Step) -> str:
    pages = [c.values[0] for c in step.where if c.dimension == "page" and c.values and not c.is_not]
    return pages[0] if pages else ""


def _period_fields(period: Period) -> dict[str, Any]:
    chosen = "days" if period.first_day else ""
    for name, (_label, given) in PERIODS.items():
        if name != "days" and not period.first_day and parsing.parse_period(given) == period:
            chosen = name
    options = [Option(name, str(label), name == chosen) for name, (label, _given) in PERIODS.items()]
    return {
        "periods": options,
        "first": period.first_day.isoformat() if period.first_day else "",
        "last": period.last_day.isoformat() if period.last_day else "",
    }


def _segments(chosen: str) -> list[Option]:
    return [Option(s.key, s.title or s.key, s.key == chosen) for s in segments.segments()]


def _chosen(options: Mapping[str, Any], chosen: str) -> list[Option]:
    return [Option(value, str(label), value == chosen) for value, label in options.items()]


def starters() -> list[tuple[str, str, Question]]:
    """(title, the question in words, the question) to begin with."""
    found = [(str(title), parsing.parse(document)) for title, document in STARTERS]
    return [(title, exploring.sentence(question), question) for title, question in found]
