"""Probable identities: two people who may be one, laid before somebody who decides."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.people import services
from rapport.people.selectors.proposals import PAGE
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import formats, words
from rapport.web.layout import Action

actions = [Action("proposals", gettext_lazy("Probable identities"), Right.SEE_PEOPLE)]


@needs(Right.SEE_PEOPLE)
def listing(request: HttpRequest) -> HttpResponseBase:
    after = request.GET.get("after", "0")
    waiting = people.proposals(after=int(after) if after.isdecimal() else 0)
    more = len(waiting) == PAGE
    context = {
        "pairs": [(p, words.evidence(p.edge.evidence), formats.percent(p.edge.confidence)) for p in waiting],
        "next_url": f"{reverse('proposals')}?after={waiting[-1].edge.id}" if more else "",
        "first_url": reverse("proposals") if after != "0" else "",
        "can_change": may(request, Right.CHANGE_PEOPLE),
    }
    return render(request, "pages/proposals/page.html", context)


@needs(Right.CHANGE_PEOPLE)
@require_POST
def decide(request: HttpRequest, edge_id: int) -> HttpResponseBase:
    assert request.user.is_authenticated
    decision = request.POST.get("do")
    if decision == "accept":
        services.accept(edge_id, request.user.email)
        messages.success(request, _("They are one person now. No consent flows along a probable identity."))
    elif decision == "reject":
        services.reject(edge_id, request.user.email)
        messages.success(request, _("They stay two people, and are not proposed again."))
    else:
        raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))
    return redirect("proposals")


urlpatterns = [
    path("people/proposals/", listing, name="proposals"),
    path("people/proposals/<int:edge_id>/", decide, name="proposal"),
]
