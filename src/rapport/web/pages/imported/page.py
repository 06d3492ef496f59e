"""One import: what became of its rows, and whom they brought."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.kit import clock
from rapport.listening import selectors as listening
from rapport.people import selectors as people
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, imports, words

WAITING = ("queued", "running")


@dataclass(frozen=True, slots=True)
class Card:
    label: str
    value: str
    note: str = ""
    url: str = ""
    tone: str = ""


@needs(Right.SEE_SOURCES)
def imported(request: HttpRequest, import_id: uuid.UUID) -> HttpResponseBase:
    row = listening.import_row(import_id)
    is_waiting = row.state in WAITING
    found = jobs.progress(f"import-{row.id}") if is_waiting else None
    if not is_waiting:
        jobs.forget_progress(f"import-{row.id}")
    word, tone = imports.state(row)
    context: dict[str, Any] = {
        "row": row,
        "kind_label": imports.kind(row.kind),
        "state": word,
        "tone": tone,
        "is_waiting": is_waiting,
        "progress": imports.progress(found),
        "percent": imports.done_percent(found),
        "cards": [] if is_waiting else _cards(request, row),
        "took_s": _took_s(row),
        "totals": _totals(row),
        "can_change": may(request, Right.CHANGE_SOURCES),
        "is_stuck": row.state == "queued" and clock.now() - row.created_at > dt.timedelta(minutes=1),
    }
    template = "pages/imported/state.html" if getattr(request, "htmx", False) else "pages/imported/page.html"
    return render(request, template, context)


@needs(Right.CHANGE_SOURCES)
@require_POST
def again(_request: HttpRequest, import_id: uuid.UUID) -> HttpResponseBase:
    """Go on with an import that stopped."""
    row = listening.import_row(import_id)
    jobs.import_upload.enqueue(str(row.id))
    return redirect("imported", import_id=row.id)


def _cards(request: HttpRequest, row: listening.ImportRow) -> list[Card]:
    events_url = quarantine_url = ""
    if row.n_accepted and may(request, Right.SEE_PEOPLE):
        events_url = f"{reverse('events')}?import={row.id}"
    if row.n_quarantined:
        quarantine_url = f"{reverse('quarantine')}?import={row.id}"
    cards = [
        Card(_("Rows read"), formats.number(row.n_read)),
        Card(_("New events"), formats.number(row.n_accepted), url=events_url),
        Card(_("Known before"), formats.number(row.n_duplicate), _("not counted twice")),
        Card(
            _("Refused"),
            formats.number(row.n_quarantined),
            _("wait in quarantine") if row.n_quarantined else "",
            quarantine_url,
            "warn" if row.n_quarantined else "",
        ),
    ]
    if row.first_seq and row.last_seq:
        brought = people.arrivals(row.first_seq, row.last_seq)
        cards += [
            Card(_("People new"), formats.number(brought.new)),
            Card(_("People known before"), formats.number(brought.matched)),
        ]
    return cards


def _totals(row: listening.ImportRow) -> list[tuple[str, str]]:
    """What the file sums up to; amounts in the currency it was read with."""
    currency = row.options.get("currency") or staff.currency()
    return [
        (
            words.plain(name.removesuffix("_minor")),
            formats.money(n, currency) if name.endswith("_minor") else formats.number(n),
        )
        for name, n in row.totals.items()
    ]


def _took_s(row: listening.ImportRow) -> float | None:
    if row.started_at is None or row.ended_at is None:
        return None
    return (row.ended_at - row.started_at).total_seconds()


urlpatterns = [
    path("sources/imports/<uuid:import_id>/", imported, name="imported"),
    path("sources/imports/<uuid:import_id>/again/", again, name="import_again"),
]
