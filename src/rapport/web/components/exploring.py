"""Questions to the figures in words: what measures and dimensions are called, how numbers and sentences read."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from rapport.explore.rules import catalogue
from rapport.explore.rules.catalogue import Measure
from rapport.explore.rules.question import (
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
from rapport.kit import money
from rapport.kit.errors import NotFound, RapportError
from rapport.segments import selectors as segments
from rapport.web.components import formats, words
from rapport.web.errors import sentence as as_sentence

MEASURES: dict[str, Any] = {
    "events": gettext_lazy("Events"),
    "people": gettext_lazy("People"),
    "orders": gettext_lazy("Orders"),
    "revenue": gettext_lazy("Revenue"),
    "sales": gettext_lazy("Sales before refunds"),
    "refunds": gettext_lazy("Refunds"),
    "average_order": gettext_lazy("Average order"),
    "pieces": gettext_lazy("Pieces ordered"),
    "repeat_share": gettext_lazy("Share who had ordered before"),
    "new_customers": gettext_lazy("New customers"),
    "page_views": gettext_lazy("Page views"),
    "searches": gettext_lazy("Searches"),
    "sessions": gettext_lazy("Sessions"),
    "session_minutes": gettext_lazy("Minutes per session"),
    "pages_per_session": gettext_lazy("Pages per session"),
    "complaints": gettext_lazy("Complaints"),
    "texts": gettext_lazy("Texts"),
    "negative_share": gettext_lazy("Share of texts that are negative"),
    "answers": gettext_lazy("Answers"),
    "answer_average": gettext_lazy("Average answer"),
    "nps": gettext_lazy("Promoters less detractors"),
    "messages_sent": gettext_lazy("Messages sent"),
    "messages_delivered": gettext_lazy("Messages delivered"),
    "messages_opened": gettext_lazy("Messages opened"),
    "messages_clicked": gettext_lazy("Messages clicked"),
    "open_share": gettext_lazy("Opened per message sent"),
    "click_share": gettext_lazy("Clicked per message sent"),
    "bounce_share": gettext_lazy("Returned per message sent"),
    "messages_unsubscribed": gettext_lazy("Unsubscribed"),
    "messages_withheld": gettext_lazy("Messages withheld"),
}

DIMENSIONS: dict[str, Any] = {
    "event": gettext_lazy("what happened"),
    "channel": gettext_lazy("channel"),
    "source": gettext_lazy("source"),
    "venue": gettext_lazy("venue"),
    "currency": gettext_lazy("currency"),
    "country": gettext_lazy("country"),
    "category": gettext_lazy("category"),
    "product": gettext_lazy("product"),
    "product_code": gettext_lazy("product code"),
    "campaign": gettext_lazy("campaign"),
    "referrer": gettext_lazy("where they came from"),
    "page": gettext_lazy("page"),
    "landing": gettext_lazy("first page of the session"),
    "exit_page": gettext_lazy("last page of the session"),
    "search": gettext_lazy("search words"),
    "reason": gettext_lazy("reason"),
    "purpose": gettext_lazy("purpose"),
    "annotation_label": gettext_lazy("what a model says of the text"),
    "survey": gettext_lazy("survey"),
    "question": gettext_lazy("question"),
    "answer": gettext_lazy("answer"),
    "weekday": gettext_lazy("day of the week"),
    "hour": gettext_lazy("hour of the day"),
    "person_country": gettext_lazy("the person's country"),
    "person_language": gettext_lazy("the person's language"),
    "cohort": gettext_lazy("month of the first order"),
}

GRAINS: dict[str, Any] = {
    "": gettext_lazy("all together"),
    "day": gettext_lazy("day by day"),
    "week": gettext_lazy("week by week"),
    "month": gettext_lazy("month by month"),
}

WEEKDAYS = (
    gettext_lazy("Monday"),
    gettext_lazy("Tuesday"),
    gettext_lazy("Wednesday"),
    gettext_lazy("Thursday"),
    gettext_lazy("Friday"),
    gettext_lazy("Saturday"),
    gettext_lazy("Sunday"),
)

KINDS: dict[str, tuple[Any, Any]] = {
    "figures": (gettext_lazy("Figures"), gettext_lazy("How much, of what, by what, when")),
    "cohorts": (gettext_lazy("Who came back"), gettext_lazy("By the month people began in")),
    "funnel": (gettext_lazy("Steps"), gettext_lazy("How many go on from one step to the next")),
    "paths": (gettext_lazy("Ways"), gettext_lazy("What people do before or after something")),
}

SCHEDULES: dict[str, Any] = {
    "never": gettext_lazy("only when asked"),
    "nightly": gettext_lazy("every night"),
    "weekly": gettext_lazy("every week, in the night to Monday"),
}

# Dimensions whose values have an order of their own, which a chart keeps.
ORDERED = ("weekday", "hour", "cohort")


def measure(asked: Asked) -> str:
    """A measure in words, with what it is about."""
    label = str(MEASURES[asked.measure])
    if asked.event:
        about = words.event_label(asked.event)
        if asked.measure == "people":
            return _("People with “%(event)s”") % {"event": about}
        return about
    if asked.label:
        said = words.LABELS[asked.label][0] if asked.label in words.LABELS else asked.label
        return _("Texts: %(label)s") % {"label": said}
    return label


def dimension(name: str) -> str:
    """A dimension in words."""
    kind, colon, rest = name.partition(":")
    if not colon:
        return str(DIMENSIONS[kind])
    if kind == "trait":
        label = words.trait(rest)
        return _("the person's %(trait)s") % {"trait": label[:1].lower() + label[1:]}
    if kind == "score":
        return _("class “%(score)s”") % {"score": words.plain(rest)}
    if kind == "segment":
        return _("in the segment “%(segment)s”") % {"segment": segment(rest)}
    return words.plain(rest)


def segment(key: str) -> str:
    """A segment by its title."""
    try:
        return segments.segment(key).title or key
    except NotFound:
        return key


def group(name: str, value: str) -> str:
    """One value of a dimension in words."""
    if not value:
        return _("not known")
    if name == "weekday" and value in {"1", "2", "3", "4", "5", "6", "7"}:
        return str(WEEKDAYS[int(value) - 1])
    if name == "hour":
        return _("%(hour)sh") % {"hour": value.removeprefix("0") or value}
    if name == "event":
        return words.event_label(value)
    if name == "annotation_label" and value in words.LABELS:
        return str(words.LABELS[value][0])
    if name.startswith("segment:"):
        return _("yes") if value == "yes" else _("no")
    if name == "cohort":
        try:
            return month(dt.date.fromisoformat(f"{value}-01"))
        except ValueError:
            return value
    return value


def said(measured: Measure, currency: str = "") -> Callable[[float | None], str]:
    """How a figure of a measure is written."""

    def write(value: float | None) -> str:
        if value is None:
            return formats.NONE
        if measured.is_money:
            if measured.over:
                return formats.money(round(value), currency)
            return formats.whole_money(round(value), currency)
        if measured.unit == "ratio":
            return formats.percent(value, 0 if value >= 0.1 or value == 0 else 1)
        if measured.unit == "nps":
            return f"{'+' if value > 0 else '−' if value < 0 else ''}{formats.number(abs(value))}"
        return formats.number(value, 1 if measured.over else 0)

    return write


def drawn(measured: Measure, currency: str, value: float | None) -> float | None:
    """A figure as an axis has it: money in whole units."""
    if value is None or not measured.is_money:
        return value
    return float(value * 10 ** -money.exponent(currency))


def axis(asked: Asked, currency: str) -> str:
    """The name of an axis, with its unit."""
    label = measure(asked)
    return f"{label}, {currency}" if currency else label


def month(day: dt.date) -> str:
    """A month in words."""
    return str(date_format(day, pgettext("date letters of Django: month and year", "M Y")))


def bucket(day: dt.date, grain: str) -> str:
    """A day, week or month in words."""
    if grain == "month":
        return month(day)
    if grain == "week":
        return _("week from %(day)s") % {"day": formats.day_text(day)}
    return formats.day_text(day)


def period(asked: Period) -> str:
    """A period in words."""
    if asked.first_day:
        if asked.last_day:
            return _("from %(first)s to %(last)s") % {
                "first": formats.day_text(asked.first_day),
                "last": formats.day_text(asked.last_day),
            }
        return _("since %(first)s") % {"first": formats.day_text(asked.first_day)}
    n, unit = asked.last, asked.unit
    if not n and asked.with_current:
        return str(
            {
                "day": _("today"),
                "week": _("this week"),
                "month": _("this month"),
                "year": _("this year"),
            }[unit]
        )
    if not n:
        return _("ever")
    texts = {
        "day": ngettext("in the last day", "in the last %(n)s days", n),
        "week": ngettext("in the last week", "in the last %(n)s weeks", n),
        "month": ngettext("in the last month", "in the last %(n)s months", n),
        "year": ngettext("in the last year", "in the last %(n)s years", n),
    }
    text = texts[unit] % {"n": formats.number(n)}
    if asked.with_current:
        running = {
            "day": _("today"),
            "week": _("this week"),
            "month": _("this month"),
            "year": _("this year"),
        }
        return _("%(period)s and %(running)s so far") % {"period": text, "running": running[unit]}
    return text


def condition(one: Condition) -> str:
    """A condition in words."""
    name = dimension(one.dimension)
    parts = []
    if one.values:
        listed = _(" or ").join(group(one.dimension, v) for v in one.values[:5])
        if len(one.values) > 5:
            listed += " …"
        template = _("%(name)s is not %(values)s") if one.is_not else _("%(name)s is %(values)s")
        parts.append(template % {"name": name, "values": listed})
    if one.at_least is not None:
        parts.append(_("%(name)s is at least %(n)s") % {"name": name, "n": f"{one.at_least:g}"})
    if one.at_most is not None:
        parts.append(_("%(name)s is at most %(n)s") % {"name": name, "n": f"{one.at_most:g}"})
    return _(" and ").join(parts)


def step(one: Step) -> str:
    """A step of a funnel in words."""
    label = words.event_label(one.event)
    if not one.where:
        return label
    if len(one.where) == 1 and one.where[0].dimension == "page" and len(one.where[0].values) == 1:
        return f"{label} {one.where[0].values[0]}"
    met = _(" and ").join(condition(c) for c in one.where)
    return f"{label} ({met})"


def place(question: Paths, name: str) -> str:
    """A place on a way in words: a page by its path, anything else by what happened."""
    return group("event", name) if question.through == "events" or "/" not in name else name


def sentence(question: Question) -> str:
    """A whole question as one sentence."""
    if isinstance(question, Figures):
        text = _figures(question)
        conditions: tuple[Condition, ...] = question.where
    elif isinstance(question, Cohorts):
        units = {"month": _("month after month"), "week": _("week after week")}
        text = _("Who came back with “%(event)s”, %(units)s") % {
            "event": words.event_label(question.event),
            "units": units[question.unit],
        }
        conditions = question.where
    elif isinstance(question, Funnel):
        text = _("How many go from %(steps)s within %(days)s days") % {
            "steps": _(" to ").join(f"“{step(s)}”" for s in question.steps),
            "days": f"{question.within_days:g}",
        }
        if question.by:
            text += _(", by %(dimension)s") % {"dimension": dimension(question.by)}
        conditions = ()
    else:
        assert isinstance(question, Paths)
        template = (
            _("What people do after “%(what)s”")
            if question.direction == "after"
            else _("What people did before “%(what)s”")
        )
        text = template % {"what": step(question.around)}
        conditions = ()
    text += f", {period(question.period)}"
    if conditions:
        text += _(", only where %(conditions)s") % {
            "conditions": _(" and ").join(condition(c) for c in conditions)
        }
    if question.segment:
        text += _(", for the segment “%(segment)s”") % {"segment": segment(question.segment)}
    if isinstance(question, Figures) and question.compare:
        text += _(", compared with before")
    return text


def _figures(question: Figures) -> str:
    text = _(" and ").join(measure(m) for m in question.measures)
    if question.by:
        text += " " + pgettext("revenue by country", "by %(dimensions)s") % {
            "dimensions": _(" and ").join(dimension(d) for d in question.by)
        }
    if question.grain:
        text += f", {GRAINS[question.grain]}"
    return text


def refusal(error: RapportError) -> str:
    """Why a question cannot be asked, without its places in the JSON and with the names that screens use."""
    named = {**MEASURES, **{k: v for k, v in DIMENSIONS.items() if "_" in k}}

    def in_words(text: str) -> str:
        return re.sub(
            r"\b[a-z]+(?:_[a-z]+)+\b", lambda m: f"“{named[m[0]]}”" if m[0] in named else m[0], text
        )

    message = re.sub(r"^[$][^ ]*:? ", "", error.message)
    return f"{as_sentence(in_words(message))} {as_sentence(in_words(error.hint))}"


def meaning(name: str) -> str:
    """What a measure means and how it is worked out, with events named as screens name them."""
    found = catalogue.measure(name)
    formula = re.sub(
        r"\b[a-z]+(?:_[a-z]+)+\b",
        lambda m: f"“{words.event_label(m[0])}”" if m[0] in words.EVENTS else m[0],
        found.formula,
    )
    return f"{found.meaning} {formula[:1].upper()}{formula[1:]}."
