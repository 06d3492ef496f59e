"""A counted link of a message: on to where the message says. It changes nothing but the count."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import path
from django.views.decorators.http import require_safe

from rapport.messaging.services import clicking
from rapport.web.customers import customer_page, privacy_signal


@require_safe
@customer_page
def followed(request: HttpRequest, token: str) -> HttpResponseBase:
    """Whoever asks not to be tracked goes on uncounted."""
    delivery, position, url = clicking.target(token)
    if not privacy_signal(request):
        clicking.note(
            delivery,
            position,
            user_agent=request.headers.get("User-Agent", ""),
            is_head=request.method == "HEAD",
        )
    return HttpResponseRedirect(url)


urlpatterns = [path("m/<str:token>", followed, name="followed")]
