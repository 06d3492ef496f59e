"""The events behind a number: filtered, newest first, each opening its person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase, QueryDict
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.events import plan
from rapport.events import selectors as events
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.kit.money import Money
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import days
from rapport.web.access import needs
from rapport.web.components import lines, words
from rapport.web.layout import Action

actions = [Action("events", gettext_lazy("Events"), Right.SEE_PEOPLE)]

FIELDS = ("name", "source", "channel", "who", "first", "last", "import", "label", "annotation")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, as the form shows it again."""

    name: str
    source: str
    channel: str
    who: str
    first: str
    last: str
    batch: str
    annotation: str
    label: str


@needs(Right.SEE_PEOPLE)
def listing(request: HttpRequest) -> HttpResponseBase:
    asked = _asked(request.GET)
    rows = events.events_page(_filter(asked), before=_before(request.GET.get("before", "")))
    next_url = first_url = ""
    if len(rows) == events.PAGE:
        last = rows[-1]
        next_url = _with(request.GET, before=f"{clock.to_us(last.ts)}.{last.seq}")
    if request.GET.get("before"):
        first_url = _with(request.GET, before="")
    context: dict[str, Any] = {
        "asked": asked,
        "events": [_shown(row) for row in rows],
        "names": [(name, words.event_label(name)) for name in sorted(plan.current(), key=words.event_label)],
        "label": words.LABELS[asked.label][0] if asked.label in words.LABELS else asked.label,
        "next_url": next_url,
        "first_url": first_url,
        "is_filtered": any(request.GET.get(field) for field in FIELDS),
    }
    template = "pages/events/list.html" if getattr(request, "htmx", False) else "pages/events/page.html"
    return render(request, template, context)


def _asked(given: QueryDict) -> Asked:
    day = given.get("day", "")
    return Asked(
        name=given.get("name", ""),
        source=given.get("source", ""),
        channel=given.get("channel", ""),
        who=given.get("who", "").strip(),
        first=given.get("first", "") or day,
        last=given.get("last", "") or day,
        batch=given.get("import", ""),
        annotation=given.get("annotation", "sentiment"),
        label=given.get("label", ""),
    )


def _filter(asked: Asked) -> events.Filter:
    first, last = days.read(asked.first), days.read(asked.last)
    of_import = events.batch(asked.batch) if asked.batch else None
    return events.Filter(
        name=asked.name or None,
        origin=asked.source or None,
        channel=asked.channel or None,
        subject=people.subject_of(asked.who) if asked.who else None,
        first_ts=days.begins(first) if first else None,
        until_ts=days.ends(last) if last else None,
        first_seq=of_import["first_seq"] if of_import else None,
        last_seq=of_import["last_seq"] if of_import else None,
        annotation=asked.annotation if asked.label else None,
        label=asked.label or None,
    )


def _before(text: str) -> tuple[Any, int] | None:
    if not text:
        return None
    us, _dot, seq = text.partition(".")
    if not (us.lstrip("-").isdecimal() and seq.isdecimal()):
        raise Invalid(_("the place in the list is damaged"), _("Begin at the top."))
    return clock.from_us(int(us)), int(seq)


def _with(given: QueryDict, **changed: str) -> str:
    query = given.copy()
    for key, value in changed.items():
        query[key] = value
        if not value:
            del query[key]
    return f"{reverse('events')}?{query.urlencode()}" if query else reverse("events")


def _shown(row: events.EventRow) -> lines.Shown:
    money = Money(row.value_minor, row.currency) if row.value_minor is not None and row.currency else None
    return lines.shown(
        row,
        at=row.ts,
        subject=row.subject,
        money=money,
        properties=lines.read_properties(row.properties),
        identifier=row.identifier or "",
    )


urlpatterns = [path("events/", listing, name="events")]
