"""From sums to a statement: how somebody stands, how sure that is, and whether it is sure enough to be said.

A stance is the mean of what one said, drawn toward indifference by half a text, with an interval that holds both how
texts of one person differ and how surely each was read. An affinity is how much more of one's attention a topic has
than of everybody's (lift), drawn toward the average as in Efron and Morris 1975, on the scale lift / (1 + lift): 0.5
is what everybody has. Precision comes before recall: where the interval holds indifference, nothing is stated.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

VERSION = "1"

ATTITUDE, INTEREST, OPINION = KINDS = ("attitude", "interest", "opinion")
INFERRED, OBSERVED, DECLARED = ORIGINS = ("inferred", "observed", "declared")  # the later is believed first
STANDS, SAID_WRONG, CORRECTED = STATES = ("stands", "said_wrong", "corrected")

RECENT_DAYS = 90
EVIDENCE_MAX = 3
QUOTE_CHARS_MAX = 280
ABOUT_CHARS_MAX = 48  # of the key of what a statement is about

Z = 1.96
STANDINGS_MAX = 100  # kept of each kind
INTEREST_PEOPLE_MIN = 5
SCORES_MAX = {INTEREST: 30, ATTITUDE: 15, OPINION: 15}  # names of scores, those of most people

DRAWN_TEXTS = 0.5  # that many indifferent texts are added to everybody's
STANCE_MIN = 0.3  # a mean nearer to indifference is not stated, however sure
DRAWN_ACTS = 6.0  # the attention of an average person, in weighed acts, that is added to everybody's
LIFT_MIN = 1.0  # the low end of the interval must lie above it
WEEKS_MIN = 2  # in which a topic was turned to
TREND_TEXTS_MIN = 2  # on each side

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums behind statements, one element each (models.Statement says what they are)."""

    n: Floats
    weight: Floats
    moment: Floats
    square: Floats
    doubt: Floats
    of_all: Floats
    share: Floats
    recent_weight: Floats
    recent_moment: Floats


@dataclass(frozen=True, slots=True)
class Judged:
    """Value and 95 % interval of each statement, and whether it may be made."""

    value: Floats
    low: Floats
    high: Floats
    suffices: Flags


@dataclass(frozen=True, slots=True)
class Evidence:
    """What shows a statement: an event, when, in whose words, and whether it was said, bought, read ..."""

    seq: int
    at: str  # ISO 8601, UTC
    quote: str
    source: str  # where: shop, web, bluesky, the name of a survey
    how: str  # said, answered, bought, read, searched, joined, declared

    def as_json(self) -> dict[str, Any]:
        return {"seq": self.seq, "at": self.at, "quote": self.quote, "source": self.source, "how": self.how}


@dataclass(frozen=True, slots=True)
class Standing:
    """How people stand toward one thing, over everybody of whom it is stated."""

    kind: str
    about: str
    n: int
    n_positive: int
    n_negative: int
    n_declared: int
    share: float  # positive of those who stand either way; of an interest, of everybody with any statement
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


def stance(sums: Sums) -> Judged:
    """Value in [-1, 1] of each attitude or opinion."""
    weight = np.maximum(sums.weight, 1e-9)
    mean = sums.moment / weight
    spread = np.maximum(sums.square / weight - mean**2, 0.0)
    # Of one text alone the spread is not known; how surely it was read is.
    variance = np.maximum(
        np.where(sums.n > 1, spread * sums.n / np.maximum(sums.n - 1, 1), 0.0), sums.doubt / weight
    )
    half = Z * np.sqrt(variance / weight)
    drawn = weight / (weight + DRAWN_TEXTS)
    value = mean * drawn
    low, high = np.clip(mean - half, -1, 1), np.clip(mean + half, -1, 1)
    sure = (sums.n > 0) & ((low > 0) | (high < 0)) & (np.abs(mean) >= STANCE_MIN)
    return Judged(value, np.minimum(low, value), np.maximum(high, value), sure)


def affinity(sums: Sums) -> Judged:
    """Value in [0, 1] of each interest; 0.5 is the attention that everybody gives to the topic."""
    share = np.clip(sums.share, 1e-6, 1.0)
    # Weighed acts are worth as many plain ones as have the same spread (Kish 1965).
    size = np.maximum(sums.square, 1e-9) / np.maximum(sums.weight, 1e-9)
    acts = sums.weight / np.maximum(size, 1e-9)
    everything = sums.of_all / np.maximum(size, 1e-9)
    drawn_all = everything + DRAWN_ACTS
    drawn = acts + DRAWN_ACTS * share
    half = Z / 2
    root = np.sqrt(
        drawn + 0.375
    )  # Anscombe 1948: of a count, the root's spread is one half whatever the count
    ends = (np.maximum(root - half, 0) ** 2, (root + half) ** 2)
    low, value, high = (np.minimum(x / drawn_all, 1.0) / share for x in (ends[0], drawn, ends[1]))
    sure = (low > LIFT_MIN) & (sums.n >= WEEKS_MIN)
    return Judged(value / (1 + value), low / (1 + low), high / (1 + high), sure)


def trend(sums: Sums) -> Floats:
    """How much what was said lately lies above what was said before; NaN where one side says too little."""
    before = sums.weight - sums.recent_weight
    enough = (sums.recent_weight >= TREND_TEXTS_MIN) & (before >= TREND_TEXTS_MIN)
    lately = sums.recent_moment / np.maximum(sums.recent_weight, 1e-9)
    earlier = (sums.moment - sums.recent_moment) / np.maximum(before, 1e-9)
    return np.where(enough, lately - earlier, np.nan)


def declared(sums: Sums) -> Judged:
    """What people say of themselves: it is taken as said."""
    value = sums.moment / np.maximum(sums.weight, 1e-9)
    return Judged(value, value, value, sums.n > 0)


def judged(sums: Sums, kind: str, origin: str) -> Judged:
    """The judgement that a kind and an origin ask for."""
    if origin == DECLARED:
        return declared(sums)
    return affinity(sums) if kind == INTEREST else stance(sums)


def label_of(kind: str, value: float) -> str:
    """`for` or `against`; of an interest `interested`, unless they put it right that there is none."""
    if kind == INTEREST:
        return "interested" if value > 0 else "not interested"
    return "for" if value > 0 else "against" if value < 0 else "indifferent"


def standing_of(kind: str, about: str, counts: tuple[int, int, int, int], of: int) -> Standing:
    """The share with its 95 % interval (Wilson 1927); counts are all, positive, negative, declared."""
    n, positive, negative, declared = counts
    whole = of if kind == INTEREST else positive + negative
    if whole == 0:
        return Standing(kind, about, n, positive, negative, declared, 0.0, 0.0, 1.0)
    p = positive / whole
    centre = (p + Z**2 / (2 * whole)) / (1 + Z**2 / whole)
    half = Z / (1 + Z**2 / whole) * float(np.sqrt(p * (1 - p) / whole + Z**2 / (4 * whole**2)))
    low, high = max(0.0, min(p, centre - half)), min(1.0, max(p, centre + half))
    return Standing(kind, about, n, positive, negative, declared, p, low, high)


def shown(standings: Sequence[Standing]) -> list[Standing]:
    """What is kept of how people stand, of those that come most people first.

    An interest can be in anybody's own words, which must not outlast them: it is kept where several share it.
    """
    kept: list[Standing] = []
    for kind in KINDS:
        mine = [s for s in standings if s.kind == kind and (kind != INTEREST or s.n >= INTEREST_PEOPLE_MIN)]
        kept += mine[:STANDINGS_MAX]
    return kept


def evidence_from(kept: str) -> tuple[Evidence, ...]:
    """What a row keeps, as it was put there."""
    return tuple(Evidence(**one) for one in json.loads(kept))
