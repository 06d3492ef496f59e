"""Histories in three figures: how many repeat purchases, when the last one was, how long we have looked.

Those three (x, t_x, T) hold all that the families of this folder learn from; people who share them are counted
once (Fader and Hardie's "frequency, recency, age").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class States:
    """Distinct histories and how many people have each.

    n_repeats : purchases after the first, 0 and more
    last : from the first purchase to the last one, in whatever unit of time; 0 without a repeat
    seen : from the first purchase to now, in the same unit, at least `last`
    weight : people
    """

    n_repeats: Floats
    last: Floats
    seen: Floats
    weight: Floats

    def __len__(self) -> int:
        return len(self.weight)

    @property
    def n_people(self) -> float:
        return float(self.weight.sum())


@dataclass(frozen=True, slots=True)
class Likelihood:
    """A family's log-likelihood of states, and how it changes.

    gradient : by the logarithms of the parameters
    by_last, by_seen : of one person of each state, by that person's two times
    """

    value: float
    gradient: Floats
    by_last: Floats
    by_seen: Floats


@dataclass(frozen=True, slots=True)
class Ages:
    """How old people were, as customers, when they bought again.

    days : distinct ages, above 0
    weight : repeat purchases at each
    typical : an age that the first rush may fade within, in days
    """

    days: Floats
    weight: Floats
    typical: float


def summed(weight: Floats, figure: Floats) -> float:
    """The weighted sum; not by a matrix product, whose threads wait for each other on a busy machine."""
    return float(np.einsum("i,i->", weight, figure))


def states(n_repeats: Floats | Ints, last: Floats, seen: Floats) -> States:
    """People's histories, equal ones counted together."""
    x = np.asarray(n_repeats, np.float64)
    if len(x) == 0:
        return States(x, last, seen, np.zeros(0))
    order = np.lexsort((seen, last, x))
    x, last, seen = x[order], last[order], seen[order]
    begins = np.flatnonzero(
        np.concatenate([[True], (np.diff(x) != 0) | (np.diff(last) != 0) | (np.diff(seen) != 0)])
    )
    weight = np.diff(np.append(begins, len(x))).astype(np.float64)
    return States(x[begins], last[begins], seen[begins], weight)


@dataclass(frozen=True, slots=True)
class Log:
    """Who bought on which day: one entry per person and day, by person and day.

    person : position of the person, from 0 to n - 1, ascending
    day : days since 1970-01-01
    spent : of that day, in minor units of the person's currency; NaN where there is none in it
    """

    n: int
    person: Ints
    day: Ints
    spent: Floats

    def before(self, day: int) -> Log:
        """What was known at the beginning of a day; people who had not bought yet stay, without an entry."""
        mine = self.day < day
        return Log(self.n, self.person[mine], self.day[mine], self.spent[mine])

    def part(self, most: int) -> Log:
        """Every k-th person, so that there are no more than so many."""
        every = self.step(most)
        if every <= 1:
            return self
        mine = self.person % every == 0
        return Log(-(-self.n // every), self.person[mine] // every, self.day[mine], self.spent[mine])

    def step(self, most: int) -> int:
        """One of how many people is in such a part."""
        return max(1, -(-self.n // most))

    def counted(self, since: int, until: int) -> Floats:
        """Days with a purchase of each person, from one day to before another."""
        mine = (self.day >= since) & (self.day < until)
        return np.bincount(self.person[mine], minlength=self.n).astype(np.float64)

    def paid(self) -> tuple[Floats, Floats]:
        """Days of each person on which something was paid, and the mean of those days; 0 where there is none."""
        counts = np.isfinite(self.spent) & (self.spent > 0)
        n = np.bincount(self.person[counts], minlength=self.n).astype(np.float64)
        total = np.bincount(self.person[counts], weights=self.spent[counts], minlength=self.n)
        return n, total / np.maximum(n, 1.0)

    def spans(self) -> Spans:
        """First and last day and number of days of the people who bought at all."""
        begins = np.flatnonzero(np.diff(self.person, prepend=-1))
        ends = np.append(begins[1:], len(self.person))[: len(begins)]
        return Spans(self.person[begins], ends - begins, self.day[begins], self.day[ends - 1])


@dataclass(frozen=True, slots=True)
class Spans:
    """One entry per person who bought."""

    person: Ints
    n_days: Ints  # with a purchase
    first: Ints
    last: Ints

    def __len__(self) -> int:
        return len(self.person)
