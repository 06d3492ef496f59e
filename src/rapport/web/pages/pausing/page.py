"""Pausing everything that leaves, from any page, and when it was paused before."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.messaging import services as messaging
from rapport.pacing import selectors as pacing
from rapport.staff.rules import Right
from rapport.web.access import needs
from rapport.web.components import formats
from rapport.web.layout import Action

actions = [Action("pausing", gettext_lazy("Pause everything that leaves"), Right.PAUSE_ALL)]


@needs(Right.PAUSE_ALL)
def page(request: HttpRequest) -> HttpResponseBase:
    return render(request, "pages/pausing/page.html", {"pauses": pacing.pauses_of_all()})


@needs(Right.PAUSE_ALL)
@require_POST
def switch(request: HttpRequest) -> HttpResponseBase:
    """Stop everything, or go on; the answer comes when it holds."""
    assert request.user.is_authenticated
    if request.POST.get("do") == "resume":
        if messaging.resume_all(request.user.email):
            messages.success(request, _("Messages leave again; each of those that waited leaves once."))
        else:
            messages.info(request, _("Nothing was paused."))
    else:
        stopped = messaging.pause_all(request.user.email, request.POST.get("why", "").strip())
        if stopped.n_in_flight:
            said = ngettext(
                "Everything is paused. %(n)s message had been handed over a moment before and may still arrive.",
                "Everything is paused. %(n)s messages had been handed over a moment before and may still arrive.",
                stopped.n_in_flight,
            )
            messages.warning(request, said % {"n": formats.number(stopped.n_in_flight)})
        else:
            messages.success(request, _("Everything is paused: nothing leaves from now on."))
    back = request.POST.get("next", "")
    is_ours = url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()})
    return redirect(back if is_ours else reverse("pausing"))


urlpatterns = [
    path("pause/", page, name="pausing"),
    path("pause/switch/", switch, name="pause-switch"),
]
