"""No more of this: one click in the mail program (RFC 8058), or one button on a page that changes nothing."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.consent import links, services
from rapport.consent import selectors as consent
from rapport.kit.errors import Invalid
from rapport.web.components import consenting
from rapport.web.customers import Holder, customer_page, show

ONE_CLICK = "One-Click"  # RFC 8058, section 3.2: the body's key is List-Unsubscribe


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def unsubscribe(request: HttpRequest, token: str) -> HttpResponseBase:
    """A POST withdraws at once and answers 200: no cookie, no redirect, no second question."""
    asked = links.one_click(token)
    purpose = consent.purpose(asked.purpose)
    context: dict[str, Any] = {
        "address": Holder(asked.identifier, token, is_fresh=False).hidden,
        "purpose": consenting.name(purpose),
        "channel": consenting.channel(asked.channel) if asked.channel else "",
        # An old message opens nothing but its own way out.
        "wishes_url": "" if asked.is_old else links.url_for(asked.identifier),
        "title": _("No more of this?"),
    }
    if request.method == "POST":
        if request.POST.get("List-Unsubscribe") != ONE_CLICK:
            raise Invalid(
                _("this form does not say what it is about"),
                _("Open the link in your message again and press the button."),
            )
        services.withdraw(
            asked.identifier,
            asked.purpose,
            asked.channel,
            how="one_click",
            shown=f"message {asked.message_id}" if asked.message_id else "one-click link",
        )
        context |= {"done": True, "title": _("You will get no more of this")}
    return show(request, "pages/customer_unsubscribe/page.html", context)


urlpatterns = [path("u/<str:token>", unsubscribe, name="customer_unsubscribe")]
