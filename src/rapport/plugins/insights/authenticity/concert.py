"""Saying the same at the same time: which keys of texts several accounts used within days, beyond chance.

A run is a stretch of posts with one key, no two neighbours further apart than WITHIN_DAYS. How many accounts a run
would hold by chance follows from how many others use the key at other times (Poisson), so that a common phrase, or
one that news brings up, tells little. Runs that the same accounts come back to are a ring (connected components of
accounts and runs; Pacheco et al. 2021). What is kept of a run is the hash, the days and the counts: no account.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.stats import poisson

from rapport.plugins.insights.authenticity.posts import Floats, Ints, Posts

WITHIN_DAYS = 2.0
CHANCE_LEAST = 1e-4  # of a run by chance: what comes of it says no more than this
CHANCE_OF_TWO = 0.02  # two people hit on the same words now and then, whatever else the log shows
HOT = 0.05  # a run likelier than this by chance is none


@dataclass(frozen=True, slots=True)
class Runs:
    """One row per run that chance does not explain, by key; `first` and `last` in days before now, first >= last."""

    key: NDArray[np.uint64]
    first: Floats
    last: Floats
    n: Floats  # accounts
    chance: Floats  # of as many accounts in these days, were each to write by itself
    recurs: Floats  # share of its accounts that meet again in another burst of the ring
    ring_n: Floats  # accounts of the ring

    def __len__(self) -> int:
        return len(self.key)

    def table(self) -> pa.Table:
        return pa.table({name: getattr(self, name) for name in self.__slots__})

    @classmethod
    def of(cls, table: pa.Table) -> Runs:
        return cls(*(table.column(name).to_numpy(zero_copy_only=False) for name in cls.__slots__))


@dataclass(frozen=True, slots=True)
class Met:
    """(posts,): the run a post belongs to, of several the least likely one by chance; -1 for none."""

    run: Ints


def learn(posts: Posts) -> Runs:
    """Every run of these posts that chance does not explain."""
    row, band = np.nonzero(posts.keys)
    if not len(row):
        return _nothing()
    key, ago, owner = posts.keys[row, band], posts.ago[row], posts.owner[row]
    order = np.lexsort((-ago, key))
    key, ago, owner = key[order], ago[order], owner[order]
    same = key[1:] == key[:-1]
    run = np.concatenate([[0], np.cumsum(~(same & (ago[:-1] - ago[1:] <= WITHIN_DAYS)))])
    begin = np.flatnonzero(np.concatenate([[True], run[1:] != run[:-1]]))
    end = np.append(begin[1:], len(run)) - 1
    n = _distinct(run, owner, len(begin))
    of_key = np.cumsum(np.concatenate([[True], ~same])) - 1
    elsewhere = _distinct(of_key, owner, int(of_key[-1]) + 1)[of_key[begin]] - n
    several = n >= 2
    begin, end, n, elsewhere = begin[several], end[several], n[several], elsewhere[several]
    days = max(float(posts.ago.max() - posts.ago.min()), WITHIN_DAYS)
    expected = (elsewhere + 0.5) * np.minimum(1.0, 2 * WITHIN_DAYS / days)
    # The first account is there whatever happens; the chance is of the others.
    chance = np.maximum(poisson.sf(n - 2, expected), np.where(n == 2, CHANCE_OF_TWO, CHANCE_LEAST))
    hot = chance < HOT
    number = np.full(int(run[-1]) + 1, -1)
    number[run[begin[hot]]] = np.arange(hot.sum())
    inside = number[run] >= 0
    recurs, ring_n = _rings(number[run][inside], owner[inside], ago[inside], int(hot.sum()))
    return Runs(key[begin[hot]], ago[begin[hot]], ago[end[hot]], n[hot], chance[hot], recurs, ring_n)


def meet(runs: Runs, posts: Posts) -> Met:
    """Which run each post belongs to."""
    found = np.full(len(posts), -1, np.int64)
    best = np.full(len(posts), np.inf)
    if not len(runs):
        return Met(found)
    # Runs of a key lie apart, the earliest first: the one sought is the last that began before the post.
    for band in range(posts.keys.shape[1]):
        at = _last_begun(runs, posts.keys[:, band], posts.ago)
        good = (at >= 0) & (runs.key[at] == posts.keys[:, band]) & (posts.keys[:, band] > 0)
        good &= (posts.ago <= runs.first[at]) & (posts.ago >= runs.last[at])
        better = good & (runs.chance[at] < best)
        found[better], best[better] = at[better], runs.chance[at][better]
    return Met(found)


def _last_begun(runs: Runs, key: NDArray[np.uint64], ago: Floats) -> Ints:
    """Row by row, the last run of the key, or of one before it, that began by then; runs are sorted so."""
    keys, place = np.unique(np.concatenate([runs.key, key]), return_inverse=True)
    del keys
    mine, theirs = place[: len(runs)], place[len(runs) :]
    merged = np.lexsort(
        (
            np.concatenate([np.zeros(len(runs)), np.ones(len(key))]),
            -np.concatenate([runs.first, ago]),
            np.concatenate([mine, theirs]),
        )
    )
    is_run = merged < len(runs)
    last = np.maximum.accumulate(np.where(is_run, merged, -1))
    found = np.full(len(key), -1, np.int64)
    found[merged[~is_run] - len(runs)] = last[~is_run]
    return found


def _distinct(group: Ints, owner: Ints, n: int) -> Floats:
    """How many owners each group has."""
    pairs = np.unique(group * (int(owner.max()) + 1) + owner)
    return np.bincount(pairs // (int(owner.max()) + 1), minlength=n).astype(np.float64)


def _rings(run: Ints, owner: Ints, ago: Floats, n_runs: int) -> tuple[Floats, Floats]:
    """Of each run: how many of its accounts meet again at another time, and how many the ring has."""
    if not n_runs:
        return np.zeros(0), np.zeros(0)
    accounts, who = np.unique(owner, return_inverse=True)
    edges = coo_array(
        (np.ones(len(run)), (run, n_runs + who)), shape=(n_runs + len(accounts), n_runs + len(accounts))
    )
    _, ring = connected_components(edges, directed=False)
    size = np.bincount(ring[n_runs:], minlength=int(ring.max()) + 1)
    # Bands of one burst are many runs at one time: what counts is meeting at another time.
    low = np.full(len(accounts), np.inf)
    high = np.full(len(accounts), -np.inf)
    np.minimum.at(low, who, ago)
    np.maximum.at(high, who, ago)
    again = (high - low) > 2 * WITHIN_DAYS
    n = np.bincount(run, minlength=n_runs)
    recurs = np.bincount(run, again[who], minlength=n_runs) / np.maximum(n, 1)
    return recurs, size[ring[:n_runs]].astype(np.float64)


def _nothing() -> Runs:
    none = np.zeros(0)
    return Runs(np.zeros(0, np.uint64), none, none, none, none, none, none)
