"""What models say of texts, over days, venues and languages."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from rapport.consent import selectors as consent
from rapport.events import lake
from rapport.kit import query

VENUES_SHOWN = 50
PURPOSE = "analytics"  # what these figures are counted for


@dataclass(frozen=True, slots=True)
class SentimentOf:
    """The sentiment of the texts of one day or venue, with the 95 % interval of its mean."""

    of: dt.date | str
    n: int
    n_negative: int
    n_neutral: int
    n_positive: int
    mean: float  # in [-1, 1]
    mean_low: float
    mean_high: float


@dataclass(frozen=True, slots=True)
class LanguageShare:
    """How much of what was said is in one language; `und` where it could not be told."""

    language: str
    n: int
    share: float  # 0 to 1


def sentiment_by_day(since: dt.datetime, until: dt.datetime) -> list[SentimentOf]:
    """One row per UTC day on which anybody said something; a day without one is a gap, not a zero."""
    return [SentimentOf(*row) for row in _rows("sentiment_by_day", since=since, until=until)]


def sentiment_by_venue(
    since: dt.datetime, until: dt.datetime, limit: int = VENUES_SHOWN
) -> list[SentimentOf]:
    """One row per venue, the most talkative first; '' where the venue is not known."""
    found = _rows("sentiment_by_venue", since=since, until=until, most=limit)
    return [SentimentOf(*row) for row in found]


def language_shares(since: dt.datetime, until: dt.datetime) -> list[LanguageShare]:
    """The languages of what was said, the most frequent first."""
    return [LanguageShare(*row) for row in _rows("language_shares", since=since, until=until)]


def _rows(name: str, **asked: Any) -> list[Any]:
    con = lake.connect()
    try:
        # What was read before somebody refused is not counted after it.
        lake.give(con, "refused", consent.refused_subjects(PURPOSE))
        return query.run(con, query.load("rapport.insights", name), asked).fetchall()
    finally:
        con.close()
