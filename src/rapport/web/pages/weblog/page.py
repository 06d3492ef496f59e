"""The site: sessions, where they came from, where they began, what was searched for, machines apart."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.events import selectors as events
from rapport.listening import selectors as listening
from rapport.staff.rules import Right
from rapport.web import charts, days
from rapport.web.access import may, needs
from rapport.web.components import formats

SHOWN = 12
LISTED = 25


@dataclass(frozen=True, slots=True)
class Span:
    first: dt.date
    last: dt.date


@needs(Right.SEE_SOURCES)
def weblog(request: HttpRequest) -> HttpResponseBase:
    span = _span(request)
    summary = listening.sessions_summary(span.first, span.last)
    context: dict[str, Any] = {
        "tab": "weblog",
        "first": span.first,
        "last": span.last,
        "summary": summary,
        "chart": _referrers(span, summary.n_sessions) if summary.n_sessions else None,
        "landing_pages": listening.landing_pages(span.first, span.last, LISTED),
        "searches": listening.searches(span.first, span.last, LISTED),
        "bots": listening.bots(span.first, span.last, LISTED),
        "events_url": _events(span, "page_viewed") if may(request, Right.SEE_PEOPLE) else "",
        "n_quarantined": sum(events.quarantine_counts().values()),
    }
    return render(request, "pages/weblog/page.html", context)


def _span(request: HttpRequest) -> Span:
    last = days.read(request.GET.get("last", "")) or days.today()
    first = days.read(request.GET.get("first", "")) or last - dt.timedelta(days=29)
    return Span(min(first, last), max(first, last))


def _events(span: Span, name: str) -> str:
    query = {"name": name, "first": span.first.isoformat(), "last": span.last.isoformat()}
    return f"{reverse('events')}?{urlencode(query)}"


def _referrers(span: Span, n_sessions: int) -> charts.Chart:
    found = listening.referrers(span.first, span.last, SHOWN)
    named = [r for r in found if r.domain]
    title = _("Where sessions came from")
    if named:
        best = named[0]
        title = _("%(site)s sends the most sessions: %(share)s") % {
            "site": best.domain,
            "share": formats.share(best.n_sessions, n_sessions),
        }
    return charts.ranked(
        title,
        [(r.domain or _("typed in, or not told"), r.n_sessions, "") for r in found],
        label_title=_("Site"),
        value_title=_("Sessions"),
        right=Right.SEE_SOURCES,
        full_width=True,
    )


urlpatterns = [path("sources/site/", weblog, name="weblog")]
