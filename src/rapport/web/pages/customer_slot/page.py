"""What the visitor script shows somebody in a place on the firm's own site: so far, their first name."""

from __future__ import annotations

import json

from django.http import HttpRequest, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from rapport.events.collector import door
from rapport.onsite import selectors as onsite
from rapport.web.access import public

BODY_BYTES_MAX = 2_000


@csrf_exempt  # it changes nothing, and reads no cookie
@public
@require_POST
def slot(request: HttpRequest) -> HttpResponseBase:
    """`{key, slot, id, lang}` in, `{text}` out; the text is empty where nobody may be greeted by name.

    A POST, so that the browser's number stands in no server's log of addresses: whoever had it could ask
    for a first name with it.
    """
    try:
        asked = json.loads(request.body[:BODY_BYTES_MAX])
        key, name, anonymous, language = (str(asked.get(k) or "") for k in ("key", "slot", "id", "lang"))
    except (ValueError, AttributeError):
        return JsonResponse({"error": "this is no request of the visitor script"}, status=400)
    origin = request.headers.get("Origin", "")
    origins = onsite.origins_of(key)
    if origins is None or not origin or not door.is_allowed(origin, list(origins), request.get_host()):
        return JsonResponse({"error": "this page is none of the site's"}, status=403)
    answer = JsonResponse({"text": onsite.greeting(key, name, anonymous, language)})
    answer["Access-Control-Allow-Origin"] = origin
    answer["Vary"] = "Origin"
    answer["Cache-Control"] = "no-store"
    return answer


urlpatterns = [path("c/slot", slot, name="customer_slot")]
