"""Customers' words on their way to departments: drafts of voice cases that somebody made of a conversation."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, QueryDict
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.conversations import selectors, services
from rapport.conversations.selectors import rows
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import inboxing, spokenwords
from rapport.web.layout import Entry

entries = [Entry("voices", gettext_lazy("For departments"), "voices", "talk", 16, Right.SEE_INBOX)]

STATES = ("draft", "taken", "dropped")
PAGE = 50


@needs(Right.SEE_INBOX)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Drafts of one state, the first due first."""
    state, department = _asked(request.GET)
    begin = _number(request.GET.get("from", ""))
    found = selectors.voice_drafts(state, department, PAGE + 1, begin=begin)
    today = timezone.localdate(clock.now())
    context = {
        "rows": [_line(draft, today) for draft in found[:PAGE]],
        "state": state,
        "department": department,
        "departments": list(inboxing.DEPARTMENTS.items()),
        "next_url": _address(state, department, begin + PAGE) if len(found) > PAGE else "",
        "first_url": _address(state, department) if begin else "",
        "can_change": may(request, Right.ANSWER),
        "can_export": may(request, Right.EXPORT_PEOPLE),
    }
    return render(request, "pages/voices/page.html", context)


def _line(draft: rows.VoiceView, today: dt.date) -> dict[str, Any]:
    return {
        "draft": draft,
        "department": inboxing.department(draft.department),
        "is_own": draft.department not in inboxing.DEPARTMENTS,  # named by a macro
        "about": [spokenwords.label("aspect", word) for word in (draft.aspect, draft.reason) if word],
        "is_late": draft.state == "draft" and draft.due_on < today,
        "url": reverse("inbox_one", args=[draft.conversation]) if draft.conversation else "",
    }


def _asked(given: QueryDict) -> tuple[str, str]:
    state, department = given.get("state", "draft"), given.get("department", "")
    return state if state in STATES else "draft", department if department in inboxing.DEPARTMENTS else ""


def _address(state: str, department: str, begin: int = 0) -> str:
    asked = {"state": state, "department": department, "from": begin or ""}
    return f"{reverse('voices')}?{urlencode({k: v for k, v in asked.items() if v})}"


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else 0


@needs(Right.ANSWER)
@require_POST
def change(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Take it up, drop it, take it back, move its day, or send it to another department."""
    department = request.POST.get("to", "")
    try:
        due_on = dt.date.fromisoformat(given) if (given := request.POST.get("due_on", "")) else None
    except ValueError:
        raise Invalid(_("%(text)s is no day") % {"text": given}, _("Choose one.")) from None
    services.change_voice(
        number,
        department=department if department in inboxing.DEPARTMENTS else "",
        due_on=due_on,
        state=request.POST.get("do", ""),
    )
    messages.success(request, _("Saved."))
    return redirect(_address(*_asked(request.GET)))


@needs(Right.EXPORT_PEOPLE)
def export(request: HttpRequest) -> HttpResponseBase:  # noqa: ARG001  a view's shape
    """Every draft as a table."""
    response = HttpResponse(services.export_voice(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="voice-drafts.csv"'
    return response


urlpatterns = [
    path("voices/", listing, name="voices"),
    path("voices/export/", export, name="voices-export"),
    path("voices/<uuid:number>/", change, name="voice-change"),
]
