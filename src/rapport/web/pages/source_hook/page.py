"""Where networks call us, and find us: the request goes to its source's connector, which checks the signature."""

from __future__ import annotations

import logging
import math

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from rapport.kit.errors import Conflict, Denied, Invalid, NotFound
from rapport.listening import services as listening
from rapport.listening.contract import Failed, Hook
from rapport.web.access import public

log = logging.getLogger(__name__)

RETRY_S = 300.0
BODY_BYTES_MAX = 1_000_000  # several times what the largest of the networks sends at once


@csrf_exempt  # a network has no session; its signature is checked instead
@public
@require_http_methods(["GET", "POST"])  # with GET some networks ask whether the address is ours
def hook(request: HttpRequest, name: str, place: str = "") -> HttpResponseBase:
    """What a network sends for one of our sources, or asks of it.

    Whether there is such a source, and what was wrong with a signature, is not told to whoever guesses.
    """
    declared = request.headers.get("Content-Length", "0")
    if not declared.isdigit() or int(declared) > BODY_BYTES_MAX:
        return _plain("too large", 413)
    try:
        body = request.body
    except RequestDataTooBig:
        return _plain("too large", 413)
    headers = {key.lower(): value for key, value in request.headers.items()}
    try:
        got = listening.receive(name, Hook(request.method or "", request.GET.dict(), headers, body, place))
    except (NotFound, Conflict):
        return _plain("not found", 404)
    except Denied as error:
        log.warning("a call for %s was refused: %s", name, error.message)
        return _plain("refused", 403)
    except Invalid as error:
        log.warning("a call for %s was not understood: %s", name, error.message)
        return _plain("not understood", 400)
    except Failed as error:
        # It was neither taken nor refused: whoever called sends it again.
        log.warning("a call for %s has to come again: %s", name, error.message)
        later = _plain("try again later", 503)
        later["Retry-After"] = str(math.ceil(min(error.retry_after_s or RETRY_S, RETRY_S)))
        return later
    answer = HttpResponse(
        got.body, status=got.status, content_type=got.content_type, headers=dict(got.headers)
    )
    answer["Cache-Control"] = "no-store"
    return answer


@public
@require_GET
def webfinger(request: HttpRequest) -> HttpResponseBase:
    """Who an account of ours is, for other servers (RFC 7033)."""
    resource = request.GET.get("resource", "")
    if not resource:
        return _plain("which resource?", 400)
    found = listening.finger(resource)
    if found is None:
        return _plain("not found", 404)
    answer = JsonResponse(found, content_type="application/jrd+json")
    answer["Access-Control-Allow-Origin"] = "*"  # RFC 7033, 5: browsers may ask as well
    return answer


def _plain(text: str, status: int) -> HttpResponse:
    return HttpResponse(text, status=status, content_type="text/plain")


urlpatterns = [
    path("hooks/<slug:name>/", hook, name="source_hook"),
    path("hooks/<slug:name>/<path:place>", hook, name="source_place"),
    path(".well-known/webfinger", webfinger, name="webfinger"),
]
