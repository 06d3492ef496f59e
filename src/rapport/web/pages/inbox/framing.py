"""What stands around a conversation: views, the list or what a search found, and from when on news are wanted."""

from __future__ import annotations

import uuid
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import urlencode

from rapport.conversations import selectors
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web.access import may
from rapport.web.components import inboxing
from rapport.web.pages.inbox import shown

WHO_MAX = 5  # people whose conversations a search gives beside the messages that hold its words
THEIRS_MAX = 10


def frame(request: HttpRequest, view: str, here: uuid.UUID | None = None) -> dict[str, Any]:
    """What stands around a conversation: views, list or finds, and from when on news are wanted."""
    assert request.user.is_authenticated
    q = request.GET.get("q", "").replace("\0", " ").strip()
    token = selectors.changes(0).token
    context: dict[str, Any] = {
        "view": view,
        "views": shown.views(request.user.pk, "" if q else view),
        "token": token,
        "q": q,
        "found": None,
        "rows": [],
        "before": request.GET.get("before", "") if here is None else "",
        "nothing": shown.nothing(view),
        "list_url": shown.address(view),
    }
    if q:
        return context | _found(request, q, view)
    page = selectors.page(view, request.user.pk, context["before"])
    more = shown.address(view, before=page.next) if page.next else ""
    return context | {"rows": shown.lines(page.rows, view, here), "more_url": more}


def _found(request: HttpRequest, q: str, view: str) -> dict[str, Any]:
    try:
        page = selectors.search(q, request.GET.get("before", ""))
    except Invalid:
        return {"found": [], "more_url": "", "rows": []}
    found = [
        {
            "row": row,
            "url": shown.address(view, row.conversation, message=row.message),
            "who": shown.who(row.author_name, ""),
            "place": inboxing.place(row.channel, "", ""),
            "state_said": "" if row.state == "open" else inboxing.state(row.state),
        }
        for row in page.rows
    ]
    more = f"{reverse('inbox')}?{urlencode({'q': q, 'before': page.next})}" if page.next else ""
    return {
        "found": found,
        "more_url": more,
        "rows": [] if request.GET.get("before") else _theirs(request, q, view),
    }


def _theirs(request: HttpRequest, q: str, view: str) -> list[shown.RowShown]:
    """Conversations of whoever is called so, by name, address or handle."""
    if not may(request, Right.SEE_PEOPLE):
        return []
    subjects = [
        subject for match in people.search(q, WHO_MAX) for subject in people.subjects_of(match.person.id)
    ]
    return shown.lines(selectors.of_subjects(subjects, THEIRS_MAX), view, None) if subjects else []
