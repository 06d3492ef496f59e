"""How often people post: three kinds of them, each a gamma of rates, and counts that are Poisson given the rate.

Gamma-Poisson mixture (negative binomial components; Greenwood and Yule 1920) fitted by expectation maximisation
(Dempster, Laird and Rubin 1977); it begins where the 90-9-1 rule would part people (Nielsen 2006) and is held
there as by a few people, so that a handful of accounts is not parted by chance. Not taken from it: that the three
shares are 90, 9 and 1 %.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np
from scipy.special import gammainccinv, gammaln

from rapport.plugins.insights.participation.places import Flags, Floats, Ints, Places

LEVELS = ("lurker", "contributor", "leader")
RULE = np.array([0.90, 0.09, 0.01])
HELD_BY = 10.0  # people whom the rule counts for
SHAPES = (1.0, 2.0, 4.0)  # of the gammas: 1 is very unequal within a level, 4 is not
FACTOR = 3.0  # a level's usual rate is at least so many times that of the one below
PEOPLE_LEAST = 200  # of a network that is learnt by itself; those with fewer are learnt together
STEPS = 200
OTHERS = ""  # the networks that have no mixture of their own
USUAL = np.array([0.02, 0.2, 2.0])  # posts a week, where too few people are known to part them


@dataclass(frozen=True, slots=True)
class Mixture:
    """share (3,): of people; mean (3,): posts a week; shape: of every gamma."""

    share: tuple[float, ...]
    mean: tuple[float, ...]
    shape: float

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Self:
        return cls(tuple(given["share"]), tuple(given["mean"]), float(given["shape"]))


@dataclass(frozen=True, slots=True)
class Rate:
    """Of each person and network: chance of each level (n, 3), posts a week, and the ends of their interval."""

    chance: Floats
    value: Floats
    low: Floats
    high: Floats

    @property
    def level(self) -> Ints:
        most: Ints = self.chance.argmax(axis=1)
        return most


def learn(places: Places) -> dict[str, Mixture]:
    """A mixture for each network with enough people, and one for the others together."""
    found = {OTHERS: _fitted(places.n, places.weeks)}
    for name in np.unique(places.network.astype(str)):
        mine = places.network == name
        if mine.sum() >= PEOPLE_LEAST:
            found[str(name)] = _fitted(places.n[mine], places.weeks[mine])
    return found


def as_json(mixtures: Mapping[str, Mixture]) -> dict[str, Any]:
    return {name: asdict(mixture) for name, mixture in mixtures.items()}


def rates(mixtures: Mapping[str, Mixture], places: Places) -> Rate:
    """What each person's posts say of their rate on each network."""
    n = len(places)
    chance, value, low, high = np.zeros((n, 3)), np.zeros(n), np.zeros(n), np.zeros(n)
    for name in np.unique(places.network.astype(str)):
        mine = places.network == name
        one = mixtures.get(str(name), mixtures[OTHERS])
        found = _rate(one, places.n[mine], places.weeks[mine])
        chance[mine], value[mine], low[mine], high[mine] = found.chance, found.value, found.low, found.high
    return Rate(chance, value, low, high)


def by_rule(n: Floats) -> Ints:
    """The naive way: of those who post most, one in a hundred leads and nine contribute."""
    if len(n) == 0:
        return np.zeros(0, np.int64)
    rank = np.empty(len(n), np.int64)
    rank[np.argsort(-n, kind="stable")] = np.arange(len(n))
    return np.select([rank < 0.01 * len(n), rank < 0.10 * len(n)], [2, 1], 0).astype(np.int64)


def _fitted(n: Floats, weeks: Floats) -> Mixture:
    if not n.sum():
        return Mixture(tuple(RULE.tolist()), tuple(USUAL.tolist()), SHAPES[0])
    found = [_climbed(n, weeks, shape) for shape in SHAPES]
    return max(found, key=lambda one: one[1])[0]


def _climbed(n: Floats, weeks: Floats, shape: float) -> tuple[Mixture, float]:
    """The mixture of one shape, and how likely it makes the counts."""
    start = _begin(n, weeks)
    mean, share = start.copy(), RULE.copy()
    usual_weeks = float(np.median(weeks))
    likely = -np.inf
    for _ in range(STEPS):
        log_p = _log_chance(n, weeks, shape, mean) + np.log(share)
        top = log_p.max(axis=1, keepdims=True)
        weight = np.exp(log_p - top)
        total = weight.sum(axis=1, keepdims=True)
        now = float((np.log(total) + top).sum())
        weight /= total
        # Each level is held to where it began as by people of the rule.
        held = HELD_BY * RULE
        share = (weight.sum(axis=0) + held) / (len(n) + HELD_BY)
        mean = (weight.T @ n + held * start * usual_weeks) / (weight.T @ weeks + held * usual_weeks)
        mean = _apart(mean)
        if now - likely < 1e-6 * abs(now):
            break
        likely = now
    return Mixture(tuple(share.tolist()), tuple(mean.tolist()), shape), now


def _begin(n: Floats, weeks: Floats) -> Floats:
    """The mean rates of the many, the few and the one in a hundred; of few people, what is usual."""
    if len(n) < PEOPLE_LEAST:
        return USUAL.copy()
    order = np.argsort(n / weeks, kind="stable")
    edges = [0, round(0.90 * len(n)), round(0.99 * len(n)), len(n)]
    mean = np.zeros(3)
    for k in range(3):
        part = order[edges[k] : edges[k + 1]]
        mean[k] = (n[part].sum() + 0.1) / (weeks[part].sum() + 0.1 * np.median(weeks)) if len(part) else 0.0
    return _apart(np.maximum(mean, 1e-4))


def _apart(mean: Floats) -> Floats:
    second = max(mean[1], FACTOR * mean[0])
    return np.array([mean[0], second, max(mean[2], FACTOR * second)])


def _log_chance(n: Floats, weeks: Floats, shape: float, mean: Floats) -> Floats:
    """(n, 3): log of the negative binomial, apart from what is the same for all levels."""
    expected = weeks[:, None] * mean[None, :]
    log_p: Floats = (
        gammaln(n + shape)[:, None]
        - gammaln(shape)
        + shape * np.log(shape / (shape + expected))
        + n[:, None] * np.log(expected / (shape + expected))
        - gammaln(n + 1)[:, None]
    )
    return log_p


def _rate(one: Mixture, n: Floats, weeks: Floats) -> Rate:
    mean, share = np.array(one.mean), np.array(one.share)
    log_p = _log_chance(n, weeks, one.shape, mean) + np.log(share)
    chance = np.exp(log_p - log_p.max(axis=1, keepdims=True))
    chance /= chance.sum(axis=1, keepdims=True)
    alpha = n[:, None] + one.shape
    beta = weeks[:, None] + one.shape / mean[None, :]
    each = alpha / beta
    value = (chance * each).sum(axis=1)
    # The interval of a gamma with the moments of the mixture of the three.
    spread = (chance * (alpha / beta**2 + each**2)).sum(axis=1) - value**2
    a, b = value**2 / spread, value / spread
    return Rate(chance, value, gammainccinv(a, 0.975) / b, gammainccinv(a, 0.025) / b)


def highest(places: Places, chance: Floats) -> tuple[Ints, Flags]:
    """(persons,): the highest level on any network, and where in the rows it stands."""
    level = chance.argmax(axis=1)
    first = places.first_of()
    best = np.maximum.reduceat(level, first) if len(level) else np.zeros(0, np.int64)
    return best, level == best[places.owner]
