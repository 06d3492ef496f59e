"""What is said of each person: when the next order comes, of what it will be, and when that is."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from rapport.plugins.insights.next_need import choosing, learned, reading, timing
from rapport.plugins.insights.next_need.learned import Learnt
from rapport.plugins.insights.next_need.reading import Flags, Floats, Ints

LOW, MIDDLE, HIGH = 0.1, 0.5, 0.9  # ends of the 80 % interval
LONGEST_DAYS = 3_650.0
FOLLOWS = 0.2  # log ratio from which one category is said to follow another, or to be of the season


@dataclass(frozen=True, slots=True)
class When:
    """Days from now; one entry per row."""

    low: Floats
    middle: Floats
    high: Floats
    usual_days: Floats  # the person's own mean pause, or everybody's
    elapsed_days: Floats
    n: Ints  # pauses known


@dataclass(frozen=True, slots=True)
class Pick:
    """One category for each of `rows`, and what is to be said of it."""

    rows: Ints
    category: Ints
    chance: Floats  # that the next order holds it
    n: Ints  # times it was bought
    since_days: Floats
    usual_days: Floats
    after: Ints  # the category of the last order that it follows most
    follows: Flags
    seasonal: Flags


@dataclass(frozen=True, slots=True)
class Picks:
    """The likeliest category, the likeliest of those bought before, and of the others."""

    likeliest: Pick
    repeat: Pick
    new: Pick


def when(table: pa.Table, learnt: Learnt) -> When:
    """When each row orders next, if ever."""
    days = reading.order_days(table)
    where = timing.standing(learnt.orders, days, np.zeros(days.n, np.int64))
    oldest = np.zeros(days.n)
    np.maximum.at(oldest, days.unit, days.days_ago.astype(np.float64))
    found = _when(learnt.orders, where)
    # What is said in words is what the person did, and not what it was shrunk to.
    own = (oldest + 0.5 - where.elapsed_days) / np.maximum(where.n, 1)
    return replace(found, usual_days=np.where(where.n > 0, own, found.usual_days))


def when_again(table: pa.Table, learnt: Learnt, rows: Ints, category: Ints) -> When:
    """When each of these rows (ascending) buys this category again, which it has bought."""
    lines = reading.bought(table, learnt.categories)
    days, kinds = learned.pairs(lines)
    first = np.searchsorted(days.unit, np.arange(days.n))
    key = lines.person[first] * len(learnt.categories) + kinds
    wanted = np.searchsorted(key, rows * len(learnt.categories) + category)
    where = timing.standing(learnt.repeats, days, kinds)
    mine = timing.Standing(where.usual[wanted], where.n[wanted], where.elapsed_days[wanted])
    return _when(learnt.repeats, mine)


def _when(learnt: timing.Timing, where: timing.Standing) -> When:
    low, middle, high = (
        np.clip(timing.days_left(learnt, where, share), 0.0, LONGEST_DAYS) for share in (LOW, MIDDLE, HIGH)
    )
    return When(low, middle, high, np.exp(where.usual), where.elapsed_days, where.n)


def picks(table: pa.Table, learnt: Learnt) -> Picks:
    """What each row's next order will hold."""
    found: tuple[list[Pick], ...] = ([], [], [])
    if learnt.categories:
        lines = reading.bought(table, learnt.categories)
        for seen in choosing.sights(lines, learnt.known):
            share = np.exp(choosing.log_shares(seen.x @ learnt.weights.of))
            had = seen.n > 0
            everything = np.ones_like(had)
            rank = choosing.order(seen.x, share, learnt.weights.rule)
            for kept, among in zip(found, (everything, had, ~had), strict=True):
                kept.append(_pick(seen, share, np.where(among, rank, -1.0), among, learnt))
    return Picks(*(_together(parts) for parts in found))


def _pick(seen: choosing.Sight, share: Floats, rank: Floats, among: Flags, learnt: Learnt) -> Pick:
    best = rank.argmax(axis=1)
    # Who never bought anything told apart gets the likeliest of all people, and no more.
    some = among.any(axis=1) & (seen.n.sum(axis=1) > 0)
    row = np.flatnonzero(some)
    best = best[row]
    last = seen.x[row, :, choosing.FEATURES.index("in the last order")] > 0
    ratio = np.where(last, learnt.known.follows[:, best].T, -np.inf)
    after = ratio.argmax(axis=1)
    return Pick(
        row + seen.rows.start,
        best,
        choosing.chance(learnt.weights, share[row, best]),
        seen.n[row, best].astype(np.int64),
        seen.since_days[row, best],
        seen.pause_days[row, best],
        after,
        ratio[np.arange(len(row)), after] > FOLLOWS,
        learnt.known.season[best] > FOLLOWS,
    )


def _together(parts: list[Pick]) -> Pick:
    if not parts:
        none, real = np.zeros(0, np.int64), np.zeros(0)
        return Pick(none, none, real, none, real, real, none, none.astype(np.bool_), none.astype(np.bool_))
    return Pick(*(np.concatenate([getattr(p, f) for p in parts]) for f in Pick.__dataclass_fields__))
