"""Health: what runs, what lags, what is broken, since when, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.events import selectors as events
from rapport.kit.errors import RapportError
from rapport.staff.rules import Right
from rapport.web import health, jobs
from rapport.web.access import needs
from rapport.web.components import formats
from rapport.web.layout import Entry

entries = [Entry("health", gettext_lazy("Health"), "health", "setup", 50, Right.SEE_HEALTH)]

TONES = {"ok": "accent", "warn": "warn", "bad": "danger"}


@dataclass(frozen=True, slots=True)
class Card:
    label: Any
    value: str
    note: str = ""
    tone: str = ""


@needs(Right.SEE_HEALTH)
def page(request: HttpRequest) -> HttpResponseBase:
    checks = health.checks()
    n_bad = sum(check.state == "bad" for check in checks)
    n_warn = sum(check.state == "warn" for check in checks)
    words = {"ok": _("in order"), "warn": _("look at it"), "bad": _("broken")}
    context = {
        "checks": [(c, TONES[c.state], words[c.state]) for c in sorted(checks, key=_order)],
        "verdict": _verdict(n_bad, n_warn),
        "verdict_tone": "danger" if n_bad else "warn" if n_warn else "",
        "cards": _cards(),
        "failed_jobs": jobs.failed(),
    }
    template = "pages/health/checks.html" if getattr(request, "htmx", False) else "pages/health/page.html"
    return render(request, template, context)


def _order(check: health.Check) -> int:
    return ("bad", "warn", "ok").index(check.state)


def _verdict(n_bad: int, n_warn: int) -> str:
    if n_bad:
        return ngettext("%(n)d thing is broken.", "%(n)d things are broken.", n_bad) % {"n": n_bad}
    if n_warn:
        return ngettext("%(n)d thing wants a look.", "%(n)d things want a look.", n_warn) % {"n": n_warn}
    return _("Everything is in order.")


def _cards() -> list[Card]:
    try:
        state = events.log_state()
    except (duckdb.Error, RapportError):  # the check of the lake says what is wrong with it
        return []
    return [
        Card(
            _("Events in the lake"),
            formats.short_number(state.loaded_seq),
            _("%(n)s wait") % {"n": formats.number(state.waiting)},
            "warn" if state.waiting else "",
        ),
        Card(_("Spool"), formats.size(state.spool_bytes), _("accepted, kept a day after loading")),
        Card(
            _("Lake"),
            formats.size(state.lake_bytes),
            ngettext("%(n)s file", "%(n)s files", state.lake_files) % {"n": formats.number(state.lake_files)},
        ),
        Card(
            _("Quarantine"),
            formats.number(state.quarantine_waiting),
            _("refused and waiting"),
            "warn" if state.quarantine_waiting else "",
        ),
    ]


urlpatterns = [path("health/", page, name="health")]
