"""How much an answer helps: learnt from contacts that were answered and contacts that were not.

Somebody who has ordered n times in d days orders again within the window with probability q = 1 - (1 + w/(d + d0))^-(n + n0)
if they stay (a Poisson rate with a gamma prior, integrated out). Of those who wait in vain a share s stays, of
those who are answered after t hours s + h 2^(-t / half-life). The posterior of (s, h) is taken on a grid, h with
a normal prior that says what is assumed where nothing is known: it shrinks what few contacts show towards it.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ASSUMED, ASSUMED_SD = 0.05, 0.05  # of help by an answer at once: five in a hundred stay who would else leave
N0, D0 = 0.5, 60.0  # prior of the rate: half an order in two months
HELPS = np.linspace(-0.10, 0.50, 121)
STAYS = np.linspace(0.20, 1.20, 51)  # above 1 where people order more often than their past says
MATTERS_MOST = 20_000  # of more, as many are drawn
LEAST_EACH = 20  # answered and unanswered, below which the assumption is said to be one


@dataclass(frozen=True, slots=True)
class Help:
    """What an answer at once adds to the probability of staying, with its 95 % interval."""

    likely: float = ASSUMED
    low: float = 0.0
    high: float = ASSUMED + 1.96 * ASSUMED_SD
    stays: float = 1.0  # of those who wait in vain, beside what their past orders say
    n_answered: int = 0
    n_unanswered: int = 0

    @property
    def is_learnt(self) -> bool:
        return min(self.n_answered, self.n_unanswered) >= LEAST_EACH

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Matters:
    """Columns over contacts with a known end."""

    orders_again: Floats  # q: probability of an order within the window, if the person stays
    hours: Floats  # to the answer; infinite where there was none
    returned: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.hours)


def matters_of(column: Any, window_days: float) -> Matters:
    """The contacts in a list column of the query."""
    rows: Any = pc.list_flatten(column)
    rows = rows.combine_chunks() if isinstance(rows, pa.ChunkedArray) else rows
    if len(rows) == 0:
        nothing = np.zeros(0)
        return Matters(nothing, nothing, nothing.astype(bool))

    def numbers(name: str, missing: float) -> Floats:
        arrow: Any = pc
        cast = arrow.fill_null(arrow.cast(arrow.struct_field(rows, name), pa.float64()), missing)
        return np.asarray(cast.to_numpy(zero_copy_only=False), np.float64)

    n, days = numbers("n_orders", 0.0), numbers("known_days", 0.0)
    return Matters(
        orders_again=1 - (1 + window_days / (np.maximum(days, 0) + D0)) ** -(n + N0),
        hours=np.maximum(numbers("answer_hours", np.inf), 0.0),
        returned=numbers("returned", 0.0) > 0,
    )


def learn(matters: Matters, half_life_hours: float, rng: np.random.Generator) -> Help:
    """The posterior on the grid; the assumption alone where there is no contact."""
    n = len(matters)
    answered = np.isfinite(matters.hours)
    chosen = np.arange(n) if n <= MATTERS_MOST else np.sort(rng.choice(n, MATTERS_MOST, replace=False))
    q, good = matters.orders_again[chosen], matters.returned[chosen]
    fades = 0.5 ** (matters.hours[chosen] / half_life_hours)
    prior = -0.5 * ((HELPS - ASSUMED) / ASSUMED_SD) ** 2
    log = np.repeat(prior[None, :], len(STAYS), axis=0)
    for row, stay in enumerate(STAYS):  # a row of the grid at a time, to spare memory
        p = np.clip(q[:, None] * (stay + HELPS[None, :] * fades[:, None]), 1e-4, 1 - 1e-4)
        log[row] += np.log(p[good]).sum(axis=0) + np.log1p(-p[~good]).sum(axis=0)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    of_help, of_stay = weight.sum(axis=0), weight.sum(axis=1)
    below = np.cumsum(of_help)
    return Help(
        likely=float(max(0.0, (of_help * HELPS).sum())),
        low=float(max(0.0, HELPS[np.searchsorted(below, 0.025)])),
        high=float(max(0.0, HELPS[min(int(np.searchsorted(below, 0.975)), len(HELPS) - 1)])),
        stays=float((of_stay * STAYS).sum()),
        n_answered=int(answered.sum()),
        n_unanswered=int((~answered).sum()),
    )


def foretold(matters: Matters, help_: Help, half_life_hours: float) -> Floats:
    """Probability of an order within the window after each contact, with regard to its answer."""
    fades = 0.5 ** (matters.hours / half_life_hours)
    said: Floats = np.clip(matters.orders_again * (help_.stays + help_.likely * fades), 0.0, 1.0)
    return said


def read(given: str) -> Help:
    return Help(**json.loads(given))
