"""Forgetting somebody at their own word: asked twice, carried out at once, and certified."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.consent import services
from rapport.kit.errors import Conflict, NotFound, Unavailable
from rapport.people import selectors as people
from rapport.web.customers import BY_PERSON, Holder, for_fresh_holder, show


@require_http_methods(["GET", "HEAD", "POST"])
@for_fresh_holder
def forget(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    """First what would happen, then the question, then the certificate; only a POST takes a step."""
    if not _is_known(holder):
        nothing = {"title": _("We know nothing of you")}
        return show(request, "pages/customer_forget/nothing.html", nothing, holder=holder)
    step = request.POST.get("do", "") if request.method == "POST" else ""
    if step == "erase" and request.POST.get("sure") == "yes":
        return _erase(request, holder)
    context: dict[str, Any] = {
        "title": _("Forget me"),
        "is_asked": step in ("ask", "erase"),
        "is_unsure": step == "erase",
        "take_url": holder.url("take"),
        "back_url": holder.url("forget"),
    }
    return show(
        request,
        "pages/customer_forget/page.html",
        context,
        holder=holder,
        status=400 if step == "erase" else 200,
    )


def _erase(request: HttpRequest, holder: Holder) -> HttpResponseBase:
    """Open the request, so that it is kept that one was made, and carry it out."""
    asked = services.open_request(holder.identifier, "erasure", by=BY_PERSON)
    try:
        certificate = services.erase(holder.identifier, by=BY_PERSON, request_id=asked.id)
    except (Conflict, Unavailable):
        # Something else holds a store just now; the request stays open, with its deadline, on staff's list.
        context = {"title": _("Taken down"), "asked": asked}
        return show(request, "pages/customer_forget/later.html", context, holder=holder)
    context = {
        "title": _("You are forgotten"),
        "certificate": certificate,
        "counts": [(_(store), n) for store, n in certificate.counts.items()],
    }
    return show(request, "pages/customer_forget/done.html", context)


def _is_known(holder: Holder) -> bool:
    try:
        people.subject_of(holder.identifier)
    except NotFound:
        return False
    return True


urlpatterns = [path("my/forget/<str:token>", forget, name="customer_forget")]
