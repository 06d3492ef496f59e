"""What changed beyond chance between two stretches of days. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.kit import chances

T_975 = {6: 2.447, 12: 2.179, 26: 2.056}  # Student's quantile by degrees of freedom; 7 and 7 days give 12
LEAST_PER_STRETCH = 10  # fewer events than this change by chance alone


@dataclass(frozen=True, slots=True)
class Ratio:
    """How many times as many as before, with its 95 % interval."""

    likely: float
    low: float
    high: float

    @property
    def is_beyond_chance(self) -> bool:
        return self.low > 1 or self.high < 1


def ratio(now: Sequence[int], before: Sequence[int]) -> Ratio | None:
    """The ratio of the daily means of two stretches of equal length, or None where there is too little.

    The interval is on the log scale, by the delta method: var(log m) = s²/(n m²), where s² is the larger
    of the days' own variance and that of Poisson counts. Days of one week differ more than Poisson says.
    """
    n = len(now)
    if n != len(before) or n < 2 or max(sum(now), sum(before)) < LEAST_PER_STRETCH:
        return None
    if not sum(now) or not sum(before):
        # From nothing, or to nothing: half an event stands for none.
        now = [x + 0.5 / n for x in now]  # type: ignore[misc]
        before = [x + 0.5 / n for x in before]  # type: ignore[misc]
    log_ratio = math.log(_mean(now) / _mean(before))
    spread = math.sqrt(_log_variance(now) + _log_variance(before))
    t = T_975.get(2 * n - 2, 2.0)
    return Ratio(math.exp(log_ratio), math.exp(log_ratio - t * spread), math.exp(log_ratio + t * spread))


def is_notable(before: int, entered: int, left: int) -> bool:
    """Whether a group of people moved by more than chance: at least a twentieth, and 99 % sure of its direction.

    If as many entered as left in the long run, the difference of the two in a stretch of days would spread by
    the root of their sum.
    """
    net, flow = abs(entered - left), entered + left
    return net >= LEAST_PER_STRETCH and net * 20 >= before and net > 2.576 * math.sqrt(flow)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _log_variance(values: Sequence[float]) -> float:
    n, mean = len(values), _mean(values)
    own = sum((v - mean) ** 2 for v in values) / (n - 1)
    return max(own, mean) / (n * mean * mean)


def wilson(n_part: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (Wilson 1927), which stays within 0 and 1 and holds for small counts."""
    found = chances.share(n_part, n)
    return found.low, found.high
