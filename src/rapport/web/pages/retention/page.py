"""How long events are kept, by their kind; and what a rule would delete, before it does."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.consent import selectors as consent
from rapport.consent import services
from rapport.kit.errors import Invalid
from rapport.staff.rules import Right
from rapport.web.access import demand, may, needs
from rapport.web.components import words
from rapport.web.errors import sentence
from rapport.web.layout import Entry

entries = [Entry("retention", gettext_lazy("Retention"), "clock", "setup", 40, Right.SEE_PRIVACY)]


@needs(Right.SEE_PRIVACY)
def retention(request: HttpRequest) -> HttpResponseBase:
    if request.method == "POST":
        return _set(request)
    return render(request, "pages/retention/page.html", _context(request))


def _context(request: HttpRequest, tried: dict[str, int] | None = None, wrong: str = "") -> dict[str, Any]:
    kept = consent.retention(tried)
    name = next(iter(tried), "") if tried else ""
    asked = next((k for k in kept if k.name == name), None)
    return {
        "kinds": [(k, words.event_label(k.name)) for k in kept if k.may_end],
        "proofs": [(k, words.event_label(k.name)) for k in kept if not k.may_end],
        "n_older": sum(k.n_older for k in kept),
        "asked": asked,
        "asked_label": words.event_label(name) if asked else "",
        "wrong": wrong,
        "can_change": may(request, Right.CHANGE_PRIVACY),
    }


def _set(request: HttpRequest) -> HttpResponseBase:
    """Show what a rule would delete, and set it where that was seen."""
    demand(request, Right.CHANGE_PRIVACY)
    assert request.user.is_authenticated
    name, text = request.POST.get("name", ""), request.POST.get("days", "").strip()
    try:
        days = _days(text)
        if days is None or request.POST.get("do") == "set":
            services.keep_for(name, days, by=request.user.email)
        else:
            services.check_keep_for(name, days)
            context = _context(request, {name: days})
            if context["asked"] and context["asked"].n_older:
                return render(request, "pages/retention/page.html", context)
            services.keep_for(name, days, by=request.user.email)
    except Invalid as error:
        context = _context(request, wrong=f"{sentence(error.message)} {error.hint}")
        return render(request, "pages/retention/page.html", context, status=400)
    messages.success(
        request, _("Kept for good.") if days is None else _("Set. It is carried out once a day.")
    )
    return redirect("retention")


def _days(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 6:
        raise Invalid(_("“%(text)s” is no number of days") % {"text": text[:20]}, _("Write it like 365."))
    return int(text)


urlpatterns = [path("privacy/retention/", retention, name="retention")]
