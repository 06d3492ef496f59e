"""The doors of the chat on the firm's own site: its script, its settings, and what both sides say.

Like the visitor script's, they read no cookie and set none. Whose chat it is, is said by a secret that stands
in the body of a POST, so that it stands in no server's log of addresses.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

from rapport.events.collector import door
from rapport.kit.errors import RapportError, Unavailable
from rapport.onsite.chat import rules, script, selectors, services
from rapport.staff import selectors as staff
from rapport.web.access import public
from rapport.web.errors import status_of

BODY_BYTES_MAX = 40_000  # the longest line, if every sign of it takes many bytes

saying = door.Limit(burst=20, refill_per_s=0.5)  # one office behind one address
hearing = door.Limit(burst=240, refill_per_s=10)

Answer = dict[str, Any]


@public
@require_GET
def served(request: HttpRequest) -> HttpResponseBase:
    """The script; it is the same for everybody, and says by its tag whether it changed."""
    found = script.current()
    tag = found.tag.decode()
    if request.headers.get("If-None-Match", "") == tag:
        answer = HttpResponse(status=304)
    else:
        is_packed = "gzip" in request.headers.get("Accept-Encoding", "")
        answer = HttpResponse(found.packed if is_packed else found.plain, content_type="text/javascript")
        if is_packed:
            answer["Content-Encoding"] = "gzip"
    answer["ETag"] = tag
    answer["Vary"] = "Accept-Encoding"
    answer["Cache-Control"] = "public, max-age=3600"
    answer["Cross-Origin-Resource-Policy"] = "cross-origin"  # it is there to stand in other pages
    return answer


@public
@require_GET
def config(request: HttpRequest) -> HttpResponseBase:
    """What the window says and whether somebody is there; nothing of the visitor is asked for or kept."""

    def told(desk: selectors.DeskView) -> Answer:
        language = rules.language_of(request.GET.get("lang", ""), "en")
        firm = staff.organisation()
        name = firm.name if firm else ""
        words = rules.words(language, desk.greeting, name)
        return {"lang": language, "words": words, "firm": name, **_standing(desk)}

    return _answered(request, request.GET.get("key", ""), hearing, told)


@csrf_exempt  # it reads no cookie
@public
@require_POST
def say(request: HttpRequest) -> HttpResponseBase:
    """`{key, token, id, text, lang, page, visitor}` in; `{at, ...}` out once the line is kept for good."""

    def told(desk: selectors.DeskView, asked: Callable[[str], str]) -> Answer:
        is_private = request.headers.get("Sec-GPC") == "1" or request.headers.get("DNT") == "1"
        line = services.say(
            desk,
            asked("token"),
            asked("id"),
            asked("text"),
            language=rules.language_of(asked("lang"), "en"),
            page=asked("page"),
            visitor="" if is_private else asked("visitor"),
        )
        return {"at": line.said_at.isoformat(), **_standing(desk)}

    return _posted(request, saying, told)


@csrf_exempt  # it reads no cookie
@public
@require_POST
def hear(request: HttpRequest) -> HttpResponseBase:
    """`{key, token, after}` in, the lines after that one out."""

    def told(desk: selectors.DeskView, asked: Callable[[str], str]) -> Answer:
        after = asked("after")
        lines = services.hear(asked("token"), int(after) if after.isdecimal() and len(after) < 19 else 0)
        shown = [
            {
                "id": one.id,
                "ours": one.is_ours,
                "text": one.text,
                "at": one.said_at.isoformat(),
                "key": one.key,
            }
            for one in lines
        ]
        return {"lines": shown, **_standing(desk)}

    return _posted(request, hearing, told)


@csrf_exempt  # it reads no cookie
@public
@require_POST
def mail(request: HttpRequest) -> HttpResponseBase:
    """`{key, token, mail}` in: where to answer once the window is closed."""
    return _posted(
        request, saying, lambda _desk, asked: {"mail": services.leave_mail(asked("token"), asked("mail"))}
    )


def _standing(desk: selectors.DeskView) -> Answer:
    found = selectors.standing(desk)
    return {"state": found.state, "by": found.answered_by.isoformat()}


def _posted(
    request: HttpRequest,
    limit: door.Limit,
    told: Callable[[selectors.DeskView, Callable[[str], str]], Answer],
) -> HttpResponseBase:
    length = request.headers.get("Content-Length") or "0"
    if not length.isdecimal() or int(length) > BODY_BYTES_MAX:
        return JsonResponse({"error": "this is too long"}, status=413)
    try:
        given = json.loads(request.body)
    except (ValueError, RecursionError):  # the latter of brackets in brackets in brackets
        given = None
    if not isinstance(given, dict):
        return JsonResponse({"error": "this is no request of the chat"}, status=400)

    def asked(name: str) -> str:
        value = given.get(name)
        is_plain = isinstance(value, str | int) and not isinstance(value, bool)
        # Half of a pair of signs is no text that a store holds.
        return str(value).encode("utf-8", "replace").decode() if is_plain else ""

    return _answered(request, asked("key"), limit, lambda desk: told(desk, asked))


def _answered(
    request: HttpRequest, key: str, limit: door.Limit, told: Callable[[selectors.DeskView], Answer]
) -> HttpResponseBase:
    origin = request.headers.get("Origin", "")
    found = selectors.desk_of_key(key.replace("\0", ""))
    host = request.get_host()
    # A page of our own host asks for the settings without saying where it is.
    is_here = not origin and request.headers.get("Sec-Fetch-Site", "") == "same-origin"
    if found is None or not (is_here or (origin and door.is_allowed(origin, list(found[1]), host))):
        return JsonResponse({"error": "there is no chat for this page"}, status=403)
    network = door.network_of(request.META.get("REMOTE_ADDR", ""), request.headers.get("X-Forwarded-For", ""))
    wait_s = limit.wait_s(network, key)
    if wait_s:
        answer = JsonResponse({"error": "too many requests at once"}, status=429)
        answer["Retry-After"] = str(max(1, round(wait_s)))
    else:
        answer = _or_wrong(lambda: told(found[0]))
    if origin:
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Expose-Headers"] = "Retry-After"
    answer["Vary"] = "Origin"
    answer["Cache-Control"] = "no-store"
    return answer


def _or_wrong(told: Callable[[], Answer]) -> JsonResponse:
    try:
        return JsonResponse(told())
    except RapportError as error:
        answer = JsonResponse({"error": error.message, "hint": error.hint}, status=status_of(error))
        if isinstance(error, Unavailable):
            answer["Retry-After"] = str(max(1, round(error.retry_after_s)))
        return answer


urlpatterns = [
    path("chat.js", served, name="customer_chat_script"),
    path("chat/config", config, name="customer_chat_config"),
    path("chat/say", say, name="customer_chat_say"),
    path("chat/hear", hear, name="customer_chat_hear"),
    path("chat/mail", mail, name="customer_chat_mail"),
]
