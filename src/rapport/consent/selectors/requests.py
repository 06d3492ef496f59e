"""Questions about requests: which are open and how long there is, what became of the others."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.db.models import Q

from rapport.consent.models import Erasure, SubjectRequest
from rapport.consent.rules import asking
from rapport.events import erased
from rapport.kit import clock
from rapport.kit.errors import NotFound

PAGE = 50


@dataclass(frozen=True, slots=True)
class RequestView:
    """One request as a screen shows it."""

    id: uuid.UUID
    kind: str
    subject: int | None
    identifier: str  # empty once they were erased
    note: str
    opened_at: dt.datetime
    opened_by: str
    due_at: dt.datetime
    state: str
    answer: str
    closed_at: dt.datetime | None
    closed_by: str
    erasure: uuid.UUID | None
    days_left: int

    @property
    def is_open(self) -> bool:
        return self.state in (asking.OPEN, asking.RUNNING)

    @property
    def is_overdue(self) -> bool:
        return self.is_open and self.days_left < 0

    @property
    def is_soon(self) -> bool:
        return self.is_open and 0 <= self.days_left <= asking.SOON_DAYS


@dataclass(frozen=True, slots=True)
class Due:
    """How many requests wait, and for how many of them it is late or nearly so."""

    n_open: int
    n_soon: int
    n_overdue: int
    next_at: dt.datetime | None


def view(row: SubjectRequest) -> RequestView:
    return RequestView(
        id=row.id,
        kind=row.kind,
        subject=row.subject,
        identifier=row.identifier,
        note=row.note,
        opened_at=row.opened_at,
        opened_by=row.opened_by,
        due_at=row.due_at,
        state=row.state,
        answer=row.answer,
        closed_at=row.closed_at,
        closed_by=row.closed_by,
        erasure=row.erasure,
        days_left=asking.days_left(row.due_at, clock.now()),
    )


def request(request_id: uuid.UUID) -> RequestView:
    """One request, or NotFound."""
    row = SubjectRequest.objects.filter(id=request_id).first()
    if row is None:
        raise NotFound(f"there is no request {request_id}", "Reload the list of requests.")
    return view(row)


def open_requests(limit: int = 200) -> list[RequestView]:
    """What waits for an answer, the one that is due first at the top."""
    rows = SubjectRequest.objects.filter(state__in=(asking.OPEN, asking.RUNNING)).order_by("due_at", "id")
    return [view(row) for row in rows[:limit]]


def closed_requests(
    *, before: tuple[dt.datetime, uuid.UUID] | None = None, limit: int = PAGE
) -> list[RequestView]:
    """What was answered, newest first; `before` is (closed_at, id) of the last one shown."""
    rows = SubjectRequest.objects.filter(state__in=(asking.DONE, asking.REFUSED))
    if before:
        rows = rows.filter(Q(closed_at__lt=before[0]) | Q(closed_at=before[0], id__lt=before[1]))
    return [view(row) for row in rows.order_by("-closed_at", "-id")[:limit]]


def requests_of(subjects: list[int]) -> list[RequestView]:
    """What one person asked, newest first."""
    rows = SubjectRequest.objects.filter(subject__in=subjects).order_by("-opened_at", "-id")
    return [view(row) for row in rows]


def due() -> Due:
    """How the open requests stand, for Home and the health page."""
    rows = SubjectRequest.objects.filter(state__in=(asking.OPEN, asking.RUNNING))
    now = clock.now()
    soon = now + dt.timedelta(days=asking.SOON_DAYS)
    return Due(
        n_open=rows.count(),
        n_soon=rows.filter(due_at__gte=now, due_at__lte=soon).count(),
        n_overdue=rows.filter(due_at__lt=now).count(),
        next_at=rows.order_by("due_at").values_list("due_at", flat=True).first(),
    )


def erasure_row(erasure_id: uuid.UUID) -> Erasure:
    """One erasure's row, or NotFound."""
    row = Erasure.objects.filter(id=erasure_id).first()
    if row is None:
        raise NotFound(f"there is no erasure {erasure_id}", "Reload the list of requests.")
    return row


def erasures(limit: int = PAGE) -> list[Erasure]:
    """What was erased, newest first; those that stopped on the way are among them."""
    return list(Erasure.objects.order_by("-begun_at", "-id")[:limit])


def is_erased(identifier: str) -> bool:
    """Whether this identifier was erased, and nobody has come again under it since."""
    return erased.is_erased(identifier)


def n_to_replay() -> int:
    """Erasures that a restored backup undid; `rapport people erase --replay` does them again."""
    return len(erased.unknown_here())
