"""What somebody told a colleague about the use of their data, noted on their page."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.consent import services
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web.access import demand, needs
from rapport.web.components.telling import ToldForm

STATES = {"granted": services.grant, "denied": services.deny, "withdrawn": services.withdraw}


@needs(Right.SEE_PEOPLE)
@require_POST
def told(request: HttpRequest, person_id: int) -> HttpResponseBase:
    """Note an answer. Anybody who sees people may note a refusal; allowing needs the right to change them."""
    assert request.user.is_authenticated
    who = people.person(person_id)
    form = ToldForm(who, True, request.POST)
    if not form.is_valid():
        wrong = " ".join(f"{error}" for errors in form.errors.values() for error in errors)
        raise Invalid(_("this cannot be noted: %(why)s") % {"why": wrong}, _("Go back and correct it."))
    said: dict[str, Any] = form.cleaned_data
    if said["state"] == "granted":
        demand(request, Right.CHANGE_PEOPLE)
    purpose, _colon, channel = said["what"].partition(":")
    STATES[said["state"]](
        said["identifier"],
        purpose,
        channel,
        how="staff",
        shown=f"{said['shown']} ({request.user.email})",
        source="staff",
    )
    messages.success(request, _("Noted, and in force from now on."))
    return redirect(reverse("person", args=[who.id]) + "#consent")


@needs(Right.CHANGE_PRIVACY)
@require_POST
def lift(request: HttpRequest) -> HttpResponseBase:
    """Send to an identifier again."""
    assert request.user.is_authenticated
    identifier = request.POST.get("identifier", "")
    if request.POST.get("reason") == "erased":
        raise Invalid(
            _("who asked to be forgotten is not written to"), _("They may come back by themselves.")
        )
    services.lift(
        identifier,
        request.POST.get("channel", ""),
        request.POST.get("reason", ""),
        by=request.user.email,
    )
    messages.success(request, _("Lifted."))
    return redirect(reverse("person", args=[people.person_id(identifier)]) + "#consent")


urlpatterns = [
    path("privacy/consent/told/<int:person_id>/", told, name="consent_told"),
    path("privacy/consent/lift/", lift, name="consent_lift"),
]
