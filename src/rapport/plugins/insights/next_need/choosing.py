"""What the next order will be of: one figure per person and category, learnt from what came next before.

A multinomial logit (McFadden 1974) over the categories. What speaks for a category: how often the person bought
it, of all time and lately, what everybody buys, and at this time of the year, whether it is due, and
what usually follows the last order. It is learnt on earlier cuts of the same log, each of which knew only what
came before it. Where plain counting picked the right one more often there, what was bought most often is
picked, and of equals what the logit, or everybody, prefers. Not taken: what all buy lately. It sets what was in
fashion at the earlier cuts above what a person needs, and foretells worse.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse
from scipy.optimize import minimize

from rapport.plugins.insights.next_need.reading import Bought, Flags, Floats, Ints

LATELY_DAYS = 60.0  # half-life of what is counted lately
SEASON_DAYS = 60  # ahead, in earlier years
YEAR_DAYS = 365
SHARE_PRIOR = 20.0  # orders of everybody that the average weighs
CLASS_PRIOR = 5.0  # pauses of all that the overall pause weighs
OWN_PRIOR = 2.0  # pauses of one person that the usual pause weighs
FOLLOWS_PRIOR = 10.0
DUE = (0.25, 0.5, 0.8, 1.2, 2.0, 4.0)  # time since it was bought, in usual pauses
FEATURES = (
    "had it often",
    "had it often lately",
    "had, and share of all orders",
    "new, and share of all orders",
    "share of all orders at this time of the year",
    "follows the last order",
    "in the last order",
    "nobody had it yet",
    *(f"had, from {edge:g} pauses ago" for edge in (0.0, *DUE)),
)
HAD = len(FEATURES) - len(DUE) - 1  # the first of those that say that it was had
CELLS = 2_000_000  # people x categories weighed at once
RIDGE = 2.0
RULES = ("share", "count, then share", "count, then share of all")
GROUP = 40  # picks
GROUPS = 20
MOST_TAKEN = 5  # categories of one order that count


@dataclass(frozen=True, slots=True)
class Known:
    """What the lines up to a moment say of the categories."""

    share: Floats  # of all orders
    is_known: Flags  # whether anybody bought it
    season: Floats  # log ratio of the share at this time of earlier years to it
    follows: Floats  # category x category: log ratio of the share after the first to the share of all
    usual: Floats  # log days of the usual pause


@dataclass(frozen=True, slots=True)
class Sight:
    """Of a block of people: what speaks for each category, rows x categories x FEATURES."""

    rows: slice
    x: Any  # float32
    n: Floats  # rows x categories: orders of it
    since_days: Floats  # rows x categories: since the last of them; 0 where there was none
    pause_days: Floats  # rows x categories: the person's own mean time between two of them, or the usual one


def known(lines: Bought, n_categories: int) -> Known:
    """Count the lines."""
    c = n_categories
    n = np.bincount(lines.category, minlength=c)
    share = (n + 0.5) / (n.sum() + 0.5 * c)
    in_season = (lines.days_ago >= YEAR_DAYS - SEASON_DAYS) & (
        (lines.days_ago % YEAR_DAYS) >= YEAR_DAYS - SEASON_DAYS
    )
    then = np.bincount(lines.category[in_season], minlength=c)
    return Known(
        share,
        n > 0,
        _against(then, share, SHARE_PRIOR),
        _follows(lines, c, share),
        _usual(lines, c),
    )


def _against(n: Floats | Ints, share: Floats, prior: float) -> Floats:
    found: Floats = np.log((n + prior * share) / ((n.sum() + prior) * share))
    return found


def _orders(lines: Bought) -> tuple[Ints, Ints]:
    """The order day of each line, numbered by person and time, and the person of each order day."""
    width = int(lines.days_ago.max(initial=0)) + 1
    key = lines.person * width + (width - 1 - lines.days_ago)
    distinct, order = np.unique(key, return_inverse=True)
    return order, distinct // width


def _follows(lines: Bought, c: int, share: Floats) -> Floats:
    order, person = _orders(lines)
    m = sparse.csr_matrix((np.ones(len(order)), (order, lines.category)), shape=(len(person), c))
    again = np.flatnonzero(person[1:] == person[:-1])
    n = np.asarray((m[again].T @ m[again + 1]).todense())
    found: Floats = np.log(
        (n + FOLLOWS_PRIOR * share) / ((n.sum(axis=1, keepdims=True) + FOLLOWS_PRIOR) * share)
    )
    return found


def _usual(lines: Bought, c: int) -> Floats:
    same = (lines.person[1:] == lines.person[:-1]) & (lines.category[1:] == lines.category[:-1])
    pause = np.log(np.maximum((lines.days_ago[:-1] - lines.days_ago[1:])[same], 0.5))
    kind = lines.category[1:][same]
    overall = (pause.sum() + np.log(90.0)) / (len(pause) + 1)
    n = np.bincount(kind, minlength=c)
    found: Floats = (np.bincount(kind, pause, c) + CLASS_PRIOR * overall) / (n + CLASS_PRIOR)
    return found


def sights(lines: Bought, what: Known) -> Iterator[Sight]:
    """Everybody, block by block."""
    c = len(what.share)
    size = max(1, CELLS // max(c * len(FEATURES), 1))
    order, person = _orders(lines)
    last_order = np.full(lines.n, -1, np.int64)
    last_order[person] = np.arange(len(person))  # ascending by time, so the last one stays
    is_last = last_order[lines.person] == order if len(order) else np.zeros(0, np.bool_)
    for start in range(0, lines.n, size):
        stop = min(start + size, lines.n)
        a, b = np.searchsorted(lines.person, [start, stop])
        part = slice(int(a), int(b))
        yield _sight(lines, part, slice(start, stop), is_last[part], what)


def _sight(lines: Bought, part: slice, rows: slice, is_last: Flags, what: Known) -> Sight:
    c, n_rows = len(what.share), rows.stop - rows.start
    cell = (lines.person[part] - rows.start) * c + lines.category[part]
    days = lines.days_ago[part].astype(np.float64)

    def per_cell(weight: Floats | None = None) -> Floats:
        return np.bincount(cell, weight, n_rows * c).reshape(n_rows, c).astype(np.float64)

    n, late, last = per_cell(), per_cell(0.5 ** (days / LATELY_DAYS)), per_cell(is_last.astype(np.float64))
    since, first = np.zeros(n_rows * c), np.zeros(n_rows * c)
    since[cell] = days  # oldest first, so the latest stays
    first[cell[::-1]] = days[::-1]
    since, first = since.reshape(n_rows, c), first.reshape(n_rows, c)
    had = n > 0
    mean_pause = np.log(np.maximum((first - since) / np.maximum(n - 1, 1), 0.5))
    pause = np.exp(
        (OWN_PRIOR * what.usual + (n - 1) * mean_pause * (n > 1)) / (OWN_PRIOR + np.maximum(n - 1, 0))
    )
    x = np.zeros((n_rows, c, len(FEATURES)), np.float32)
    much = np.where(what.is_known, np.log(what.share), 0.0)
    x[:, :, 0] = np.log(np.maximum(n, 1))
    x[:, :, 1] = np.where(had, np.log(late + 0.05), 0.0)
    x[:, :, 2] = had * much
    x[:, :, 3] = ~had * much
    x[:, :, 4] = what.season
    many = np.maximum(last.sum(axis=1, keepdims=True), 1)
    x[:, :, 5] = (last / many) @ what.follows
    x[:, :, 6] = last
    x[:, :, 7] = ~what.is_known
    age = np.searchsorted(DUE, (since + 0.5) / pause, side="right")
    for k in range(len(DUE) + 1):
        x[:, :, HAD + k] = had & (age == k)
    own_pause = np.where(n > 1, (first - since) / np.maximum(n - 1, 1), np.exp(what.usual))
    return Sight(rows, x, n, since, own_pause)


@dataclass(frozen=True, slots=True)
class Weights:
    """Of the features, and from a share among the categories to the chance that the order holds one."""

    of: Floats
    certainty: Floats  # 2 x knots: a share, ascending, and the chance that the order holds such a pick
    rule: str  # of RULES: how one is picked


GUESS = Weights(
    np.array([0.8, 0.2, 0.3, 1.0, 0.3, 0.3, 0.0, 0.0, 1.0, 1.5, 2.0, 2.2, 2.0, 1.7, 1.4]),
    np.array([[0.0, 1.0], [0.0, 1.0]]),
    rule="share",
)


def learn(x: Any, taken: Floats) -> Weights:
    """From order x category x feature, and which categories each order held.

    Weights of one half judge the other, to say which rule picks better and how sure a pick is.
    """
    n = len(x)
    half = np.arange(n) % 2 == 0
    share = np.zeros(x.shape[:2])
    for side in (half, ~half):
        share[~side] = np.exp(log_shares(x[~side] @ _fitted(x[side], taken[side])))
    row = np.arange(n)
    right = {r: float(taken[row, order(x, share, r).argmax(axis=1)].mean()) for r in RULES}
    rule = max(RULES, key=lambda r: right[r])
    rank = order(x, share, rule)
    had = _had(x)
    said, seen = [], []
    for among in (np.ones_like(had), had, ~had):
        some = np.flatnonzero(among.any(axis=1))
        pick = np.where(among, rank, -1)[some].argmax(axis=1)
        said.append(share[some, pick])
        seen.append(taken[some, pick])
    return Weights(_fitted(x, taken), _certainty(np.concatenate(said), np.concatenate(seen)), rule)


def order(x: Any, share: Floats, rule: str) -> Floats:
    """What a category is picked by: its share, or the number of times it was bought and then a share."""
    if rule == "share":
        return share
    had = _had(x)
    among = (
        share
        if rule == "count, then share"
        else np.exp(x[:, :, FEATURES.index("had, and share of all orders")])
    )
    found: Floats = np.where(
        had, np.exp(x[:, :, FEATURES.index("had it often")]) + 0.99 * among, 0.99 * share
    )
    return found


def _had(x: Any) -> Flags:
    found: Flags = x[:, :, HAD:].sum(axis=2) > 0
    return found


def _fitted(x: Any, taken: Floats) -> Floats:
    n, c, f = x.shape
    flat = x.reshape(n * c, f)
    spread = np.maximum(flat.std(axis=0), 1e-3).astype(np.float64)
    # In double precision: the search for the best weights gives up early on rounded slopes.
    z = flat.astype(np.float64) / spread
    # An order of many things tells more than one of one thing, up to a point.
    many = taken.sum(axis=1, keepdims=True)
    weight = np.minimum(many, MOST_TAKEN)
    target = weight * taken / many

    def loss(b: Floats) -> tuple[float, Floats]:
        likely = log_shares((z @ b).reshape(n, c))
        slope = (target - weight * np.exp(likely)).reshape(-1) @ z
        return float(-(target * likely).sum() + 0.5 * RIDGE * b @ b), RIDGE * b - slope

    found: Any = minimize(loss, np.zeros(f), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    weights: Floats = found.x / spread
    return weights


def log_shares(score: Floats) -> Floats:
    """Logarithm of each category's share of its row."""
    top = score.max(axis=1, keepdims=True)
    found: Floats = score - top - np.log(np.exp(score - top).sum(axis=1, keepdims=True))
    return found


def _certainty(said: Floats, seen: Floats) -> Floats:
    """How often picks came true, by share, never falling (pool adjacent violators on groups of equal size).

    Steps and no curve with two parameters: with more history shares go up, and what comes true does not.
    """
    rank = np.argsort(said, kind="stable")
    parts = np.array_split(rank, int(np.clip(len(rank) // GROUP, 1, GROUPS)))
    # Few picks are drawn toward their share.
    level = [
        [float(said[p].mean()), (float(seen[p].sum()) + 2 * float(said[p].mean())) / (len(p) + 2), len(p)]
        for p in parts
    ]
    pooled: list[list[list[float]]] = []
    for one in level:
        pooled.append([one])
        while len(pooled) > 1 and _mean(pooled[-2]) >= _mean(pooled[-1]):
            last = pooled.pop()
            pooled[-1] += last
    knots = [(one[0], _mean(block)) for block in pooled for one in block]
    return np.array(knots, np.float64).T


def _mean(block: list[list[float]]) -> float:
    return sum(one[1] * one[2] for one in block) / sum(one[2] for one in block)


def chance(weights: Weights, share: Floats) -> Floats:
    """That the next order holds a category of this share."""
    found: Floats = np.interp(share, weights.certainty[0], weights.certainty[1])
    return found


def earlier(lines: Bought, at_days_ago: int) -> Bought:
    """What was known so many days ago, as seen from then."""
    there = lines.days_ago >= at_days_ago
    return Bought(lines.n, lines.person[there], lines.category[there], lines.days_ago[there] - at_days_ago)


def came_next(lines: Bought, at_days_ago: int, within_days: int, n_categories: int) -> tuple[Ints, Floats]:
    """Rows that ordered within a time after that day, and which categories their first order then held."""
    there = (lines.days_ago < at_days_ago) & (lines.days_ago >= at_days_ago - within_days)
    person, category, days = lines.person[there], lines.category[there], lines.days_ago[there]
    first = np.full(lines.n, -1, np.int64)
    np.maximum.at(first, person, days)
    mine = days == first[person]
    rows, at = np.unique(person[mine], return_inverse=True)
    taken = np.zeros((len(rows), n_categories))
    taken[at, category[mine]] = 1.0
    return rows, taken
