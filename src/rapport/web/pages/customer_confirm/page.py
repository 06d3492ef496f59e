"""Double opt-in: the reader of an address says that a consent given on a form is theirs. A GET changes nothing."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponseBase
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.messaging.services import confirming
from rapport.web.components import consenting
from rapport.web.customers import customer_page, hidden, show


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def confirm(request: HttpRequest, token: str) -> HttpResponseBase:
    """Scanners follow links and press no buttons, so only the button grants."""
    found = confirming.confirm(token) if request.method == "POST" else confirming.asked(token)
    purpose = consent.purpose(found.purpose)
    wording = consent.wording(found.purpose, found.wording) if found.wording else None
    is_done = found.confirmed_at is not None
    context = {
        "title": _("Thank you, it is confirmed") if is_done else _("Is this what you want?"),
        "asked": found,
        "is_done": is_done,
        "address": hidden(found.identifier),
        "purpose": consenting.name(purpose),
        "text": wording.text if wording else consenting.meaning(purpose),
        "wishes_url": links.url_for(found.identifier) if is_done else "",
    }
    return show(request, "pages/customer_confirm/page.html", context)


urlpatterns = [path("confirm/<str:token>", confirm, name="customer_confirm")]
