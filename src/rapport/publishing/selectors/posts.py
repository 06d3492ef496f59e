"""Questions about posts of our own: what is planned when, what became of it, how it fared."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from django.db.models import Q

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.kit import chances, clock, query
from rapport.kit.errors import NotFound
from rapport.listening.services.album import Kept
from rapport.publishing.models import Post, Posting

PAGE = 200
PURPOSE = "analytics"
FAILED_SHOWN = dt.timedelta(days=7)


@dataclass(frozen=True, slots=True)
class PostingView:
    """One post on one network, and what became of it."""

    source: str
    state: str
    network: str
    post_id: str
    url: str
    answer: str
    text: str
    changed_at: dt.datetime


@dataclass(frozen=True, slots=True)
class PostView:
    """A post of our own."""

    id: uuid.UUID
    text: str
    texts: dict[str, str]
    sources: tuple[str, ...]
    language: str
    campaign: str
    planned_at: dt.datetime | None
    state: str
    author: str
    approver: str
    approved_at: dt.datetime | None
    sent_back: str
    version: int
    changed_at: dt.datetime
    postings: tuple[PostingView, ...] = ()
    pictures: tuple[Kept, ...] = ()

    @property
    def first_words(self) -> str:
        return self.text or next(iter(self.texts.values()), "")

    @property
    def may_go(self) -> bool:
        """Whether it can be deleted."""
        return self.state in ("draft", "withdrawn")

    @property
    def may_change(self) -> bool:
        return self.state in ("draft", "waiting", "approved", "planned", "withdrawn")


@dataclass(frozen=True, slots=True)
class Fared:
    """What came of a post: replies, reactions, and which share of the replies is unhappy or happy."""

    n_replies: int
    n_reactions: int
    n_read: int
    n_negative: int
    n_positive: int

    @property
    def negative(self) -> chances.Estimate | None:
        return chances.share(self.n_negative, self.n_read) if self.n_read else None

    @property
    def positive(self) -> chances.Estimate | None:
        return chances.share(self.n_positive, self.n_read) if self.n_read else None


def calendar(since: dt.datetime, until: dt.datetime) -> list[PostView]:
    """Posts whose time lies within, earliest first."""
    rows = Post.objects.filter(planned_at__gte=since, planned_at__lt=until)
    return _views(list(rows.order_by("planned_at", "id")[:PAGE]))


def without_time(limit: int = 50) -> list[PostView]:
    """Posts that have no time yet, the newest first."""
    rows = Post.objects.filter(planned_at__isnull=True).exclude(state=Post.State.WITHDRAWN)
    return _views(list(rows.order_by("-changed_at", "id")[:limit]))


def pressing(limit: int = 20) -> list[PostView]:
    """Posts that somebody has to look at, whatever their day: those that wait for approval, and of the last week
    those that did not leave everywhere.
    """
    failed = Q(state=Post.State.FAILED, changed_at__gte=clock.now() - FAILED_SHOWN)
    rows = Post.objects.filter(failed | Q(state=Post.State.WAITING))
    return _views(list(rows.order_by("planned_at", "id")[:limit]))


def n_due() -> int:
    """How many approved posts would leave now: while everything is paused, they wait."""
    return Post.objects.filter(state=Post.State.PLANNED, planned_at__lte=clock.now()).count()


def post(number: uuid.UUID) -> PostView:
    """One post, or NotFound."""
    row = Post.objects.filter(pk=number).first()
    if row is None:
        raise NotFound(f"there is no post {number}", "Load the calendar again.")
    return _views([row])[0]


def postings_of(number: uuid.UUID) -> tuple[PostingView, ...]:
    """A post on each of its networks."""
    return post(number).postings


def fared(views: Sequence[PostView]) -> dict[tuple[str, str], Fared]:
    """By network and post: what came of those that were published; nothing of one of which nothing was heard."""
    ours = {(p.network, p.post_id): view for view in views for p in view.postings if p.post_id}
    if not ours:
        return {}
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "refused", consent.refused_subjects(PURPOSE))
            lake.give(
                con,
                "ours",
                pa.table({"network": [n for n, _ in ours], "post_id": [p for _, p in ours]}),
            )
            begin = min((v.planned_at or v.changed_at) for v in ours.values()) - dt.timedelta(days=1)
            found = query.run(con, query.load("rapport.publishing", "fared"), {"since": begin}).fetchall()
    finally:
        con.close()
    return {(row[0], row[1]): Fared(*row[2:]) for row in found}


def _views(rows: Sequence[Post]) -> list[PostView]:
    by_post: dict[uuid.UUID, list[PostingView]] = {}
    for p in Posting.objects.filter(of__in=[row.pk for row in rows]).order_by("source"):
        view = PostingView(p.source, p.state, p.network, p.post_id, p.url, p.answer, p.text, p.changed_at)
        by_post.setdefault(p.of_id, []).append(view)
    return [
        PostView(
            row.pk, row.text, dict(row.texts), tuple(row.sources), row.language, row.campaign, row.planned_at,
            row.state, row.author, row.approver, row.approved_at, row.sent_back, row.version, row.changed_at,
            tuple(by_post.get(row.pk, ())), tuple(Kept.of(one) for one in row.pictures),
        )
        for row in rows
    ]  # fmt: skip
