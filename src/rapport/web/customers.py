"""The customer's own pages: no log-in, no cookie, no script; who may see is said by the link itself.

Every such page is opened by `customer_page`, or by `for_holder` and `for_fresh_holder` where a link says
whose page it is. A form needs no token against forgery: the address it is sent to is itself a secret that
only its holder has.
"""

from __future__ import annotations

import dataclasses
import functools
import zoneinfo
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.kit.errors import Denied, NotFound, RapportError
from rapport.staff import selectors as staff
from rapport.web import errors
from rapport.web.access import public

View = Callable[..., HttpResponseBase]

# A link is a key, so nobody we link to, no index and no cache may learn it.
BY_PERSON = "person"  # who did it, where staff would stand by name
ADDRESSES = ("/my/", "/u/", "/object", "/s/", "/confirm/", "/signup/", "/m/", "/notices/")
HEADERS = {
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "private, no-store",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
}


@dataclass(frozen=True, slots=True)
class Holder:
    """Who opened a link: the identifier it was made for, and how far it goes."""

    identifier: str
    token: str
    is_fresh: bool  # asked for in the last days: it may show and erase what we know
    language: str = ""  # asked for in the address, and carried on to the next page

    def url(self, page: str, /, **query: str) -> str:
        """The address of another page of the same holder, in the same language."""
        kept = {key: value for key, value in (query | {"lang": self.language}).items() if value}
        address = reverse(f"customer_{page}", args=[self.token])
        return f"{address}?{urlencode(kept)}" if kept else address

    @property
    def hidden(self) -> str:
        """The identifier as it is shown to whoever looks over the shoulder."""
        return hidden(self.identifier)


@dataclass(frozen=True, slots=True)
class Language:
    code: str
    name: str
    url: str
    is_here: bool


def hidden(identifier: str) -> str:
    """An address with its middle left out: a•••@example.org, +4930•••17."""
    namespace, _colon, value = identifier.partition(":")
    if namespace == "email" and "@" in value:
        name, _at, domain = value.rpartition("@")
        return f"{name[:1]}•••@{domain}"
    if namespace == "phone":
        return f"{value[:-6]}•••{value[-2:]}" if len(value) > 8 else f"•••{value[-2:]}"
    return value if len(value) < 6 else f"{value[:2]}•••{value[-2:]}"


def privacy_signal(request: HttpRequest) -> str:
    """What the browser says about tracking: `gpc` (Global Privacy Control), `dnt`, or nothing."""
    if request.headers.get("Sec-GPC", "").strip() == "1":
        return "gpc"
    return "dnt" if request.headers.get("DNT", "").strip() == "1" else ""


def customer_page(view: View) -> View:
    """Open a page to everybody, in the language and manner of customers' pages."""

    @functools.wraps(view)
    def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        code = _asked_language(request) or translation.get_language_from_request(request)
        return _told_in(code, request, lambda: view(request, *args, **kwargs))

    return csrf_exempt(public(opened))


def for_holder(view: View) -> View:
    """Open a page to whoever holds the link in its address; the view gets a Holder in place of the token."""
    return _held(view, fresh=False)


def for_fresh_holder(view: View) -> View:
    """As for_holder, but a link not asked for in the last days opens nothing but the offer of a new one."""
    return _held(view, fresh=True)


def _held(view: View, *, fresh: bool) -> View:
    @functools.wraps(view)
    def opened(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        code = _asked_language(request) or _language_of_token(token)
        code = code or translation.get_language_from_request(request)

        def answer() -> HttpResponseBase:
            asked = _asked_language(request)
            try:
                is_fresh = links.fresh_holder(token) is not None
                holder = Holder(links.holder(token), token, is_fresh, asked)
            except Denied:
                return ask_anew(request, Holder(links.past_holder(token), token, False, asked), expired=True)
            if fresh and not is_fresh:
                return ask_anew(request, holder, expired=False)
            return view(request, holder, *args, **kwargs)

        return _told_in(code, request, answer)

    return csrf_exempt(public(opened))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """What is no page, told within the frame of whoever came: customers have no keys to search with."""
    if not request.path.startswith(ADDRESSES):
        return errors.not_found(request, exception)

    def nowhere(_request: HttpRequest) -> HttpResponseBase:
        raise NotFound(
            _("there is no such page"), _("Open the link in our message again, or ask for a new one.")
        )

    return customer_page(nowhere)(request)


def ask_anew(request: HttpRequest, holder: Holder, *, expired: bool) -> HttpResponse:
    """The page that offers to mail a new link to the same address, and to no other."""
    context = {
        "expired": expired,
        "title": _("You need a new link"),
        "anew_url": _anew_url(request, holder),
    }
    return show(request, "components/customer_anew.html", context, holder=holder, status=403)


def _anew_url(request: HttpRequest, holder: Holder) -> str:
    wanted = (request.resolver_match.url_name or "") if request.resolver_match else ""
    return holder.url("anew", page=wanted.removeprefix("customer_"))


def show(
    request: HttpRequest,
    template: str,
    context: dict[str, Any] | None = None,
    *,
    holder: Holder | None = None,
    status: int = 200,
) -> HttpResponse:
    """Render a customer's page within its frame: the firm's name, languages, the way to the other pages."""
    firm = staff.organisation()
    frame = {
        "firm": firm.name if firm else "Rapport",
        # In another language one would read what was just done by doing it again, so a POST offers none.
        "languages": [] if request.method == "POST" and status == 200 else _languages(request),
        "holder": holder,
        "signal": privacy_signal(request),
        "ways": _ways(request, holder) if holder else [],
    }
    return render(request, template, frame | (context or {}), status=status)


def _ways(request: HttpRequest, holder: Holder) -> list[dict[str, Any]]:
    """The other pages of this holder, in the order in which people look for them."""
    here = request.resolver_match.url_name if request.resolver_match else ""
    names = {
        "preferences": _("Your wishes"),
        "why": _("Why you hear from us"),
        "everything": _("What we know of you"),
        "correct": _("Correct it"),
        "take": _("Take it with you"),
        "object": _("Object or restrict"),
        "forget": _("Forget me"),
    }
    return [
        {"label": label, "url": holder.url(page), "is_here": here == f"customer_{page}"}
        for page, label in names.items()
    ]


def _languages(request: HttpRequest) -> list[Language]:
    now = translation.get_language()
    query = request.GET.copy()
    found = []
    for code, name in settings.LANGUAGES:
        query["lang"] = code
        found.append(Language(code, name, f"{request.path}?{query.urlencode()}", code == now))
    return found


def _asked_language(request: HttpRequest) -> str:
    asked = request.GET.get("lang", "")
    return asked if asked in dict(settings.LANGUAGES) else ""


def _language_of_token(token: str) -> str:
    """The language that the holder once chose; empty for one who chose none, or a link that is no link."""
    try:
        stated = consent.preferences(links.holder(token)).get("language")
    except RapportError:
        return ""
    return str(stated) if stated in dict(settings.LANGUAGES) else ""


def _told_in(code: str, request: HttpRequest, answer: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """Answer in a language and in the firm's zone; an error is told on a page of the same frame."""
    firm = staff.organisation()
    zone = zoneinfo.ZoneInfo(firm.timezone) if firm else zoneinfo.ZoneInfo("UTC")
    with translation.override(code), timezone.override(zone):
        request.LANGUAGE_CODE = code
        try:
            response = answer()
        except RapportError as error:
            response = _wrong(request, error)
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    response.headers["Content-Language"] = code
    patch_vary_headers(response, ["Accept-Language", "Sec-GPC", "DNT"])
    return response


def _wrong(request: HttpRequest, error: RapportError) -> HttpResponse:
    context = {
        "title": _("That did not work"),
        "message": errors.sentence(_(error.message)),
        "hint": errors.sentence(_(error.hint)) if error.hint else "",
    }
    return show(request, "components/customer_wrong.html", context, status=errors.status_of(error))


def without_language(holder: Holder) -> Holder:
    """The same holder with no language in the address: it was just stated, and is remembered."""
    return dataclasses.replace(holder, language="")
