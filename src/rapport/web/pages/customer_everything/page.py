"""Everything we know of somebody, and whence: what they said, what we saw, what we guess, who else gets it."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from rapport.aio import selectors as aio
from rapport.consent import exporters
from rapport.consent import selectors as consent
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.web.components import consenting, lines, stating, words
from rapport.web.customers import Holder, for_fresh_holder, show

ROWS_MAX = 50  # of one section on this page; the file that one takes along has them all

# What this page tells in words of its own; every other store is asked for its sections.
TOLD_HERE = ("people", "events", "consents and wishes", "aio")
STATED = "aio"  # whose figures stand with their evidence in a section of their own

NAMESPACES: dict[str, Any] = {
    "email": gettext_lazy("E-mail address"),
    "phone": gettext_lazy("Telephone number"),
    "customer": gettext_lazy("Customer number"),
    "loyalty": gettext_lazy("Loyalty card"),
    "anonymous": gettext_lazy("Browser, without a name"),
    "visitor": gettext_lazy("Browser, without a name"),
    "device": gettext_lazy("Device"),
}

ORIGINS: dict[str, Any] = {
    "declared": gettext_lazy("You said so"),
    "observed": gettext_lazy("We saw it"),
    "inferred": gettext_lazy("We guess it"),
}


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that we know: what it is, its value, whence and since when."""

    label: str
    value: str
    origin: str
    at: Any = None
    source: str = ""
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One section of another store, as lines."""

    anchor: str
    title: str
    origin: str
    rows: list[list[tuple[str, str]]]
    n_more: int


@require_safe
@for_fresh_holder
def everything(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    try:
        mine = people.own(holder.identifier)
    except NotFound:
        return _nothing(request, holder)
    found = people.timeline_of(mine.subjects, before=request.GET.get("before", ""))
    context = {
        "title": _("What we know of you"),
        "is_later_page": bool(request.GET.get("before")),
        "events": lines.in_rows([_line(event) for event in found.events]),
        "older_url": holder.url("everything", before=found.next) if found.next else "",
        "newest_url": holder.url("everything"),
        "correct_url": holder.url("correct"),
        "object_url": holder.url("object"),
    }
    if not context["is_later_page"]:
        context |= {
            "identifiers": [_identifier(i) for i in mine.identifiers],
            "whys": [(e.a, e.b, words.evidence(e.evidence), e.at) for e in mine.edges],
            "facts": [_fact(trait) for trait in mine.traits],
            "estimates": [_estimate(score) for score in mine.scores if score.model != STATED],
            "statements": stating.groups(aio.of_subjects(mine.subjects)),
            "answers": _answers(consent.ledger(holder.identifier)),
            "wishes": consent.preferences(holder.identifier),
            "parts": _parts(mine),
            "recipients": consent.recipients(),
        }
    return show(request, "pages/customer_everything/page.html", context, holder=holder)


def _nothing(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    context = {"title": _("We know nothing of you")}
    return show(request, "pages/customer_everything/nothing.html", context, holder=holder)


def _identifier(identifier: people.IdentifierView) -> Fact:
    label = NAMESPACES.get(identifier.namespace)
    return Fact(
        str(label) if label else _("Public name on %(network)s") % {"network": identifier.namespace.title()},
        identifier.value,
        "",
    )


def _fact(trait: people.TraitsOf) -> Fact:
    chosen = trait.chosen
    values = dict.fromkeys(_value(other.value) for other in trait.others)
    return Fact(
        label=words.trait(trait.name),
        value=_value(chosen.value),
        origin=str(ORIGINS.get(chosen.origin, chosen.origin)),
        at=chosen.at,
        source=chosen.source,
        others=tuple(value for value in values if value != _value(chosen.value)),
    )


def _estimate(score: people.ScoreView) -> Fact:
    return Fact(
        label=words.score(score.name),
        value=words.score_value(score),
        origin=words.score_note(score),
        at=score.as_of,
        source=score.model,
    )


def _value(value: Any) -> str:
    if isinstance(value, dt.datetime):
        return date_format(timezone.localtime(value), "DATETIME_FORMAT")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, str | int | float):
        return str(value)
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(map(str, value))
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _line(event: people.TimelineEvent) -> lines.Shown:
    return lines.shown(
        event,
        at=event.at,
        subject=event.subject,
        money=event.value,
        properties=event.properties,
        annotations=event.annotations,
    )


def _answers(ledger: Sequence[consenting.Said]) -> list[tuple[str, str, str]]:
    """Every answer ever given, newest first: about what, over which channel, what and where."""
    names = {p.key: consenting.name(p) for p in consent.purposes()}
    return [
        (
            names.get(said.purpose, said.purpose),
            consenting.channel(said.channel) if said.channel else "",
            consenting.since(said.state, said.at, said.how, said.shown),
        )
        for said in sorted(ledger, key=lambda said: said.at, reverse=True)
    ]


def _parts(mine: people.OwnView) -> list[Part]:
    asked = exporters.Exporting(mine.subjects, tuple(i.text for i in mine.identifiers), mine.subjects)
    stores = {name: ask for name, ask in exporters.registered().items() if name not in TOLD_HERE}
    sections = [section for ask in stores.values() for section in ask(asked) if section.rows]
    return [_part(f"part-{number}", section) for number, section in enumerate(sections)]


def _part(anchor: str, section: exporters.Section) -> Part:
    shown = [
        [(_(words.plain(key)), _value(value)) for key, value in row.items() if value not in (None, "", [])]
        for row in section.rows[:ROWS_MAX]
    ]
    origin = _(section.origin) if section.origin else ""
    return Part(anchor, _(section.title), origin, shown, max(0, len(section.rows) - ROWS_MAX))


urlpatterns = [path("my/everything/<str:token>", everything, name="customer_everything")]
