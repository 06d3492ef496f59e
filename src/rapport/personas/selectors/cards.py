"""Cards: every persona there is now, with its portrait and the one before."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.kit import query
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.people.rules import sensitive_texts
from rapport.people.rules.graph import is_in
from rapport.personas import rules
from rapport.personas.models import Card, Finding, Portrait
from rapport.personas.selectors import members
from rapport.personas.selectors.places import lets_us_quote

QUOTES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class CardView:
    """One persona as a page shows it."""

    key: str
    name: str  # that staff gave it; empty: it is called by what lifts most
    note: str
    changed_by: str
    changed_at: dt.datetime | None
    first_found_at: dt.datetime
    found_at: dt.datetime
    n: int  # people it has now
    n_found: int  # when it was painted
    profile: rules.Profile
    moved: rules.Moved | None  # since the fit before; None where it is new
    is_current: bool  # whether the newest fit found it
    is_new: bool  # found by the newest fit, and by none of those before it


@dataclass(frozen=True, slots=True)
class FindingView:
    """What the newest fit found."""

    found_at: dt.datetime
    n_people: int
    n_learnt: int
    tried: tuple[rules.Tried, ...]
    n_personas: int

    @property
    def chosen(self) -> rules.Tried | None:
        return next((t for t in self.tried if t.k == self.n_personas), None)


@dataclass(frozen=True, slots=True)
class QuoteView:
    """What somebody of a persona said, who still lets us repeat it."""

    person: int
    text: str
    at: dt.datetime
    event: str


def finding() -> FindingView | None:
    """What the newest fit found; None where none was told yet."""
    row = Finding.objects.order_by("-found_at", "-id").first()
    if row is None:
        return None
    return FindingView(
        row.found_at,
        row.n_people,
        row.n_learnt,
        tuple(rules.Tried.from_json(one) for one in row.choice),
        Portrait.objects.filter(finding=row).count(),
    )


def cards() -> list[CardView]:
    """Every persona that the newest fit found, the largest first."""
    now = members.counts()
    return sorted((replace(one, n=now.get(one.key, 0)) for one in _newest()), key=lambda c: (-c.n, c.key))


def card(key: str) -> CardView:
    """One persona as it was found last. Raises NotFound."""
    portrait = _portrait(key)
    newest = Finding.objects.order_by("-found_at", "-id").first()
    if portrait is None or newest is None:
        raise NotFound(f"there is no persona {key!r}", "Open the list of personas.")
    found = _view(portrait, newest.pk)
    return replace(found, n=members.counts().get(key, 0)) if found.is_current else found


def called(key: str) -> tuple[str, rules.Profile] | None:
    """The name that staff gave a persona, and its newest profile; None where there is none. No member is read."""
    portrait = _portrait(key)
    return None if portrait is None else (portrait.card.name, rules.Profile.from_json(portrait.profile))


def moved() -> list[CardView]:
    """The personas whose size is notably another than at the fit before, those that moved most first."""
    if not any(card.moved is not None and card.moved.is_notable for card in _newest()):
        return []  # nobody is counted for nothing
    found = [card for card in cards() if card.moved is not None and card.moved.is_notable]
    return sorted(
        found, key=lambda c: -abs((c.moved.now if c.moved else 0) - (c.moved.before if c.moved else 0))
    )


def names() -> dict[str, str]:
    """By key, the names that staff gave."""
    return dict(Card.objects.exclude(name="").values_list("key", "name"))


def first_free() -> int:
    """The least number that no persona's key has had."""
    taken = [int(key[1:]) for key in Card.objects.values_list("key", flat=True) if key[1:].isdecimal()]
    return max(taken, default=0) + 1


def parameters() -> dict[str, Any]:
    """What the model is told of the firm: a number for a new persona that none has had before."""
    return {"first_free": first_free()}


def quotes(found: CardView, n: int = QUOTES_SHOWN) -> list[QuoteView]:
    """What its people said who still are in it and still let us repeat it; read now, and kept nowhere.

    What speaks of a special category is not repeated.
    """
    if not found.profile.quotes:
        return []
    con = lake.connect()
    try:
        lake.give(con, "asked", pa.table({"seq": pa.array(found.profile.quotes, pa.int64())}))
        lake.give(con, "identity", people.identity_arrow())
        said = query.run(con, query.load("rapport.personas", "quoted")).to_arrow_table()
    finally:
        con.close()
    told = said.filter(pc.invert(sensitive_texts.are_sensitive(said["text"]))).to_pylist()
    allowed = set(lets_us_quote(np.array([row["subject"] for row in told], np.int64)).tolist())
    there = is_in(np.array([row["person"] for row in told], np.int64), members.persons_in(found.key))
    order = {seq: place for place, seq in enumerate(found.profile.quotes)}
    kept = [row for row, here in zip(told, there, strict=True) if here and row["subject"] in allowed]
    kept.sort(key=lambda row: order[row["seq"]])
    return [QuoteView(row["person"], row["text"], row["ts"], row["name"]) for row in kept[:n]]


def _portrait(key: str) -> Portrait | None:
    return (
        Portrait.objects.filter(card__key=key)
        .select_related("card", "finding")
        .order_by("-finding__found_at", "-finding_id")
        .first()
    )


def _newest() -> list[CardView]:
    """What the newest fit found, before its people are counted."""
    newest = Finding.objects.order_by("-found_at", "-id").first()
    if newest is None:
        return []
    found = Portrait.objects.filter(finding=newest).select_related("card", "finding")
    return [_view(one, newest.pk) for one in found]


def _view(portrait: Portrait, newest: int) -> CardView:
    """A portrait whose people are not counted yet."""
    profile = rules.Profile.from_json(portrait.profile)
    before = (
        Portrait.objects.filter(card=portrait.card, finding__found_at__lt=portrait.finding.found_at)
        .order_by("-finding__found_at", "-finding_id")
        .first()
    )
    is_current = portrait.finding_id == newest
    earlier = Portrait.objects.filter(finding__found_at__lt=portrait.finding.found_at)
    return CardView(
        key=portrait.card.key,
        name=portrait.card.name,
        note=portrait.card.note,
        changed_by=portrait.card.changed_by,
        changed_at=portrait.card.changed_at,
        first_found_at=portrait.card.first_found_at,
        found_at=portrait.finding.found_at,
        n=0,
        n_found=portrait.n,
        profile=profile,
        moved=None
        if before is None
        else rules.moved(profile, portrait.n, rules.Profile.from_json(before.profile), before.n),
        is_current=is_current,
        is_new=is_current and before is None and earlier.exists(),
    )
