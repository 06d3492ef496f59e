"""What a person's country, first channel and first order say beyond the own history, where they say anything.

For each the trials in the past show how many orders its people placed for each one forecast. The ratio, pulled
toward 1 where orders are few, becomes a factor on their forecasts: but only if factors learnt from one half of the
people make the forecasts of the other half better by more than chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport.plugins.insights.value.choosing import BEYOND_CHANCE, Trial, deviance
from rapport.plugins.insights.value.histories import Floats, Ints
from rapport.plugins.insights.value.reading import Buyers

KINDS = ("country", "channel", "first order")
FACTOR_SD = 0.3  # how far groups differ, as a rule, in logarithms
Words = NDArray[Any]


@dataclass(frozen=True, slots=True)
class Factors:
    """Of one kind, the factor of each of its groups; others have 1."""

    kind: str
    by_group: Mapping[str, float]

    def of(self, groups: Words) -> Floats:
        distinct, place = np.unique(groups, return_inverse=True)
        found: Floats = np.array([self.by_group.get(str(g), 1.0) for g in distinct])[place]
        return found


@dataclass(frozen=True, slots=True)
class Fifths:
    """What divides first orders into five parts, by currency."""

    cuts: Mapping[str, tuple[float, ...]]

    def of(self, buyers: Buyers) -> Words:
        part = np.zeros(len(buyers), np.int64)
        for currency, cuts in self.cuts.items():
            mine = buyers.currency == currency
            part[mine] = 1 + np.searchsorted(cuts, buyers.first_paid[mine], side="right")
        part[~(buyers.first_paid > 0)] = 0
        return np.array(["", "1", "2", "3", "4", "5"])[part]


NO_FIFTHS = Fifths({})


def fifths(buyers: Buyers) -> Fifths:
    """The cuts of these buyers' first orders."""
    found = {}
    for currency in np.unique(buyers.currency):
        paid = buyers.first_paid[(buyers.currency == currency) & (buyers.first_paid > 0)]
        if len(paid) >= 5:
            found[str(currency)] = tuple(np.quantile(paid, [0.2, 0.4, 0.6, 0.8]).tolist())
    return Fifths(found)


def groups(kind: str, buyers: Buyers, parts: Fifths) -> Words:
    """The group of each buyer."""
    return parts.of(buyers) if kind == "first order" else getattr(buyers, kind)


def factors(trial: Trial, buyers: Buyers, parts: Fifths, every: int) -> tuple[Factors, ...]:
    """The kinds that say something, with their groups' factors; `every` k-th buyer took part in the trial."""
    known = np.flatnonzero(trial.expected > 0)
    if len(known) < 100:
        return ()
    bought, expected = trial.bought[known], trial.expected[known]
    half = np.arange(len(known)) % 2
    kept = []
    for kind in KINDS:
        names, group = np.unique(groups(kind, buyers, parts)[::every][known], return_inverse=True)
        if not 2 <= len(names) <= 1_000:
            continue
        better = np.empty(len(known))
        for h in (0, 1):
            learnt = _ratios(bought, expected, group, len(names), half != h)
            better[half == h] = learnt[group[half == h]]
        gain = deviance(bought, expected) - deviance(bought, expected * better)
        if gain.sum() > BEYOND_CHANCE * np.sqrt((gain**2).sum()):
            ratio = _ratios(bought, expected, group, len(names), np.ones(len(known), np.bool_))
            expected = expected * ratio[group]
            kept.append(Factors(kind, {str(n): float(r) for n, r in zip(names, ratio, strict=True)}))
    return tuple(kept)


def _ratios(bought: Floats, expected: Floats, group: Ints, n: int, mine: NDArray[np.bool_]) -> Floats:
    """Bought over expected by group, pulled toward 1, and such that the total stays."""
    scatter = max(1.0, float(((bought - expected) ** 2).sum() / expected.sum()))
    pull = scatter / FACTOR_SD**2
    e = np.bincount(group[mine], weights=expected[mine], minlength=n)
    scale = bought[mine].sum() / max(e.sum(), 1e-9)
    ratio = (np.bincount(group[mine], weights=bought[mine], minlength=n) + pull) / (e * scale + pull)
    found: Floats = ratio / max(float((ratio * e).sum() / e.sum()), 1e-9)
    return found
