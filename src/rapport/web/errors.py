"""What went wrong, as a page or a fragment: one sentence that says it and one that says what to do."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _

from rapport.kit import errors

Handler = Callable[[HttpRequest], HttpResponseBase]


class NotLoggedIn(errors.Denied):
    """Nobody we know asks."""


class TooMany(errors.Unavailable):
    """Somebody asks more often than agreed."""


# The first kind that fits decides, so the special ones stand before what they are kinds of.
STATUS: dict[type[errors.RapportError], int] = {
    NotLoggedIn: 401,
    TooMany: 429,
    errors.Invalid: 400,
    errors.Denied: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unavailable: 503,
}


def status_of(error: errors.RapportError) -> int:
    """The HTTP status of a domain's error; what no row names is our own fault."""
    return next((status for kind, status in STATUS.items() if isinstance(error, kind)), 500)


def sentence(text: str) -> str:
    """A domain's message as a sentence: errors begin small so that they can stand within one."""
    text = text.strip()
    if not text:
        return ""
    first = text[0] if _NAME.match(text) else text[0].upper()
    return first + text[1:] + ("" if text[-1] in ".!?" else ".")


_NAME = re.compile(r"\S+\.\w")  # what begins with the name of a file or a host keeps it as it is written


class DomainErrors:
    """Turn a domain's error into the page or fragment that tells it."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, errors.RapportError):
            return None
        response = told(request, status_of(exception), exception.message, exception.hint)
        if isinstance(exception, errors.Unavailable):
            response.headers["Retry-After"] = str(max(1, round(exception.retry_after_s)))
        return response


def told(request: HttpRequest, status: int, message: str, hint: str = "") -> HttpResponse:
    """The error page, or for htmx a toast with the same words."""
    context = {
        "status": status,
        "title": _title(status),
        "message": sentence(message),
        "hint": sentence(hint),
        "back_url": _before(request),
    }
    if getattr(request, "htmx", False):
        response = render(request, "components/error_toast.html", context, status=status)
        response.headers["HX-Retarget"] = "#toasts"
        response.headers["HX-Reswap"] = "beforeend"
        return response
    return render(request, "components/error_page.html", context, status=status)


def _before(request: HttpRequest) -> str:
    """The page of ours from which a form was sent or a link followed; empty where it was none, or this one."""
    given = request.headers.get("Referer", "")
    try:
        ours = {request.get_host()}
    except DisallowedHost:
        return ""
    if not url_has_allowed_host_and_scheme(given, allowed_hosts=ours, require_https=request.is_secure()):
        return ""
    parts = urlsplit(given)
    if parts.path == request.path or not parts.path or parts.path.startswith("//"):
        return ""
    return parts.path + (f"?{parts.query}" if parts.query else "")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's shape
    return told(
        request, 400, _("this request could not be understood"), _("Go back and send the form again.")
    )


def denied(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's shape
    return told(request, 403, _("your role does not open this page"), _("Ask an owner to change your role."))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001  Django's shape
    return told(
        request,
        404,
        _("there is no page at %(path)s") % {"path": request.path},
        _("Check the address, or search with Ctrl-K."),
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001  Django's shape
    return told(
        request,
        403,
        _("this form was open too long, or its cookie was blocked"),
        _("Go back, load the page again and send it once more."),
    )


def locked_out(request: HttpRequest, *_given: object) -> HttpResponse:
    """Somebody guessed too often: a sentence that says for how long, not whether the account exists."""
    from django.conf import settings

    minutes = round(settings.AXES_COOLOFF_TIME * 60)
    return told(
        request,
        429,
        _("too many attempts to log in with this address"),
        _("Wait %(minutes)s minutes, or ask an owner for a one-time link.") % {"minutes": minutes},
    )


def failed(request: HttpRequest) -> HttpResponse:
    """Our own fault. Rendered without the frame, which may be what is broken; for htmx a toast."""
    words = {
        "title": _title(500),
        "message": _("Something went wrong on our side."),
        "hint": _("Try again. If it stays, run “rapport doctor” on the server and look at the log."),
    }
    if request.headers.get("HX-Request"):
        response = HttpResponse(render_to_string("components/error_toast.html", words), status=500)
        response.headers["HX-Retarget"] = "#toasts"
        response.headers["HX-Reswap"] = "beforeend"
        return response
    return HttpResponse(render_to_string("components/error_bare.html", words), status=500)


def _title(status: int) -> str:
    return {
        400: _("Not understood"),
        403: _("Not for your role"),
        404: _("Not found"),
        409: _("Something else happened first"),
        429: _("Wait a little"),
        503: _("Not now"),
    }.get(status, _("Something went wrong"))
