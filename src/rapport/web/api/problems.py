"""What went wrong, as JSON: the same sentences as on screen, and the status from the same table."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from rapport.kit import errors
from rapport.web.api.shapes import Problem
from rapport.web.errors import NotLoggedIn, sentence, status_of

FAILURES = frozenset({400, 401, 403, 404, 409, 429, 503})


def described(success: Any, status: int = 200) -> dict[Any, Any]:
    """The answers of an endpoint: its own, and those that every one may give."""
    return {status: success, FAILURES: Problem}


def told(error: errors.RapportError, fields: list[str] | None = None) -> HttpResponse:
    """A domain's error."""
    status = status_of(error)
    body = {"message": sentence(error.message), "hint": sentence(error.hint), "fields": fields or []}
    response = JsonResponse(body, status=status)
    if isinstance(error, errors.Unavailable):
        response.headers["Retry-After"] = str(max(1, round(error.retry_after_s)))
    if status == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response


def install(api: NinjaAPI) -> None:
    """Have everything that can go wrong said in this one way."""

    @api.exception_handler(errors.RapportError)
    def domain(_request: HttpRequest, error: errors.RapportError) -> HttpResponse:
        return told(error)

    @api.exception_handler(ValidationError)
    def shape(_request: HttpRequest, error: ValidationError) -> HttpResponse:
        first: dict[str, Any] = error.errors[0] if error.errors else {}
        place = [str(part) for part in first.get("loc", ())]
        message = (
            f"the value of {'.'.join(place[1:]) or 'the request'} cannot be used: {first.get('msg', '')}"
        )
        return told(errors.Invalid(message, _("/api/docs says what goes where.")), place)

    @api.exception_handler(AuthenticationError)
    def nobody(_request: HttpRequest, _error: AuthenticationError) -> HttpResponse:
        return told(
            NotLoggedIn(
                _("there is no token with this request"), _("Send it as “Authorization: Bearer TOKEN”.")
            )
        )

    @api.exception_handler(HttpError)
    def plain(_request: HttpRequest, error: HttpError) -> HttpResponse:
        # Ninja's own: a body that is no JSON.
        return told(errors.Invalid(str(error), _("Send one JSON object, encoded in UTF-8.")))

    @api.exception_handler(Http404)
    def nothing(request: HttpRequest, _error: Http404) -> HttpResponse:
        return nothing_here(request)


def nothing_here(request: HttpRequest, **_path: Any) -> HttpResponse:
    """No endpoint has this address."""
    return told(
        errors.NotFound(
            _("there is nothing at %(path)s") % {"path": request.path}, _("/api/docs lists what there is.")
        )
    )
