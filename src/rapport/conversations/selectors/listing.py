"""Pages of conversations by a view, how many there are (up to 99), and what moved since a token.

Nothing here counts everything: a page is found by its keys through one index, and so takes as long among a
hundred thousand conversations as among a hundred.
"""

from __future__ import annotations

import datetime as dt
import heapq
import uuid
from collections.abc import Callable
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from rapport.conversations.models import Approval, Change, Conversation, Mention, PlaybookStep, View
from rapport.conversations.rules import views
from rapport.conversations.rules.views import Wanted
from rapport.conversations.selectors.rows import Changes, Page, Row, ViewRow
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound

PAGE = 50
PAGE_MAX = 200
MOVED_MAX = 200
SAVED = "v"  # begins the key of a saved view

_ROW = tuple(name for name in Row.__dataclass_fields__)
_COLUMN = {"priority": "priority", "last": "last_ts", "waiting": "waiting_since"}


def page(view: str | Wanted, staff: int, before: str = "", limit: int = PAGE) -> Page:
    """Some conversations of a view, in its order; `before` is the `next` of the page before.

    Raises NotFound where nothing is called so, Invalid for a token that is none of ours.
    """
    wanted = view if isinstance(view, Wanted) else view_of(view, staff)
    limit = max(1, min(limit, PAGE_MAX))
    after = _token(before, wanted.order) if before else None
    streams = [_keys(wanted, state, staff, after, limit + 1) for state in dict.fromkeys(wanted.states)]
    merged = list(heapq.merge(*streams, key=lambda k: _place(wanted.order, k)))[: limit + 1]
    rows = {
        row["id"]: Row(**row)
        for row in Conversation.objects.filter(id__in=[k[1] for k in merged]).values(*_ROW)
    }
    shown = merged[:limit]
    more = len(merged) > limit
    return Page(
        tuple(rows[number] for _value, number in shown if number in rows),
        _text(wanted.order, shown[-1]) if more else "",
    )


def counts(staff: int) -> dict[str, int]:
    """By view the number of conversations in it, at most one more than `views.COUNTED_MAX`."""
    most = views.COUNTED_MAX + 1
    found = {}
    for row in views_of(staff):
        n = 0
        for state in row.wanted.states:
            n += _among(row.wanted, state, staff).values("id")[: most - n].count()
            if n >= most:
                break
        found[row.key] = n
    return found


def views_of(staff: int) -> list[ViewRow]:
    """The views that everybody has, then what is saved: shared ones and one's own."""
    starting = [ViewRow(key, "", wanted, True, False) for key, wanted in views.STARTING]
    saved = View.objects.filter(Q(owner=None) | Q(owner=staff)).order_by("position", "id")
    return starting + [
        ViewRow(f"{SAVED}{v.id}", v.name, views.wanted(v.wanted), v.owner is None, v.owner == staff)
        for v in saved
    ]


def view_of(key: str, staff: int) -> Wanted:
    """What a view wants. Raises NotFound."""
    starting = dict(views.STARTING)
    if key in starting:
        return starting[key]
    number = key.removeprefix(SAVED)
    if key.startswith(SAVED) and number.isascii() and number.isdigit():
        found = View.objects.filter(Q(owner=None) | Q(owner=staff), pk=int(number)).first()
        if found is not None:
            return views.wanted(found.wanted)
    raise NotFound(_("there is no view %(name)s") % {"name": key}, _("Choose one from the list of views."))


def changes(since: int, limit: int = MOVED_MAX) -> Changes:
    """What moved after a token; a token from the future (of another store) asks for everything."""
    now = Change.objects.filter(pk=1).values_list("no", flat=True).first() or 0
    if since == now:
        return Changes(now, (), is_all=False)
    if since > now or since <= 0:
        return Changes(now, (), is_all=True)
    moved = Conversation.objects.filter(changed_no__gt=since, changed_no__lte=now).order_by("changed_no")
    ids = tuple(moved.values_list("id", flat=True)[: limit + 1])
    return Changes(now, ids[:limit], is_all=len(ids) > limit)


def _keys(
    wanted: Wanted, state: str, staff: int, after: tuple[Any, uuid.UUID] | None, limit: int
) -> list[tuple[Any, uuid.UUID]]:
    column = _COLUMN[wanted.order]
    found = _among(wanted, state, staff)
    if wanted.order == "waiting":
        found = found.exclude(waiting_since=None)
        if after is not None:
            value, number = after
            found = found.filter(waiting_since__gte=value).filter(
                Q(waiting_since__gt=value) | Q(id__gt=number)
            )
        found = found.order_by("waiting_since", "id")
    else:
        if after is not None:
            value, number = after
            # The plain bound begins the walk at the right place of the index; the other drops equals.
            found = found.filter(**{f"{column}__lte": value}).filter(
                Q(**{f"{column}__lt": value}) | Q(id__lt=number)
            )
        found = found.order_by(f"-{column}", "-id")
    return list(found.values_list(column, "id")[:limit])


def _among(wanted: Wanted, state: str, staff: int) -> QuerySet[Conversation]:
    found = Conversation.objects.filter(state=state)
    if wanted.assignee == views.ME:
        found = found.filter(assignee=staff)
    elif wanted.assignee == views.NOBODY:
        found = found.filter(assignee=None)
    elif wanted.assignee:
        found = found.filter(assignee=int(wanted.assignee))
    for name in ("team", "channel", "network", "source", "language", "sentiment", "intent"):
        if value := getattr(wanted, name):
            found = found.filter(**{name: value})
    if wanted.is_public is not None:
        found = found.filter(is_public=wanted.is_public)
    if wanted.is_overdue is not None:
        found = found.filter(is_overdue=wanted.is_overdue)
    if wanted.urgency_min:
        found = found.filter(urgency__gte=wanted.urgency_min)
    if wanted.mentions_me:
        mine = Mention.objects.filter(staff=staff, seen_at=None)
        found = found.filter(id__in=mine.values("conversation"))
    if wanted.needs_approval:
        asked = Approval.objects.filter(state=Approval.State.ASKED)
        found = found.filter(id__in=asked.values("conversation"))
    if wanted.playbook_due:
        due = PlaybookStep.objects.filter(done_at=None, due_at__lt=clock.now(), playbook__state="running")
        found = found.filter(id__in=due.values("playbook__conversation"))
    return found


def _place(order: str, key: tuple[Any, uuid.UUID]) -> Any:
    value, number = key
    if order == "waiting":
        return value, number.int
    return (-value if order == "priority" else -value.timestamp()), -number.int


def _text(order: str, key: tuple[Any, uuid.UUID]) -> str:
    value, number = key
    return f"{repr(value) if order == 'priority' else clock.to_us(value)}_{number.hex}"


def _token(text: str, order: str) -> tuple[Any, uuid.UUID]:
    value, _bar, number = text.partition("_")
    read: Callable[[str], float | dt.datetime] = (
        float if order == "priority" else lambda t: clock.from_us(int(t))
    )
    try:
        return read(value), uuid.UUID(number)
    except (ValueError, OverflowError):
        raise Invalid(
            _("%(text)s leads to no page") % {"text": text[:60]}, _("Begin at the first page.")
        ) from None
