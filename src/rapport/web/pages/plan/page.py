"""The event plan: every event known by name, what it means, and how often it came."""

from __future__ import annotations

import datetime as dt

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path

from rapport.events import plan as event_plan
from rapport.events import selectors as events
from rapport.staff.rules import Right
from rapport.web import days
from rapport.web.access import needs
from rapport.web.components import words

DAYS = 30


@needs(Right.SEE_SOURCES)
def plan(request: HttpRequest) -> HttpResponseBase:
    if getattr(request, "htmx", False):
        return render(request, "pages/plan/unknown.html", {"unknown": events.unknown_names()})
    today = days.today()
    counted: dict[str, int] = {}
    for _day, name, n, _value in events.daily(today - dt.timedelta(days=DAYS - 1), today):
        counted[name] = counted.get(name, 0) + n
    context = {
        "tab": "plan",
        "planned": [
            (event, words.event_label(event.name), counted.get(event.name))
            for event in event_plan.current().values()
        ],
        "days": DAYS,
        "n_quarantined": sum(events.quarantine_counts().values()),
    }
    return render(request, "pages/plan/page.html", context)


urlpatterns = [path("sources/plan/", plan, name="plan")]
