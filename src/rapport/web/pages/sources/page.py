"""Sources: what was brought in, and what is being brought in now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.translation import gettext_lazy

from rapport.events import selectors as events
from rapport.listening import selectors as listening
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import imports, places
from rapport.web.layout import Action, Entry

entries = [
    Entry(
        "sources",
        gettext_lazy("Sources"),
        "sources",
        "setup",
        40,
        Right.SEE_SOURCES,
        also=(
            "upload",
            "upload_choose",
            "imported",
            "mappings",
            "quarantine",
            "quarantined",
            "plan",
            "weblog",
            "networks",
            "network_add",
            "network",
        ),
    )
]
actions = [Action("upload", gettext_lazy("Import a file"), Right.CHANGE_SOURCES)]


@dataclass(frozen=True, slots=True)
class Row:
    found: listening.ImportRow
    kind: Any
    state: Any
    tone: str


@needs(Right.SEE_SOURCES)
def listing(request: HttpRequest) -> HttpResponseBase:
    rows = listening.imports_page(before=places.read(request.GET.get("before", "")))
    is_full = len(rows) == listening.PAGE
    last = rows[-1] if is_full else None
    context = {
        "tab": "imports",
        "rows": [Row(row, imports.kind(row.kind), *imports.state(row)) for row in rows],
        "is_running": any(row.state in {"queued", "running"} for row in rows),
        "next_url": f"{reverse('sources')}?before={places.write(last.created_at, last.id)}" if last else "",
        "first_url": reverse("sources") if request.GET.get("before") else "",
        "can_change": may(request, Right.CHANGE_SOURCES),
        "n_quarantined": sum(events.quarantine_counts().values()),
    }
    template = "pages/sources/list.html" if getattr(request, "htmx", False) else "pages/sources/page.html"
    return render(request, template, context)


urlpatterns = [path("sources/", listing, name="sources")]
