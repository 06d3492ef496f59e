"""Follow words: keep rules, and say which of them find a text."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.listening.models import Follow
from rapport.listening.rules import following
from rapport.listening.rules.following import Rule

LISTENED = ("post_published", "message_received", "survey_answered", "community_posted")
ROWS_AT_ONCE = 20_000
EXAMPLES = 8


@dataclass(frozen=True, slots=True)
class Example:
    """A text that a rule finds."""

    seq: int
    ts: dt.datetime
    venue: str
    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Preview:
    """What a rule would have found: of how many texts, on which days, with the newest few."""

    n: int
    n_looked_at: int
    days: int
    by_day: list[tuple[dt.date, int]]
    examples: list[Example]


def follow(
    key: str,
    kind: str,
    with_words: Sequence[str],
    without_words: Sequence[str] = (),
    languages: Sequence[str] = (),
    places: Sequence[str] = (),
    *,
    title: str = "",
    by: str = "",
) -> Rule:
    """Follow words from now on, or change what is followed under this key. Raises Invalid for what cannot be."""
    rule = following.checked(
        Rule(key, title, kind, tuple(with_words), tuple(without_words), tuple(languages), tuple(places))
    )
    Follow.objects.update_or_create(
        key=rule.key,
        defaults={
            "title": rule.title,
            "kind": rule.kind,
            "with_words": list(rule.with_words),
            "without_words": list(rule.without_words),
            "languages": list(rule.languages),
            "places": list(rule.places),
            "is_on": True,
            "changed_at": clock.now(),
            "changed_by": by,
        },
    )
    return rule


def unfollow(key: str, *, by: str = "") -> None:
    """Follow it no more; what was found before keeps its mark."""
    changed = {"is_on": False, "changed_at": clock.now(), "changed_by": by}
    if not Follow.objects.filter(key=key).update(**changed):
        raise NotFound(f"nothing is followed as {key}", "`rapport source follow` shows what is.")


def rule_of(row: Follow) -> Rule:
    """The rule that a row holds."""
    return Rule(
        row.key,
        row.title,
        row.kind,
        tuple(row.with_words),
        tuple(row.without_words),
        tuple(row.languages),
        tuple(row.places),
    )


def rules() -> list[Rule]:
    """What is followed, in the order of the keys."""
    return [rule_of(row) for row in Follow.objects.filter(is_on=True).order_by("key")]


def matched(
    texts: Sequence[str], languages: Sequence[str] | None = None, venues: Sequence[str] | None = None
) -> list[list[str]]:
    """For each text the keys of what is followed that it was found by."""
    nothing = [""] * len(texts)
    return following.matched(rules(), texts, languages or nothing, venues or nothing)


def preview(rule: Rule, days: int = 7) -> Preview:
    """What a rule would have found in the texts of the last days, newest examples first; keeps nothing."""
    rule = following.checked(rule)
    until = clock.now()
    since = until - dt.timedelta(days=days)
    n = n_looked_at = 0
    by_day: Counter[dt.date] = Counter()
    examples: list[Example] = []
    con = lake.connect()
    try:
        asked = {"since": since, "until": until, "names": list(LISTENED)}
        reader = query.run(con, query.load("rapport.listening", "recent_texts"), asked).to_arrow_reader(
            ROWS_AT_ONCE
        )
        for part in reader:
            n_looked_at += part.num_rows
            texts, languages, venues = (part.column(name) for name in ("text", "language", "venue"))
            found = following.matches(
                rule, following.folded(texts), pc.utf8_lower(languages), pc.utf8_lower(venues)
            )
            n += int(found.sum())
            by_day.update(part.column("day").filter(pa.array(found)).to_pylist())
            if len(examples) < EXAMPLES:
                rows = part.take(pa.array(np.flatnonzero(found)[: EXAMPLES - len(examples)]))
                examples += [
                    Example(row["seq"], row["ts"], row["venue"], row["language"], row["text"])
                    for row in rows.to_pylist()
                ]
    finally:
        con.close()
    every = [(since.date() + dt.timedelta(days=i)) for i in range(days + 1)]
    return Preview(n, n_looked_at, days, [(day, by_day[day]) for day in every], examples)
