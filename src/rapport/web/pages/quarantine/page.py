"""Quarantine: what could not become an event, with its reason; corrected and replayed, or discarded."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.events import quarantine
from rapport.events import selectors as events
from rapport.kit.errors import Invalid
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import places, words
from rapport.web.errors import sentence

STATES = ("waiting", "replayed", "discarded")
CELLS_MAX = 60  # more than these are corrected as text


@dataclass(frozen=True, slots=True)
class Filter:
    label: str
    n: int
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Cell:
    """One value of a refused row, as a form field."""

    name: str
    text: str
    is_wrong: bool
    is_long: bool


@needs(Right.SEE_SOURCES)
def listing(request: HttpRequest) -> HttpResponseBase:
    reason, batch = request.GET.get("reason", ""), request.GET.get("import", "")
    state = request.GET.get("state", "waiting")
    if state not in STATES:
        raise Invalid(_("there is no state “%(value)s”") % {"value": state}, _("Choose one of the list."))
    rows = events.quarantine_page(
        reason=reason, batch_id=batch, state=state, before=places.read(request.GET.get("before", ""))
    )
    counts = events.quarantine_counts(state)
    asked = {"reason": reason, "import": batch, "state": state if state != "waiting" else ""}
    last = rows[-1] if len(rows) == events.PAGE else None
    context = {
        "tab": "quarantine",
        "rows": [(row, words.reason(row.reason)) for row in rows],
        "filters": [
            Filter(_("All"), sum(counts.values()), _address(**{**asked, "reason": ""}), not reason),
            *(
                Filter(words.reason(r), n, _address(**{**asked, "reason": r}), r == reason)
                for r, n in counts.items()
            ),
        ],
        "state": state,
        "states": [
            (_("Waiting"), _address(**{**asked, "state": "", "reason": ""}), state == "waiting"),
            (_("Replayed"), _address(**{**asked, "state": "replayed", "reason": ""}), state == "replayed"),
            (_("Discarded"), _address(**{**asked, "state": "discarded", "reason": ""}), state == "discarded"),
        ],
        "batch": batch,
        "next_url": _address(**asked, before=places.write(last.received_at, last.key)) if last else "",
        "first_url": _address(**asked) if request.GET.get("before") else "",
        "n_quarantined": sum(events.quarantine_counts().values()),
    }
    return render(request, "pages/quarantine/page.html", context)


@needs(Right.SEE_SOURCES)
def quarantined(request: HttpRequest, key: uuid.UUID) -> HttpResponseBase:
    row = events.quarantined(key)
    wrong = ""
    body = _pretty(row.body)
    cells = _cells(row.body, row.field)
    if request.method == "POST":
        return _decide(request, row)
    context = {
        "row": row,
        "reason": words.reason(row.reason),
        "message": sentence(row.message),
        "body": body,
        "cells": cells,
        "wrong": wrong,
        "is_waiting": row.state == "waiting",
        "can_change": may(request, Right.CHANGE_SOURCES),
    }
    return render(request, "pages/quarantine/one.html", context)


def _decide(request: HttpRequest, row: events.QuarantineRow) -> HttpResponseBase:
    from rapport.web.access import demand

    demand(request, Right.CHANGE_SOURCES)
    assert request.user.is_authenticated
    do = request.POST.get("do")
    if do == "discard":
        quarantine.discard(row.key, by=request.user.email)
        messages.success(request, _("Discarded. It stays readable under “Discarded”."))
        return redirect("quarantine")
    if do not in {"replay_cells", "replay_text"}:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    body = request.POST.get("body", "") if do == "replay_text" else _corrected(row.body, request)
    try:
        quarantine.replay(row.key, body=body, by=request.user.email)
    except Invalid as error:
        context = {
            "row": row,
            "reason": words.reason(row.reason),
            "message": sentence(row.message),
            "body": _pretty(body),
            "cells": _cells(body, row.field),
            "wrong": f"{sentence(error.message)} {error.hint}",
            "is_waiting": True,
            "can_change": True,
        }
        return render(request, "pages/quarantine/one.html", context, status=400)
    messages.success(
        request, _("Sent again. If something else is wrong, it comes back here with that reason.")
    )
    return redirect("quarantine")


def _pretty(body: str) -> str:
    try:
        return json.dumps(json.loads(body), ensure_ascii=False, indent=2)
    except ValueError:
        return body


def _row_of(body: str) -> dict[str, Any] | None:
    """The cells of a refused row: those of a file's row, or of a touchpoint or message itself."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    if isinstance(found, dict) and isinstance(found.get("row"), dict):
        found = found["row"]
    return found if isinstance(found, dict) and 0 < len(found) <= CELLS_MAX else None


def _cells(body: str, wrong_field: str) -> list[Cell]:
    """A field for each value; text as it is, everything else as JSON."""
    row = _row_of(body)
    if row is None:
        return []
    meant = _column_of(body, wrong_field)
    shown = {name: v if isinstance(v, str) else json.dumps(v, ensure_ascii=False) for name, v in row.items()}
    return [
        Cell(name, text, name in {meant, wrong_field}, len(text) > 60 or "\n" in text)
        for name, text in shown.items()
    ]


def _column_of(body: str, field: str) -> str:
    """The column that the wrong field was read from."""
    try:
        mapping = json.loads(body).get("mapping") or {}
    except (ValueError, AttributeError):
        return field
    return next((column for column, of in mapping.items() if of == field), field)


def _corrected(body: str, request: HttpRequest) -> str:
    """The body with the form's values in it; what was no text is read as JSON again."""
    whole = json.loads(body)
    row = _row_of(body)
    if row is None:
        raise Invalid(_("this row has no fields to correct"), _("Correct it as text."))
    for name, before in row.items():
        given = request.POST.get(f"cell-{name}")
        if given is None:
            continue
        given = given.replace("\r\n", "\n")
        row[name] = given if isinstance(before, str) else _read(given)
    if isinstance(whole.get("row"), dict):
        whole["row"] = row
        return json.dumps(whole, ensure_ascii=False)
    return json.dumps(row, ensure_ascii=False)


def _read(text: str) -> Any:
    try:
        return json.loads(text) if text.strip() else None
    except ValueError:
        return text


def _address(**query: str) -> str:
    kept = {key: value for key, value in query.items() if value}
    return f"{reverse('quarantine')}?{urlencode(kept)}" if kept else reverse("quarantine")


urlpatterns = [
    path("sources/quarantine/", listing, name="quarantine"),
    path("sources/quarantine/<uuid:key>/", quarantined, name="quarantined"),
]
