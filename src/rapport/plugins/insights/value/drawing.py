"""What may come: purchases and money drawn from what a history leaves open, and where given shares of it end.

A person's future, while still a customer, depends on the number of purchases and on the age alone. So it is drawn
once per number and per age of a fixed grid, from the uncertainty about the parameters, the person's own rate and
way of leaving, the chance of each purchase and the price of each; whether the person is still a customer comes in
afterwards. The draws of a cell are the same whoever else is looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.value.buying import Buying
from rapport.plugins.insights.value.histories import Floats, Ints
from rapport.plugins.insights.value.spending import Spending

DRAWS = 1_000
AGES = 28
OLDEST_DAYS = 20_000.0
EXACT = 24  # up to so many repeat purchases each number has a row; beyond, one per step of 10 %
SHARES = np.concatenate([np.linspace(0.0, 0.95, 96), [0.96, 0.97, 0.98, 0.985, 0.99, 0.995, 0.999]])
_AGE = np.expm1(np.linspace(0.0, np.log1p(OLDEST_DAYS), AGES))


@dataclass(frozen=True, slots=True)
class Ahead:
    """What is drawn: a stretch of time on the season's clock, and how money in it is counted.

    clock_days : the time ahead on the season's clock, in days of an average week
    horizon_days : the same on the calendar
    lift : factor on the number of purchases
    discount_per_day : rate at which money loses value
    """

    clock_days: float
    horizon_days: int
    lift: float
    discount_per_day: float = 0.0


@dataclass(frozen=True, slots=True)
class Table:
    """Ends of shares of the draws of those who are still customers.

    orders, money : row (see `row_of`) x age x share; money in units of a person's own scale
    none : row x age: share of draws without a purchase
    """

    rows: Ints
    orders: Floats
    money: Floats
    none: Floats

    def place(self, n_repeats: Ints, age: Floats) -> tuple[Ints, Ints, Floats]:
        """Row, the age below, and how far on the way to the next age."""
        row = np.searchsorted(self.rows, row_of(n_repeats))
        at = np.log1p(np.clip(age, 0.0, OLDEST_DAYS)) / np.log1p(OLDEST_DAYS) * (AGES - 1)
        below = np.minimum(at.astype(np.int64), AGES - 2)
        return row, below, at - below


def row_of(n_repeats: Ints) -> Ints:
    """The number of repeat purchases that stands for others of about the same size."""
    x = np.asarray(n_repeats, np.int64)
    step = np.floor(np.log(np.maximum(x, EXACT) / EXACT) / np.log(1.1) + 1e-9)
    coarse = np.round(EXACT * 1.1**step).astype(np.int64)
    return np.where(x <= EXACT, x, coarse)


def table(buying: Buying, spending: Spending, ahead: Ahead, n_repeats: Ints, seed: int) -> Table:
    """Draw the futures of these numbers of repeat purchases at every age of the grid."""
    rows = np.unique(row_of(n_repeats))
    orders = np.empty((len(rows), AGES, len(SHARES)))
    money, none = np.empty_like(orders), np.empty((len(rows), AGES))
    theta = _thetas(buying, seed)
    seen = buying.rush.age(_AGE)
    time = buying.rush.age(_AGE + ahead.clock_days) - seen
    for i, x in enumerate(rows):
        rng = np.random.default_rng([seed, int(x)])
        n, share = buying.family.draw_if_alive(theta, rng, float(x), seen, time)
        # The lift in whole purchases: rounded up as often as its fraction says.
        n = np.floor(n * ahead.lift + rng.random(DRAWS)[None, :])
        paid = rng.gamma(np.maximum(spending.p * n, 1e-9)) * (n > 0)
        paid /= rng.gamma(spending.p * (x + 1) + spending.q, size=DRAWS)[None, :]
        if ahead.discount_per_day > 0:
            rate = ahead.discount_per_day * ahead.horizon_days * np.maximum(share, 1e-6)
            paid = paid * -np.expm1(-rate) / rate
        orders[i] = _ends(n)
        money[i] = _ends(paid)
        none[i] = (n == 0).mean(axis=1)
    return Table(rows, orders, money, none)


def ends(of: Floats, place: tuple[Ints, Ints, Floats], share: Floats, alive: Floats) -> Floats:
    """Where a share of a person's futures ends, those in which the person is gone counted as nothing."""
    row, below, on = place
    beyond = (share - (1 - alive)) / np.maximum(alive, 1e-12)
    at = np.searchsorted(SHARES, np.clip(beyond, 0.0, SHARES[-1]), side="left")
    low, high = of[row, below, at], of[row, below + 1, at]
    found: Floats = np.where(beyond > 0, low + (high - low) * on, 0.0)
    return found


def interval(
    t: Table, of: Floats, place: tuple[Ints, Ints, Floats], alive: Floats, level: float
) -> tuple[Floats, Floats]:
    """Both ends of what holds `level` of a person's futures.

    Where nothing at all is likely enough to be among them the interval begins there and the whole rest is left
    above; else as much is left below as above.
    """
    from_nothing = 1 - chance(t, place, alive) > (1 - level) / 2
    rest = np.full(len(alive), (1 - level) / 2)
    low = np.where(from_nothing, 0.0, ends(of, place, rest, alive))
    high = ends(of, place, np.where(from_nothing, level, 1 - rest), alive)
    return low, np.maximum(high, low)


def chance(t: Table, place: tuple[Ints, Ints, Floats], alive: Floats) -> Floats:
    """Probability of at least one order."""
    row, below, on = place
    some: Floats = alive * (1 - t.none[row, below] * (1 - on) - t.none[row, below + 1] * on)
    return some


def _thetas(buying: Buying, seed: int) -> Floats:
    """Parameters drawn from what the data leave open about them."""
    rng = np.random.default_rng([seed, 1 << 40])
    value, vector = np.linalg.eigh(buying.covariance)
    off = rng.standard_normal((DRAWS, len(value))) * np.sqrt(np.clip(value, 0.0, 0.25)) @ vector.T
    thetas: Floats = np.exp(np.log(buying.theta)[None, :] + np.clip(off, -1.5, 1.5))
    return thetas


def _ends(draws: Floats) -> Floats:
    found: Floats = np.quantile(draws, SHARES, axis=1, method="inverted_cdf").T
    return found
