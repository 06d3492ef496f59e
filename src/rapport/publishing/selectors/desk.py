"""Questions of a live desk: which broadcasts there are, what is asked, what is new since one looked."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import QuerySet

from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.messaging import selectors as deliveries
from rapport.publishing.models import Broadcast, Bunch, Comment

PAGE = 50
CHANGED_MAX = 200
VOICES = 5
PRICE_FRESH = dt.timedelta(hours=24)
SHOWS = ("questions", "all", "answered", "hidden")


@dataclass(frozen=True, slots=True)
class BroadcastView:
    """Something that runs live, ran or is to."""

    id: uuid.UUID
    title: str
    sources: tuple[str, ...]
    joins: tuple[str, ...]
    starts_at: dt.datetime
    ends_at: dt.datetime
    product: str
    price_minor: int | None
    currency: str
    url: str
    pinned_at: dt.datetime | None
    token: int
    n_comments: int

    @property
    def state(self) -> str:
        now = clock.now()
        if now < self.starts_at:
            return "planned"
        return "live" if now < self.ends_at else "over"

    @property
    def is_price_stale(self) -> bool:
        """Whether the price was looked at longer than a day ago."""
        return (
            self.price_minor is not None
            and self.pinned_at is not None
            and clock.now() - self.pinned_at > PRICE_FRESH
        )


@dataclass(frozen=True, slots=True)
class BunchView:
    """Comments that say the same, as the desk shows them."""

    id: int
    text: str
    language: str
    is_question: bool
    is_pinned: bool
    state: str
    n: int
    n_since: int
    n_answered: int
    first_at: dt.datetime
    answer: str
    is_each: bool
    answered_by: str
    answered_at: dt.datetime | None
    withheld: str
    author_name: str
    network: str
    url: str
    n_left: int = 0  # answers that have left
    trouble: str = ""  # why one did not, in the network's words


@dataclass(frozen=True, slots=True)
class Voice:
    """One of those who said it."""

    author_name: str
    identifier: str
    text: str
    said_at: dt.datetime
    url: str


@dataclass(frozen=True, slots=True)
class News:
    """What changed since a desk looked: how many bunches are new there, and how those it shows stand now."""

    token: int
    n_new: int
    n_comments: int
    changed: tuple[tuple[int, int, str], ...]  # bunch, how many say it, state


def broadcasts(limit: int = 50) -> list[BroadcastView]:
    """Broadcasts, those that begin last first."""
    return [_broadcast(row) for row in Broadcast.objects.order_by("-starts_at")[:limit]]


def broadcast(number: uuid.UUID) -> BroadcastView:
    """One broadcast, or NotFound."""
    row = Broadcast.objects.filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no broadcast {number}", "Load the list again.")
    return _broadcast(row)


def bunches(
    number: uuid.UUID,
    shows: str = "questions",
    *,
    before: int = 0,
    after: int | None = None,
    limit: int = PAGE,
) -> list[BunchView]:
    """What is shown: pinned ones first on the first page, then the newest; `before` and `after` are numbers of bunches.

    Of those after one the next ones are given: whoever goes on from the last of them leaves none out.
    """
    found = _shown(number, shows)
    if after is not None:
        return _views(list(found.filter(id__gt=after).order_by("id")[:limit])[::-1])
    if before:
        return _views(list(found.filter(id__lt=before, is_pinned=False).order_by("-id")[:limit]))
    pinned = list(found.filter(is_pinned=True).order_by("-id")[:limit])
    return _views([*pinned, *found.filter(is_pinned=False).order_by("-id")[:limit]])


def bunch(number: int) -> BunchView:
    """One bunch, or NotFound."""
    row = Bunch.objects.filter(pk=number).first()
    if row is None:
        raise NotFound("these comments were taken back", "They are gone from the desk too.")
    return _views([row])[0]


def voices(number: int, limit: int = VOICES) -> list[Voice]:
    """The first of those who said it."""
    rows = Comment.objects.filter(bunch=number).order_by("id")[:limit]
    return [Voice(c.author_name, c.identifier, c.text, c.said_at, c.url) for c in rows]


def news(number: uuid.UUID, shows: str, *, after: int, since: int) -> News:
    """What changed since token `since`, for a desk whose newest bunch is `after`."""
    live = broadcast(number)
    if live.token == since:
        return News(since, _shown(number, shows).filter(id__gt=after).count(), live.n_comments, ())
    changed = Bunch.objects.filter(broadcast=number, token__gt=since, id__lte=after).order_by("-token")
    return News(
        live.token,
        _shown(number, shows).filter(id__gt=after).count(),
        live.n_comments,
        tuple(changed.values_list("id", "n", "state")[:CHANGED_MAX]),
    )


def _shown(number: uuid.UUID, shows: str) -> QuerySet[Bunch]:
    found = Bunch.objects.filter(broadcast=number)
    open_ones = (Bunch.State.OPEN, Bunch.State.WAITING)
    if shows == "questions":
        return found.filter(state__in=open_ones, is_question=True)
    if shows == "answered":
        return found.filter(state=Bunch.State.ANSWERED)
    if shows == "hidden":
        return found.filter(state=Bunch.State.HIDDEN)
    return found.exclude(state=Bunch.State.HIDDEN)


def _broadcast(row: Broadcast) -> BroadcastView:
    return BroadcastView(
        row.pk, row.title, tuple(row.sources), tuple(row.joins), row.starts_at, row.ends_at, row.product,
        row.price_minor, row.currency, row.url, row.pinned_at, row.token, row.n_comments,
    )  # fmt: skip


def _views(rows: Sequence[Bunch]) -> list[BunchView]:
    first: dict[int, Comment] = {}
    keys: dict[int, list[str]] = {}
    answered = [row.pk for row in rows if row.state == Bunch.State.ANSWERED]
    for row in rows:
        comment = Comment.objects.filter(bunch=row).order_by("id").first()
        if comment is not None:
            first[row.pk] = comment
    for number, seq in Comment.objects.filter(bunch__in=answered, is_answered=True).values_list(
        "bunch", "seq"
    ):
        keys.setdefault(number, []).append(f"live:{number}:{seq}")
    fates = deliveries.deliveries_of([key for found in keys.values() for key in found]) if keys else {}
    return [
        _view(row, first.get(row.pk), [fates[k] for k in keys.get(row.pk, ()) if k in fates]) for row in rows
    ]


def _view(row: Bunch, comment: Comment | None, fates: Sequence[deliveries.DeliveryView]) -> BunchView:
    wrong = [fate.answer or fate.reason for fate in fates if fate.state in ("failed", "withheld", "unknown")]
    return BunchView(
        row.pk, row.text, row.language, row.is_question, row.is_pinned, row.state, row.n, row.n_since, len(fates),
        row.first_at, row.answer, row.is_each, row.answered_by, row.answered_at, row.withheld,
        comment.author_name or comment.identifier.partition(":")[2] if comment else "",
        comment.network if comment else "", comment.url if comment else "",
        sum(fate.state == "sent" for fate in fates), wrong[0] if wrong else "",
    )  # fmt: skip
