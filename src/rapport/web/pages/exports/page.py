"""Exports: lists of people that leave, for a purpose they allow; who took them, why, and whose a leaked row is."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
from django.http import HttpRequest, HttpResponseBase, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit.errors import Invalid, RapportError
from rapport.people import selectors as people
from rapport.segments import selectors as segments
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components import consenting, places, segmenting
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry

entries = [
    Entry(
        "exports",
        gettext_lazy("Exports"),
        "download",
        "setup",
        30,
        Right.SEE_PRIVACY,
        also=("export_new",),
    )
]
actions = [Action("export_new", gettext_lazy("Export people"), Right.EXPORT_PEOPLE)]

COLUMNS: dict[str, Any] = {
    "name": gettext_lazy("Name"),
    "email": gettext_lazy("E-mail"),
    "phone": gettext_lazy("Telephone"),
    "customer": gettext_lazy("Customer number"),
    "loyalty": gettext_lazy("Loyalty card"),
    "country": gettext_lazy("Country"),
    "language": gettext_lazy("Language"),
}
FILTERS = ("q", "country", "language")


@needs(Right.SEE_PRIVACY)
def listing(request: HttpRequest) -> HttpResponseBase:
    mark = request.GET.get("mark", "").strip()
    found = consent.exports(before=places.read(request.GET.get("before", "")))
    last = found[-1] if len(found) == 50 else None
    traced = services.traced(mark) if mark else None
    context = {
        "rows": [_line(e) for e in found],
        "mark": mark,
        "traced": _line(consent.export_view(traced)) if traced else None,
        "next_url": _after(last) if last else "",
        "first_url": reverse("exports") if request.GET.get("before") else "",
        "can_export": may(request, Right.EXPORT_PEOPLE),
    }
    return render(request, "pages/exports/page.html", context)


def _line(export: consent.ExportView) -> dict[str, Any]:
    names = {p.key: consenting.name(p) for p in consent.purposes()}
    return {
        "export": export,
        "purpose": names.get(export.purpose, export.purpose),
        "channel": consenting.channel(export.channel) if export.channel else "",
        "columns": ", ".join(str(COLUMNS.get(c, c)) for c in export.columns),
        "chosen": ", ".join(export.chosen.values()),
    }


def _after(last: consent.ExportView) -> str:
    return f"{reverse('exports')}?{urlencode({'before': places.write(last.at, last.id)})}"


@needs(Right.EXPORT_PEOPLE)
def new(request: HttpRequest) -> HttpResponseBase:
    """Ask what the list is for, then let it leave."""
    if request.method != "POST":
        return render(request, "pages/exports/new.html", _form(request.GET))
    assert request.user.is_authenticated
    demand(request, Right.EXPORT_PEOPLE)
    purpose, _dot, channel = request.POST.get("use", "").partition(".")
    key = request.POST.get("segment", "")
    try:
        if not purpose:
            raise Invalid(_("no purpose was chosen"), _("Say what the list is for."))
        segment = segments.segment(key) if key else None
        taken = services.take_out(
            purpose,
            channel,
            by=request.user.email,
            why=request.POST.get("why", ""),
            columns=request.POST.getlist("columns"),
            chosen={name: request.POST.get(name, "") for name in FILTERS},
            among=_among(request, segment) if segment else None,
            of={"segment": segment.title} if segment else None,
        )
    except RapportError as error:
        wrong = f"{sentence(error.message)} {error.hint}"
        return render(request, "pages/exports/new.html", _form(request.POST, wrong), status=400)
    return StreamingHttpResponse(
        (line.encode() for line in taken.lines),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{taken.file_name}"'},
    )


def _among(request: HttpRequest, segment: segments.SegmentView) -> pa.Array:
    """The members who may be seen now."""
    found = segments.members_arrow(segment.key, segmenting.leave(request, segment.purpose))
    return found["person"].combine_chunks()


def _form(given: QueryDict, wrong: str = "") -> dict[str, Any]:
    chosen = given.getlist("columns") or ["name", "email"]
    uses = []
    for purpose in consent.purposes(active_only=True):
        for channel in ("", *purpose.channels):
            key = f"{purpose.key}.{channel}" if channel else purpose.key
            label = consenting.name(purpose)
            if channel:
                label = f"{label}: {consenting.channel(channel)}"
            uses.append((key, label, key == given.get("use", "")))
    return {
        "uses": uses,
        "columns": [(c, COLUMNS[c], c in chosen) for c in services.EXPORT_COLUMNS],
        "given": {key: given.get(key, "") for key in (*FILTERS, "why", "segment")},
        "segments": segments.titles(),
        "countries": people.facets("country", "person"),
        "languages": people.facets("language", "person"),
        "wrong": wrong,
    }


urlpatterns = [
    path("privacy/exports/", listing, name="exports"),
    path("privacy/exports/new/", new, name="export_new"),
]
