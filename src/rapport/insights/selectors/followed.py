"""What is said of what the firm follows: how it is meant, and which words come up."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.insights.selectors.texts import PURPOSE
from rapport.kit import chances, query
from rapport.kit.chances import Estimate
from rapport.listening import selectors as listening

WORDS_MOST = 12
LEAST_TEXTS = 5  # of a word: what two people say is no topic
LEAST_Z = 1.96
PRIOR_TEXTS = 10.0


@dataclass(frozen=True, slots=True)
class FollowedSentiment:
    """How texts of one thing that is followed are meant: shares with their 95 % intervals."""

    key: str
    n: int
    n_negative: int
    n_neutral: int
    n_positive: int
    negative: Estimate
    positive: Estimate


@dataclass(frozen=True, slots=True)
class RisingWord:
    """A word that is in a larger share of the texts than it was in the time before."""

    word: str
    n: int
    n_before: int
    of: int
    of_before: int
    z: float


def followed_sentiment(since: dt.datetime, until: dt.datetime) -> list[FollowedSentiment]:
    """One row per key of which a model has read texts."""
    found = _rows("followed_sentiment", since, until, {"since": since, "until": until})
    return [
        FollowedSentiment(key, n, down, between, up, chances.share(down, n), chances.share(up, n))
        for key, n, down, between, up in found
    ]


def rising_words(
    since: dt.datetime, until: dt.datetime, keys: Sequence[str], most: int = WORDS_MOST
) -> list[RisingWord]:
    """Words that come up in texts of these keys, against as long a time before; the surest first."""
    began = since - (until - since)
    asked = {
        "since": began,
        "middle": since,
        "until": until,
        "keys": list(keys),
        "least": LEAST_TEXTS,
        "least_z": LEAST_Z,
        "prior": PRIOR_TEXTS,
        "most": most,
    }
    return [RisingWord(*row) for row in _rows("rising_words", began, until, asked)]


def _rows(name: str, since: dt.datetime, until: dt.datetime, asked: dict[str, Any]) -> list[Any]:
    found = listening.mentions(since, until)
    if not found.num_rows:
        return []
    con = lake.connect()
    try:
        lake.give(con, "mention", found)
        lake.give(con, "refused", consent.refused_subjects(PURPOSE))
        return query.run(con, query.load("rapport.insights", name), asked).fetchall()
    finally:
        con.close()
