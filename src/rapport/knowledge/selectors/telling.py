"""Facts, what contradicts them, notices, and the endpoint that words drafts."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa
from django.db.models import Count, Q

from rapport.events import lake
from rapport.kit import clock, query, seen
from rapport.kit.errors import NotFound
from rapport.knowledge.models import Endpoint, Fact, Flag, Notice, NoticeUpdate
from rapport.knowledge.rules.asking import in_language

PAGE = 50
FACT_CONTENT = (
    "statement", "language", "about", "aspect", "source_name", "source_url", "stated_on", "valid_until", "owner",
)  # fmt: skip
NOTICE_CONTENT = (
    "titles", "texts", "words", "products", "countries", "ordered_from", "ordered_until", "until", "owner",
)  # fmt: skip
SLACK = dt.timedelta(seconds=1)  # what a store may round a time by


@dataclass(frozen=True, slots=True)
class FactView:
    """One dated statement with its source."""

    key: str
    statement: str
    language: str
    about: tuple[str, ...]
    aspect: tuple[str, ...]
    source_name: str
    source_url: str
    stated_on: dt.date
    valid_until: dt.date | None
    owner: str
    state: str
    n_flags: int = 0

    @property
    def content(self) -> dict[str, object]:
        """What can be written of it."""
        return {name: getattr(self, name) for name in FACT_CONTENT}

    @property
    def mark(self) -> str:
        """What a form gives back, so that nobody's change is written over unseen."""
        return seen.mark(self.content)

    @property
    def is_expired(self) -> bool:
        """Whether its time is over."""
        return self.valid_until is not None and self.valid_until < clock.now().date()


@dataclass(frozen=True, slots=True)
class FlagRow:
    """A text that seems to contradict a fact; its words are read from the log, and gone when erased there."""

    id: int
    seq: int
    fact: str
    statement: str
    source_name: str
    identifier: str
    text: str
    url: str
    network: str
    probability: float
    state: str
    said_at: dt.datetime


@dataclass(frozen=True, slots=True)
class UpdateView:
    at: dt.datetime
    texts: Mapping[str, str]
    by: str

    def text(self, language: str) -> str:
        return in_language(self.texts, language)[0]


@dataclass(frozen=True, slots=True)
class NoticeView:
    """One notice with all that was added since."""

    slug: str
    titles: Mapping[str, str]
    texts: Mapping[str, str]
    words: tuple[str, ...]
    products: tuple[str, ...]
    countries: tuple[str, ...]
    ordered_from: dt.datetime | None
    ordered_until: dt.datetime | None
    until: dt.datetime | None
    owner: str
    state: str
    published_at: dt.datetime | None
    ended_at: dt.datetime | None
    warned_at: dt.datetime | None
    updates: tuple[UpdateView, ...] = ()

    @property
    def content(self) -> dict[str, object]:
        """What can be written of it, beside what is added to it."""
        return {name: getattr(self, name) for name in NOTICE_CONTENT}

    @property
    def mark(self) -> str:
        """What a form gives back, so that nobody's change is written over unseen."""
        return seen.mark(self.content)

    def title(self, language: str) -> str:
        return in_language(self.titles, language)[0]

    def text(self, language: str) -> str:
        return in_language(self.texts, language)[0]

    @property
    def is_late(self) -> bool:
        """Whether the time we named is over and the notice is not."""
        return self.state == "published" and self.until is not None and self.until < clock.now()

    @property
    def changed_at(self) -> dt.datetime | None:
        """When something was last said: the newest update, else the beginning."""
        return max((u.at for u in self.updates), default=self.ended_at or self.published_at)


@dataclass(frozen=True, slots=True)
class EndpointView:
    """A model elsewhere that words drafts; its key is never shown."""

    url: str
    model: str
    timeout_s: float
    is_on: bool
    has_key: bool


def facts(*, find: str = "", retired: bool = False) -> list[FactView]:
    """Facts, those that expire first at the top."""
    chosen = Fact.objects.filter(state="retired" if retired else "published")
    if find.strip():
        chosen = chosen.filter(Q(statement__icontains=find.strip()) | Q(source_name__icontains=find.strip()))
    rows = list(chosen.order_by("valid_until", "key")[:500])
    n = dict(Flag.objects.filter(fact__in=rows, state="open").values_list("fact").annotate(n=Count("id")))
    return [_fact(row, n.get(row.pk, 0)) for row in rows]


def fact(key: str) -> FactView:
    """One fact."""
    row = Fact.objects.filter(key=key).first()
    if row is None:
        raise NotFound(f"there is no fact {key!r}", "The list of facts has them all.")
    return _fact(row, Flag.objects.filter(fact=row, state="open").count())


def _fact(row: Fact, n_flags: int) -> FactView:
    return FactView(
        row.key, row.statement, row.language, tuple(row.about), tuple(row.aspect), row.source_name, row.source_url,
        row.stated_on, row.valid_until, row.owner, row.state, n_flags,
    )  # fmt: skip


def flags(*, state: str = "open", first: int = 0, limit: int = PAGE) -> list[FlagRow]:
    """Texts that seem to contradict a fact, the newest first. A text that is gone from the log is not shown."""
    rows = list(
        Flag.objects.filter(state=state)
        .select_related("fact")
        .order_by("-said_at", "-id")[first : first + limit]
    )
    said = _said(rows)
    return [
        FlagRow(
            row.pk, row.seq, row.fact.key, row.fact.statement, row.fact.source_name, row.identifier,
            said[row.seq]["text"], said[row.seq]["url"], said[row.seq]["network"], row.probability, row.state, row.said_at,
        )
        for row in rows if row.seq in said
    ]  # fmt: skip


def _said(rows: Sequence[Flag]) -> dict[int, dict[str, str]]:
    """The words of these texts, from the log."""
    if not rows:
        return {}
    con = lake.connect()
    try:
        lake.give(con, "flagged", pa.table({"seq": pa.array([row.seq for row in rows], pa.int64())}))
        times = [row.said_at for row in rows]
        found = query.run(
            con,
            query.load("rapport.knowledge", "flagged_texts"),
            {"first_ts": min(times) - SLACK, "last_ts": max(times) + SLACK},
        ).to_arrow_table()
    finally:
        con.close()
    # What no browser is to be led to may stand in what somebody said.
    return {
        row["seq"]: {**row, "url": row["url"] if re.match("https?://", row["url"], re.IGNORECASE) else ""}
        for row in found.to_pylist()
    }


def notices(*, state: str = "") -> list[NoticeView]:
    """Notices, the newest first; of one state, or all."""
    rows = Notice.objects.filter(state=state) if state else Notice.objects.all()
    return _notices(list(rows.order_by("-published_at", "-changed_at")[:200]))


def notices_now() -> list[NoticeView]:
    """What is wrong now, the newest first."""
    return notices(state="published")


def notice(slug: str) -> NoticeView:
    """One notice."""
    row = Notice.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound(f"there is no notice {slug!r}", "The list of notices has them all.")
    return _notices([row])[0]


def _notices(rows: Sequence[Notice]) -> list[NoticeView]:
    told: dict[int, list[UpdateView]] = {}
    for update in NoticeUpdate.objects.filter(notice__in=rows).order_by("-at", "-id"):
        told.setdefault(update.notice_id, []).append(UpdateView(update.at, update.texts, update.by))
    return [
        NoticeView(
            row.slug, row.titles, row.texts, tuple(row.words), tuple(row.products), tuple(row.countries),
            row.ordered_from, row.ordered_until, row.until, row.owner, row.state, row.published_at, row.ended_at,
            row.warned_at, tuple(told.get(row.pk, ())),
        )
        for row in rows
    ]  # fmt: skip


def endpoint() -> EndpointView | None:
    """The endpoint that words drafts, where the firm named one."""
    row = Endpoint.objects.order_by("id").first()
    return EndpointView(row.url, row.model, row.timeout_s, row.is_on, bool(row.sealed)) if row else None
