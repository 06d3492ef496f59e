"""What our public replies did: for each place and each playbook, beside like threads that were left alone."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.conversations import selectors, services
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.layout import Entry

entries = [Entry("reception", gettext_lazy("What replies did"), "reception", "reach", 41, Right.SEE_VENUES)]

PLAYBOOKS = {
    "correction": gettext_lazy("Correction with its source"),
    "apology": gettext_lazy("Apology with a remedy"),
    "handover": gettext_lazy("Handover"),
    "follow_up": gettext_lazy("Follow-up"),
}


@needs(Right.SEE_VENUES)
def listing(request: HttpRequest) -> HttpResponseBase:
    """Places and playbooks, silent places first."""
    places = selectors.reception("venue")
    playbooks = [(row, PLAYBOOKS.get(row.name, row.name)) for row in selectors.reception("playbook")]
    context = {
        "groups": [
            (_("By place"), [(row, row.name) for row in places], True),
            (_("By playbook"), playbooks, False),
        ],
        "reckoned_at": max((row.reckoned_at for row in places), default=None),
        "can_lift": may(request, Right.CHANGE_VENUES),
    }
    return render(request, "pages/reception/page.html", context)


@needs(Right.CHANGE_VENUES)
@require_POST
def lift(request: HttpRequest) -> HttpResponseBase:
    """Answer in a place again."""
    services.lift_silence(request.POST.get("venue", ""))
    messages.success(request, _("We may answer there again. Only what is said from now on counts."))
    return redirect("reception")


urlpatterns = [
    path("reception/", listing, name="reception"),
    path("reception/lift/", lift, name="reception-lift"),
]
