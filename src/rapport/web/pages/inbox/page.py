"""The inbox: what waits, one conversation at a time, who they are, and an answer that may leave."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import path
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.conversations import selectors, services
from rapport.conversations.selectors import listing
from rapport.kit.errors import NotFound
from rapport.onsite.chat import services as chatting
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.layout import Action, Entry
from rapport.web.pages.inbox import acting, beside, checking, framing, managing, shown

entries = [
    Entry(
        "inbox",
        gettext_lazy("Inbox"),
        "inbox",
        "talk",
        11,
        Right.SEE_INBOX,
        also=("inbox_one", "inbox_manage"),
    )
]
actions = [
    Action("inbox", gettext_lazy("Search everything that was said"), Right.SEE_INBOX, "#find"),
    Action("inbox_manage", gettext_lazy("Write a ready answer"), Right.MANAGE_INBOX, "#canned"),
]

SHOWN_MAX = 200  # lines that a list which refreshes itself asks for again


@needs(Right.SEE_INBOX)
def inbox(request: HttpRequest) -> HttpResponseBase:
    """The list of a view, or what a search found; `part=rows` gives the lines that follow."""
    view = request.GET.get("view", "") or shown.MAIN
    context = framing.frame(request, view)
    if request.GET.get("part") == "rows":
        template = "found_rows.html" if context["found"] is not None else "rows.html"
        return render(request, f"pages/inbox/{template}", context)
    return render(request, "pages/inbox/page.html", context | {"open": None})


@needs(Right.SEE_INBOX)
def one(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """One conversation beside the list; for htmx its pane alone."""
    assert request.user.is_authenticated
    view = request.GET.get("view", "") or shown.MAIN
    sought = request.GET.get("message", "")
    it = shown.opened(
        request,
        number,
        view,
        before=request.GET.get("before", ""),
        sought=int(sought) if sought.isdecimal() and len(sought) < 19 else 0,
    )
    if request.GET.get("part") == "older":
        return render(request, "pages/inbox/older.html", {"it": it, "view": view})
    services.seen_mentions(number, by=request.user.pk)
    context: dict[str, Any] = {"it": it, "open": it, "view": view, "list_url": shown.address(view)}
    if request.GET.get("beside"):
        context |= {"beside": True} | beside.context(request, it.head, view)
    if getattr(request, "htmx", False):
        return render(request, "pages/inbox/pane.html", context)
    return render(request, "pages/inbox/page.html", framing.frame(request, view, number) | context)


@needs(Right.SEE_INBOX)
def aside(request: HttpRequest, number: uuid.UUID) -> HttpResponseBase:
    """Who they are and what could be answered, worked out while the conversation is already read."""
    view = request.GET.get("view", "") or shown.MAIN
    return render(
        request, "pages/inbox/beside.html", beside.context(request, selectors.conversation(number), view)
    )


@needs(Right.SEE_INBOX)
@require_POST
def live(request: HttpRequest) -> HttpResponseBase:
    """What moved since a token: nothing (204), or the parts of the page that are to be put in anew."""
    assert request.user.is_authenticated
    me = request.user.pk
    asked = request.POST
    since = _number(asked.get("since"))
    number = _uuid(asked.get("id", ""))
    can_answer = may(request, Right.ANSWER)
    if can_answer:
        chatting.note_present(me)
    if number is not None and asked.get("seen"):
        services.seen_mentions(number, by=me)  # in a note that came in before their eyes
    news: dict[str, Any] = {}
    if number is not None:
        news |= _watching(
            request, number, asked.get("watched", ""), writes=bool(asked.get("writing")) and can_answer
        )
    moved = selectors.changes(since)
    if moved.token == since:
        return JsonResponse(news | {"token": str(since)}) if news else HttpResponse(status=204)
    view = asked.get("view", "") or shown.MAIN
    context = _anew(request, view, number, min(SHOWN_MAX, max(_number(asked.get("n")), listing.PAGE)))
    news |= {
        "token": str(moved.token),
        "views": render_to_string("pages/inbox/views.html", context, request),
        "rows": render_to_string("pages/inbox/list.html", context, request),
    }
    if number is not None and (moved.is_all or number in moved.ids):
        try:
            it = shown.opened(request, number, view, down_to=_number(asked.get("first")))
        except NotFound:
            return JsonResponse(news)
        whole = context | {"it": it}
        news |= {
            "thread": render_to_string("pages/inbox/thread.html", whole, request),
            "head": render_to_string("pages/inbox/head.html", whole, request),
            "recoveries": render_to_string("pages/inbox/recoveries.html", whole, request),
            "last": str(it.last_id),
            "version": str(it.head.version),
        }
    return JsonResponse(news)


def _anew(request: HttpRequest, view: str, number: uuid.UUID | None, n: int) -> dict[str, Any]:
    assert request.user.is_authenticated
    page = selectors.page(view, request.user.pk, limit=n)
    return {
        "view": view,
        "views": shown.views(request.user.pk, view),
        "rows": shown.lines(page.rows, view, number),
        "more_url": shown.address(view, before=page.next) if page.next else "",
        "nothing": shown.nothing(view),
        "before": "",
    }


def _watching(request: HttpRequest, number: uuid.UUID, known: str, *, writes: bool) -> dict[str, Any]:
    assert request.user.is_authenticated
    try:
        services.watch(number, by=request.user.pk, writes=writes)
    except NotFound:
        return {}
    watchers = selectors.watching(number, but=request.user.pk)
    watched = shown.signature(watchers)
    if watched == known:
        return {}
    return {"watched": watched, "watching": shown.watching(watchers, shown.names())}


@needs(Right.ANSWER)
def canned(request: HttpRequest) -> HttpResponseBase:
    """The ready answers in a language, with the names in one conversation, for whoever types a slash."""
    assert request.user.is_authenticated
    language, me = request.GET.get("language", ""), request.user.pk
    number = _uuid(request.GET.get("id", ""))
    name = selectors.conversation(number).author_name if number else ""
    return JsonResponse(
        {
            "answers": [
                {
                    "short": row.short,
                    "title": row.title,
                    "text": services.ready_text(row.text(language), name, me),
                }
                for row in selectors.canned(limit=500)
            ]
        }
    )


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 19 else 0


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None


urlpatterns = [
    path("inbox/", inbox, name="inbox"),
    path("inbox/live/", live, name="inbox_live"),
    path("inbox/ready-answers/", canned, name="inbox_canned"),
    *managing.urlpatterns,
    path("inbox/<uuid:number>/", one, name="inbox_one"),
    path("inbox/<uuid:number>/beside/", aside, name="inbox_beside"),
    path("inbox/<uuid:number>/do/", acting.act, name="inbox_act"),
    path("inbox/<uuid:number>/draft/", acting.draft, name="inbox_draft"),
    path("inbox/<uuid:number>/check/", checking.check, name="inbox_check"),
]
