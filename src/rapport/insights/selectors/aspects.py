"""The firm's catalogue of aspects: what of the firm people judge, the words they use for it, and how each fares."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights import rules
from rapport.insights.contract import KIND
from rapport.insights.models import Aspect
from rapport.insights.selectors.texts import PURPOSE
from rapport.kit import chances, query, registry
from rapport.kit.chances import Estimate
from rapport.kit.errors import NotFound

MODEL = "aspect"  # the model that reads by the catalogue, and what it writes: `aspect:<key>`
QUOTES = 3
LOOKED_AT = 20_000  # texts, the newest, in which found words are quoted


@dataclass(frozen=True, slots=True)
class AspectView:
    """One aspect, declared by the firm or found in what people write."""

    key: str
    title: str
    words: Mapping[str, Sequence[str]]  # by ISO 639-1 language
    is_declared: bool
    is_active: bool
    n_found: int  # texts that led to it, where it was found

    @property
    def name(self) -> str:
        """Of its annotation."""
        return f"{MODEL}:{self.key}"


@dataclass(frozen=True, slots=True)
class AspectFare:
    """How one aspect fares in what people wrote."""

    key: str
    n: int  # texts that name it
    n_negative: int
    n_neutral: int
    n_positive: int

    @property
    def n_judged(self) -> int:
        return self.n_negative + self.n_positive

    @property
    def positive(self) -> Estimate | None:
        """Of the texts that judge it, the share that is positive, with its 95 % interval; None where none does."""
        return chances.share(self.n_positive, self.n_judged) if self.n_judged else None


@dataclass(frozen=True, slots=True)
class AspectMonth:
    """How one aspect fared in one calendar month (UTC)."""

    month: dt.date
    fare: AspectFare


def aspects(*, active_only: bool = True) -> list[AspectView]:
    """The catalogue, by key; what is offered at first until the firm has changed anything.

    active_only : leaves out what was dropped, what waits for a yes, and what got a no
    """
    found = [
        AspectView(a.key, a.title, a.words, a.is_declared, a.is_active, a.n_found)
        for a in Aspect.objects.order_by("key")
    ]
    if not any(a.is_declared for a in found):
        known = {a.key for a in found}
        found = sorted([*found, *(a for a in offered() if a.key not in known)], key=lambda a: a.key)
    return [a for a in found if a.is_active and a.is_declared] if active_only else found


def aspect(key: str) -> AspectView:
    """One aspect, in whatever state. Raises NotFound naming those there are."""
    every = aspects(active_only=False)
    found = next((a for a in every if a.key == key), None)
    if found is None:
        known = ", ".join(a.key for a in every) or "none yet"
        raise NotFound(f"there is no aspect {key!r}", f"There are: {known}.")
    return found


def waiting() -> list[AspectView]:
    """Aspects found in what people write that wait for a yes or a no, the most frequent first."""
    found = [a for a in aspects(active_only=False) if a.is_active and not a.is_declared]
    return sorted(found, key=lambda a: (-a.n_found, a.key))


def offered() -> list[AspectView]:
    """The aspects that come with the model, by key."""
    plugin = registry.plugins(KIND).get(MODEL)
    given: Mapping[str, Any] = plugin.offers.parameters["catalogue"] if plugin else {}
    return [AspectView(k, a["title"], a["words"], True, True, 0) for k, a in sorted(given.items())]


def catalogue() -> dict[str, Any]:
    """The parameter of the model that reads by it; empty where the firm has changed nothing."""
    if not Aspect.objects.filter(is_declared=True).exists():
        return {}
    return {"catalogue": {a.key: {"title": a.title, "words": dict(a.words)} for a in aspects()}}


def fares(since: dt.datetime, until: dt.datetime) -> dict[str, AspectFare]:
    """How each aspect fares, by key; of whoever refuses nothing is counted."""
    return {row[0]: AspectFare(*row) for row in _rows("aspect_fares", since=since, until=until)}


def months(key: str, since: dt.datetime, until: dt.datetime) -> list[AspectMonth]:
    """How one aspect fared, month by month; a month in which nobody named it is a gap, not a zero."""
    rows = _rows("aspect_months", since=since, until=until, name=f"{MODEL}:{key}")
    return [AspectMonth(row[0], AspectFare(key, *row[1:])) for row in rows]


def quoted(words: Sequence[str]) -> dict[str, list[str]]:
    """By word: up to QUOTES of the newest texts that have it, of nobody who refuses."""
    if not words:
        return {}
    asked = {
        "words": [w.lower() for w in words], "own_words": list(rules.OWN_WORDS), "looked_at": LOOKED_AT, "most": QUOTES,
    }  # fmt: skip
    found: dict[str, list[str]] = {}
    for word, text in _rows("word_quotes", **asked):
        found.setdefault(word, []).append(text)
    return found


def _rows(query_name: str, **asked: Any) -> list[Any]:
    con = lake.connect()
    try:
        # What was read before somebody refused is not counted after it.
        lake.give(con, "refused", consent.refused_subjects(PURPOSE))
        return query.run(con, query.load("rapport.insights", query_name), asked).fetchall()
    finally:
        con.close()
