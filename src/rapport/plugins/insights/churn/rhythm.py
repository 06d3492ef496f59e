"""What somebody's own rhythm says: the chance of no order within the horizon, from orders alone.

The rule is MBG/NBD (Batislam, Denizel and Filiztekin 2007, "Empirical validation and comparison of models for
customer base analysis"): people buy at a rate of their own, and after each order some leave for good. With x
repeat orders, the last after t days, T days after the first one, and gamma (r, alpha) and beta (a, b) spreads,

    alive = 1 / (1 + a / (b + x) * ((alpha + T) / (alpha + t)) ** (r + x))
    no order in h days = 1 - alive * (1 - ((alpha + T) / (alpha + T + h)) ** (r + x))

Not taken from there: its likelihood. The four numbers are chosen so that the chance of no order within the
horizon comes out right for what is known to have happened, which is all that is asked of them here.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import optimize

from rapport.plugins.insights.churn.histories import Flags, Floats, Histories, Ints

ROWS_MOST = 20_000  # that the numbers are chosen on
FIRM = 0.05  # how hard the numbers are held to the usual ones: a penalty on the logarithms of their ratio


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Columns over questions."""

    n: Floats  # order days before the moment
    first: Floats  # days since the first one
    last: Floats  # days since the last one

    @classmethod
    def of(cls, people: Histories, row: Ints, at: Floats) -> Rhythm:
        moments = people.orders
        begin, place = moments.first_place(row), moments.place(row, at)
        n = (place - begin).astype(np.float64)
        there = n > 0
        if not len(moments.at):
            return cls(n, np.zeros(len(row)), np.zeros(len(row)))
        first = np.where(there, at - moments.at[np.minimum(begin, len(moments.at) - 1)], 0.0)
        return cls(n, first, np.where(there, at - moments.at[place - 1], 0.0))

    def take(self, rows: Ints | Flags) -> Rhythm:
        return Rhythm(self.n[rows], self.first[rows], self.last[rows])


def usual(rhythm: Rhythm) -> Floats:
    """Numbers to begin with: the mean rate of these people, and a spread as wide as rates usually have."""
    days = rhythm.first.sum() + len(rhythm.n)
    rate = max((rhythm.n - 1).clip(0).sum() + 0.5, 0.5) / days if len(rhythm.n) else 0.01
    return np.array([0.5, 0.5 / rate, 0.8, 2.5])


def silence(numbers: Floats, rhythm: Rhythm, horizon_days: float) -> Floats:
    """The chance of no order within the horizon."""
    r, alpha, a, b = numbers
    x = (rhythm.n - 1).clip(0)
    total = rhythm.first.clip(0)
    until = (rhythm.first - rhythm.last).clip(0)
    log_odds_gone = np.log(a / (b + x)) + (r + x) * (np.log(alpha + total) - np.log(alpha + until))
    alive = 1 / (1 + np.exp(log_odds_gone.clip(-50, 50)))
    none = np.exp((r + x) * (np.log(alpha + total) - np.log(alpha + total + horizon_days)))
    chance: Floats = (1 - alive * (1 - none)).clip(1e-6, 1 - 1e-6)
    return chance


def learn(
    rhythm: Rhythm, silent: Flags, horizon_days: float, weight: float, rng: np.random.Generator
) -> Floats:
    """The four numbers under which what happened was likeliest, held to the usual ones; each case weighs `weight`."""
    start = np.log(usual(rhythm))
    if len(silent) == 0:
        return np.exp(start)
    if len(silent) > ROWS_MOST:
        some = rng.choice(len(silent), ROWS_MOST, replace=False)
        rhythm, silent = rhythm.take(some), silent[some]

    def loss(logs: Floats) -> float:
        p = silence(np.exp(logs), rhythm, horizon_days)
        said = np.where(silent, np.log(p), np.log1p(-p))
        return float(-weight * said.sum() + FIRM * ((logs - start) ** 2).sum())

    bounds = [(s - 4, s + 4) for s in start]
    found = optimize.minimize(loss, start, method="L-BFGS-B", bounds=bounds, options={"maxiter": 60})
    return np.asarray(np.exp(found.x), np.float64)
