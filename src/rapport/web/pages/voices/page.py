"""Customers' words on their way to departments: drafts of voice cases that somebody made of a conversation."""

from __future__ import annotations

import uuid

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.conversations import selectors, services
from rapport.kit import clock
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.layout import Entry

entries = [Entry("voices", gettext_lazy("For departments"), "voices", "talk", 16, Right.SEE_INBOX)]

DEPARTMENTS = {
    "logistics": gettext_lazy("Logistics"),
    "product": gettext_lazy("Product"),
    "pricing": gettext_lazy("Pricing"),
    "web": gettext_lazy("Website and app"),
    "billing": gettext_lazy("Billing"),
    "service": gettext_lazy("Service"),
}
STATES = ("draft", "taken", "dropped")


@needs(Right.SEE_INBOX)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Drafts of one state, the first due first."""
    state = request.GET.get("state", "draft")
    state = state if state in STATES else "draft"
    today = clock.now().date()
    rows = [
        (draft, DEPARTMENTS.get(draft.department, draft.department), draft.due_on < today)
        for draft in selectors.voice_drafts(state)
    ]
    context = {
        "rows": rows,
        "state": state,
        "departments": list(DEPARTMENTS.items()),
        "can_change": may(request, Right.ANSWER),
        "can_export": may(request, Right.EXPORT_PEOPLE),
    }
    return render(request, "pages/voices/page.html", context)


@needs(Right.ANSWER)
@require_POST
def change(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Take it up, drop it, or send it to another department."""
    department = request.POST.get("department", "")
    services.change_voice(
        number,
        department=department if department in DEPARTMENTS else "",
        state=request.POST.get("state", ""),
    )
    messages.success(request, _("Saved."))
    return redirect("voices")


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
