"""What every response passes: the reader's language and zone, and the headers that keep pages safe."""

from __future__ import annotations

import zoneinfo
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation

Handler = Callable[[HttpRequest], HttpResponseBase]

# No inline script or style anywhere: what somebody wrote in a post can never run in a reader's page.
POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)


def security_headers(get_response: Handler) -> Handler:
    """Content Security Policy (W3C, level 3) and the permissions that no page of ours needs."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", POLICY)
        response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
        # A page shows people: no cache between us and the reader may keep it.
        response.headers.setdefault("Cache-Control", "private, no-cache")
        return response

    return handle


def reader(get_response: Handler) -> Handler:
    """Speak the language and tell the time of the one who reads."""

    def handle(request: HttpRequest) -> HttpResponseBase:
        staff = request.user  # whoever asked: at the end of a log-out it is somebody else
        if not staff.is_authenticated:
            return get_response(request)
        with translation.override(staff.language), timezone.override(_zone(staff.timezone)):
            request.LANGUAGE_CODE = staff.language
            response = get_response(request)
            response.headers.setdefault("Content-Language", staff.language)
            return response

    return handle


def _zone(name: str) -> zoneinfo.ZoneInfo:
    try:
        return zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):  # a zone that newer tables no longer name
        return zoneinfo.ZoneInfo("UTC")
