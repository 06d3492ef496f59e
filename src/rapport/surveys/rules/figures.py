"""What answers come to, each with its interval: NPS, CSAT, CES and other means; standardised differences.

Shapes: counts are whole answers, one per response. Ranges: NPS in [-100, 100], shares in [0, 1], means on
the question's own scale. All intervals are two-sided at 95 %.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import special

LEVEL = 0.95
NOTABLE = 0.1  # a standardised difference beyond this is worth a look (Austin 2009)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with the bounds of its interval and the number of answers it stands on."""

    value: float
    low: float
    high: float
    n: int

    @property
    def margin(self) -> float:
        """Half the width of the interval: the margin of error."""
        return (self.high - self.low) / 2


def nps(by_score: Mapping[int, int]) -> Estimate | None:
    """Net promoter score: the share of 9 and 10 less that of 0 to 6, times 100 (Reichheld 2003).

    Promoters less detractors is the difference of two shares of one sample, so the interval is that for a
    difference of paired proportions with one answer added on either side (Bonett and Price 2012); it keeps
    its level for small numbers, and has a width where all agree.

    >>> nps({10: 5, 9: 2, 8: 1, 3: 2}).value
    50.0
    """
    n = sum(by_score.values())
    if not n:
        return None
    up = sum(count for score, count in by_score.items() if score >= 9)
    down = sum(count for score, count in by_score.items() if score <= 6)
    p, q = (up + 1) / (n + 2), (down + 1) / (n + 2)
    wide = _z() * math.sqrt((p + q - (p - q) ** 2) / (n + 2))
    low, high = max(-1.0, p - q - wide), min(1.0, p - q + wide)
    value = (up - down) / n
    return Estimate(100 * value, 100 * min(low, value), 100 * max(high, value), n)


def share(part: int, n: int) -> Estimate | None:
    """A share with its interval by the score method (Wilson 1927).

    >>> round(share(8, 10).low, 3)
    0.49
    """
    if not n:
        return None
    z2 = _z() ** 2
    p = part / n
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    wide = _z() * math.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, max(0.0, middle - wide), min(1.0, middle + wide), n)


def csat(by_score: Mapping[int, int], *, high: int = 5) -> Estimate | None:
    """The satisfied share: answers in the upper two of the scale (ISO 10004)."""
    satisfied = sum(count for score, count in by_score.items() if score >= high - 1)
    return share(satisfied, sum(by_score.values()))


def mean(n: int, average: float, deviation: float, *, low: float, high: float) -> Estimate | None:
    """A mean with Student's interval, cut at the ends of its scale; with one answer, the whole scale."""
    if not n:
        return None
    if n == 1:
        return Estimate(average, low, high, n)
    wide = float(special.stdtrit(n - 1, (1 + LEVEL) / 2)) * deviation / math.sqrt(n)
    return Estimate(average, max(low, average - wide), min(high, average + wide), n)


def mean_of(by_score: Mapping[int, int], *, low: float, high: float) -> Estimate | None:
    """The mean of counted scores, with its interval."""
    n = sum(by_score.values())
    if not n:
        return None
    average = sum(score * count for score, count in by_score.items()) / n
    squares = sum(count * (score - average) ** 2 for score, count in by_score.items())
    return mean(n, average, math.sqrt(squares / (n - 1)) if n > 1 else 0.0, low=low, high=high)


@dataclass(frozen=True, slots=True)
class Difference:
    """How often a value occurs among those who answered and in the base, and how far apart that is."""

    label: str
    n_answered: int
    n_base: int
    answered_ratio: float
    base_ratio: float
    standardised: float

    @property
    def is_notable(self) -> bool:
        return abs(self.standardised) > NOTABLE


def differences(rows: Sequence[tuple[str, int, int]]) -> list[Difference]:
    """Standardised differences of shares from (label, n answered, n base): d over the pooled deviation.

    It does not grow with the number of answers, as a test would (Austin 2009, eq. 2).
    """
    n_answered = sum(row[1] for row in rows)
    n_base = sum(row[2] for row in rows)
    found = []
    for label, answered, base in rows:
        p = answered / n_answered if n_answered else 0.0
        q = base / n_base if n_base else 0.0
        spread = math.sqrt((p * (1 - p) + q * (1 - q)) / 2)
        # Without any spread the shares are 0 or 1: the same, or as far apart as they can be.
        apart = (p - q) / spread if spread else math.copysign(math.inf, p - q) if p != q else 0.0
        found.append(Difference(label, answered, base, p, q, apart))
    return found


def _z() -> float:
    return float(special.ndtri((1 + LEVEL) / 2))
