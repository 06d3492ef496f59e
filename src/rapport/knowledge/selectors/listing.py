"""Entries as a list and one by one, what waits for an answer, and how proposals fare."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from django.db.models import Count, Q

from rapport.kit import clock, money, seen
from rapport.kit.errors import NotFound
from rapport.knowledge.models import (
    Entry,
    Fact,
    Flag,
    Learnt,
    Notice,
    Option,
    Outcome,
    Slot,
    Unanswered,
    Wording,
)
from rapport.knowledge.rules import asking, checking, weighing

PAGE = 50


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry as a list shows it."""

    key: str
    title: str
    state: str
    owner: str
    source: str
    review_by: dt.date | None
    n_wordings: int
    n_waiting: int  # wordings that nobody has taken yet
    languages: tuple[str, ...]
    oldest_price_at: dt.datetime | None
    n_right: int  # questions it answered
    changed_at: dt.datetime

    @property
    def is_due(self) -> bool:
        """Whether somebody should read it again."""
        return self.review_by is not None and self.review_by <= clock.now().date()


@dataclass(frozen=True, slots=True)
class WordingRow:
    """One way of putting the problem."""

    id: int
    language: str
    text: str
    origin: str
    is_live: bool


@dataclass(frozen=True, slots=True)
class OptionRow:
    """One thing that would help."""

    id: int
    product: str
    place: str
    url: str
    is_ours: bool
    price_minor: int | None
    currency: str
    priced_at: dt.datetime | None

    @property
    def is_fresh(self) -> bool:
        """Whether the price may be said: it was seen within a day."""
        return self.priced_at is not None and clock.now() - self.priced_at <= checking.FRESH


@dataclass(frozen=True, slots=True)
class EntryView:
    """One entry with everything that belongs to it."""

    key: str
    title: str
    state: str
    solutions: Mapping[str, str]
    needs: tuple[str, ...]
    fits: Mapping[str, tuple[str, ...]]
    url: str
    owner: str
    source: str
    review_by: dt.date | None
    wordings: tuple[WordingRow, ...]
    options: tuple[OptionRow, ...]
    changed_at: dt.datetime
    changed_by: str

    @property
    def content(self) -> dict[str, object]:
        """What can be written of it."""
        return {
            "title": self.title,
            "state": self.state,
            "solutions": dict(self.solutions),
            "wordings": sorted([w.language, w.text] for w in self.wordings if w.is_live),
            "options": [option_content(one) for one in self.options],
            "needs": sorted(self.needs),
            "fits": {slot: list(values) for slot, values in self.fits.items()},
            "url": self.url,
            "owner": self.owner,
            "review_by": self.review_by,
        }

    @property
    def mark(self) -> str:
        """What a form gives back, so that nobody's change is written over unseen."""
        return seen.mark(self.content)


class Offer(Protocol):
    """An option, as it stands or as it is written."""

    @property
    def product(self) -> str: ...
    @property
    def place(self) -> str: ...
    @property
    def url(self) -> str: ...
    @property
    def is_ours(self) -> bool: ...
    @property
    def price_minor(self) -> int | None: ...
    @property
    def currency(self) -> str: ...


def option_content(one: Offer) -> list[str]:
    """What can be written of an option; when its price was seen is no other content."""
    price = "" if one.price_minor is None else str(money.Money(one.price_minor, one.currency).amount)
    return [
        one.product,
        one.place,
        one.url,
        "ours" if one.is_ours else "theirs",
        price,
        one.currency if price else "",
    ]


@dataclass(frozen=True, slots=True)
class UnansweredRow:
    """A question that nothing answers."""

    id: int
    question: str
    language: str
    conversation: str
    n: int
    first_at: dt.datetime
    last_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Counts:
    """What there is of everything, for tabs and home."""

    published: int
    drafts: int
    retired: int
    due: int
    unanswered: int
    facts: int
    flags: int
    notices: int


@dataclass(frozen=True, slots=True)
class OutcomeShare:
    """How proposals fared with staff: of those settled, how many had the right one first, and among those shown."""

    n: int
    n_first: int
    n_shown: int
    n_none: int


def entries(
    *, find: str = "", state: str = "", before: str = "", limit: int = PAGE
) -> tuple[list[EntryRow], str]:
    """Entries by title, and where the next page begins; `find` looks at title, key and wordings."""
    chosen = Entry.objects.all()
    if state == "due":
        chosen = chosen.filter(review_by__lte=clock.now().date()).exclude(state=Entry.State.RETIRED)
    elif state:
        chosen = chosen.filter(state=state)
    if find.strip():
        alike = Wording.objects.filter(text__icontains=find.strip()).values("entry_id")
        chosen = chosen.filter(
            Q(title__icontains=find.strip()) | Q(key__icontains=find.strip()) | Q(pk__in=alike)
        )
    if before:
        title, _sep, key = before.rpartition("\x1f")
        chosen = chosen.filter(Q(title__gt=title) | Q(title=title, key__gt=key))
    rows = list(chosen.order_by("title", "key").defer("title_meaning", "solution_meaning")[: limit + 1])
    following = f"{rows[limit - 1].title}\x1f{rows[limit - 1].key}" if len(rows) > limit else ""
    rows = rows[:limit]
    numbers = [row.pk for row in rows]
    live: dict[int, int] = {}
    waiting: dict[int, int] = {}
    told = Wording.objects.filter(entry__in=numbers).values_list("entry_id", "is_live")
    for number, is_live, n in told.annotate(n=Count("id")):
        (live if is_live else waiting)[number] = n
    priced: dict[int, dt.datetime] = {}
    for option in Option.objects.filter(entry__in=numbers, priced_at__isnull=False).order_by("-priced_at"):
        if option.priced_at:
            priced[option.entry_id] = option.priced_at  # the oldest is the last
    right = dict(
        Outcome.objects.filter(right__in=[row.key for row in rows])
        .values_list("right")
        .annotate(n=Count("id"))
    )
    return [
        EntryRow(
            row.key, row.title, row.state, row.owner, row.source, row.review_by,
            live.get(row.pk, 0), waiting.get(row.pk, 0), tuple(sorted(row.solutions)),
            priced.get(row.pk), right.get(row.key, 0), row.changed_at,
        )
        for row in rows
    ], following  # fmt: skip


def entry(key: str) -> EntryView:
    """One entry."""
    row = Entry.objects.filter(key=key).defer("title_meaning", "solution_meaning").first()
    if row is None:
        raise NotFound(f"there is no entry {key!r}", "The list of entries has them all.")
    wordings = Wording.objects.filter(entry=row).order_by("-is_live", "id").defer("meaning")
    options = Option.objects.filter(entry=row).order_by("position", "id")
    return EntryView(
        row.key, row.title, row.state, row.solutions, tuple(row.needs),
        {slot: tuple(values) for slot, values in row.fits.items()}, row.url, row.owner, row.source, row.review_by,
        tuple(WordingRow(w.pk, w.language, w.text, w.origin, w.is_live) for w in wordings),
        tuple(option_row(o) for o in options), row.changed_at, row.changed_by,
    )  # fmt: skip


def option_row(row: Option) -> OptionRow:
    return OptionRow(
        row.pk, row.product, row.place, row.url, row.is_ours, row.price_minor, row.currency, row.priced_at
    )


def unanswered(*, before: int = 0, limit: int = PAGE) -> list[UnansweredRow]:
    """Questions that nothing answers, those asked most often first, then the newest."""
    rows = Unanswered.objects.filter(closed_at__isnull=True).order_by("-n", "-last_at", "id")[
        before : before + limit
    ]
    return [
        UnansweredRow(r.pk, r.question, r.language, r.conversation, r.n, r.first_at, r.last_at) for r in rows
    ]


def counts() -> Counts:
    """How much there is of everything."""
    states = dict(Entry.objects.values_list("state").annotate(n=Count("id")))
    due = Entry.objects.filter(review_by__lte=clock.now().date()).exclude(state=Entry.State.RETIRED).count()
    return Counts(
        states.get("published", 0), states.get("draft", 0), states.get("retired", 0), due,
        Unanswered.objects.filter(closed_at__isnull=True).count(),
        Fact.objects.filter(state="published").count(), Flag.objects.filter(state="open").count(),
        Notice.objects.filter(state="published").count(),
    )  # fmt: skip


def slots() -> list[asking.SlotRule]:
    """What answers may depend on."""
    return [
        asking.SlotRule(row.name, row.questions, row.spellings, row.is_number)
        for row in Slot.objects.order_by("name")
    ]


def learnt() -> tuple[weighing.Weights, dt.datetime | None]:
    """What was learnt of how to find entries, and when; a beginning and None before that."""
    row = Learnt.objects.order_by("-id").first()
    return (weighing.Weights.from_json(row.content), row.at) if row else (weighing.Weights(), None)


def outcomes_share() -> OutcomeShare:
    """How proposals fared with staff."""
    rows = (
        Outcome.objects.filter(settled_at__isnull=False)
        .values_list("proposed", "right")
        .order_by("-id")[:5_000]
    )
    n = n_first = n_shown = n_none = 0
    for proposed, right in rows:
        keys = [key for key, _p in proposed]
        n += 1
        n_first += bool(keys) and keys[0] == right
        n_shown += right in keys
        n_none += right == "-"
    return OutcomeShare(n, n_first, n_shown, n_none)


def known_facts() -> list[checking.KnownFact]:
    """The facts that stand, as texts are held against them; expired ones too, for whoever still says them."""
    return [
        checking.KnownFact(
            row.key, row.statement, tuple(row.about), tuple(row.aspect), row.language, row.valid_until
        )
        for row in Fact.objects.filter(state="published")
    ]


def known_prices() -> list[checking.KnownPrice]:
    """Every price of a published entry, with the time it was seen."""
    rows = Option.objects.filter(
        entry__state=Entry.State.PUBLISHED, price_minor__isnull=False, priced_at__isnull=False
    ).values_list("product", "price_minor", "currency", "priced_at")
    return [
        checking.KnownPrice(product, minor, currency, at)
        for product, minor, currency, at in rows
        if minor is not None and at is not None
    ]
