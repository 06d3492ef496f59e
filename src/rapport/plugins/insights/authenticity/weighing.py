"""From what an account did to the chance that it is genuine: evidence added up in log-odds.

Each figure is the logarithm of how much likelier it is of an account that is not what it seems. Those of running
in concert follow from chance (see `concert`); the others are set by hand, small, and stated here: nothing was learnt
from labelled accounts, because nobody hands out any that hold beyond one network.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.authenticity.concert import Met, Runs
from rapport.plugins.insights.authenticity.posts import Flags, Floats, Posts

PRIOR = 0.01  # share of accounts that are not genuine, before anything is known
IN_CONCERT = 0.5  # share of the posts of such an account that a run catches
POST_MOST = 5.0  # what one post in concert can tell
RECURS = 2.0  # the same accounts met before
OWN_WORDS = -np.log(1 - IN_CONCERT)  # against it: a post that is in no run
OWN_MOST = 40  # such posts count: hundreds of harmless ones hide no ring
CUSTOMER = 2.0  # against it: who bought something
ANSWERS = 0.7  # against it: who answers others
FRESH = 0.7  # its first post was one in concert
ONE_SIDED = 0.5  # several posts, all of them far on one side
REPEATS = 3.0  # most of ten posts and more are copies of its own
CLOCKWORK = 4.0  # ten posts and more at regular times
MANY = 10
FAR = 0.5  # of sentiment, from the middle
REGULAR = 0.1  # standard deviation over mean of the times between posts


@dataclass(frozen=True, slots=True)
class Weighed:
    """(accounts,): the chance of being genuine, and what told."""

    genuine: Floats
    in_concert: Floats  # posts
    n_posts: Floats
    most: Floats  # accounts in the largest run it was part of
    bursts: Floats  # how often
    repeats: Flags
    clockwork: Flags
    customer: Flags
    said: Flags  # staff decided


def weigh(runs: Runs, met: Met, posts: Posts) -> Weighed:
    """Add up what speaks for and against each account."""
    inside = met.run >= 0
    at = met.run.clip(0)
    chance = runs.chance[at] if len(runs) else np.ones(len(posts))
    recurs = runs.recurs[at] if len(runs) else np.zeros(len(posts))
    told = np.where(inside, np.minimum(np.log(IN_CONCERT / chance), POST_MOST) + RECURS * recurs, 0.0)
    n = posts.count()
    odds = np.full(posts.n_accounts, np.log(PRIOR / (1 - PRIOR)))
    odds += np.bincount(posts.owner, told, minlength=posts.n_accounts)
    n_in = posts.count(inside)
    customer = posts.n_orders > 0
    repeats, clockwork = _repeats(posts, n), _clockwork(posts, n)
    # A machine's own words are no sign of a human being.
    odds -= OWN_WORDS * np.minimum(n - n_in, OWN_MOST) * ~(repeats | clockwork)
    odds -= CUSTOMER * customer
    odds -= ANSWERS * (posts.count(posts.is_reply) > 0)
    odds += FRESH * _first_in(posts, inside)
    odds += ONE_SIDED * _one_sided(posts, n)
    odds += REPEATS * repeats + CLOCKWORK * clockwork
    said = np.isin(posts.said.astype(str), ("genuine", "left_out"))
    odds = np.where(posts.said == "genuine", -np.inf, np.where(posts.said == "left_out", np.inf, odds))
    with np.errstate(over="ignore"):
        genuine = 1 / (1 + np.exp(odds))
    return Weighed(
        genuine, n_in, n, _most(runs, met, posts), _bursts(posts, inside), repeats, clockwork, customer, said
    )


def _first_in(posts: Posts, inside: Flags) -> Flags:
    """The earliest post is one in concert; posts of an account go from the earliest to the latest."""
    first = np.searchsorted(posts.owner, np.arange(posts.n_accounts))
    has = posts.count() > 0
    found = np.zeros(posts.n_accounts, np.bool_)
    found[has] = inside[first[has]]
    return found


def _one_sided(posts: Posts, n: Floats) -> Flags:
    known = np.nan_to_num(posts.value)
    far = posts.count(known > FAR), posts.count(known < -FAR)
    return (n >= 3) & ((far[0] >= 0.9 * n) | (far[1] >= 0.9 * n))


def _repeats(posts: Posts, n: Floats) -> Flags:
    key = posts.keys[:, 0]
    long = key > 0
    pairs = np.unique(np.stack([posts.owner[long].astype(np.uint64), key[long]]), axis=1)
    distinct = np.bincount(pairs[0].astype(np.int64), minlength=posts.n_accounts)
    n_long = posts.count(long)
    return (n >= MANY) & (n_long >= 0.5 * n) & (distinct <= 0.4 * n_long)


def _clockwork(posts: Posts, n: Floats) -> Flags:
    same = posts.owner[1:] == posts.owner[:-1]
    gap, of = (posts.ago[:-1] - posts.ago[1:])[same], posts.owner[1:][same]
    count = np.maximum(np.bincount(of, minlength=posts.n_accounts), 1)
    mean = np.bincount(of, gap, minlength=posts.n_accounts) / count
    square = np.bincount(of, gap**2, minlength=posts.n_accounts) / count
    spread = np.sqrt(np.maximum(square - mean**2, 0.0))
    return (n >= MANY) & (spread < REGULAR * mean)


def _most(runs: Runs, met: Met, posts: Posts) -> Floats:
    most = np.zeros(posts.n_accounts)
    inside = np.flatnonzero(met.run >= 0)
    if len(inside):
        np.maximum.at(most, posts.owner[inside], runs.n[met.run[inside]])
    return most


def _bursts(posts: Posts, inside: Flags) -> Floats:
    """How many times, days apart, an account spoke in concert."""
    of, ago = posts.owner[inside], posts.ago[inside]
    new = np.ones(len(of), np.bool_)
    new[1:] = (of[1:] != of[:-1]) | (ago[:-1] - ago[1:] > 2.0)
    return np.bincount(of, new, minlength=posts.n_accounts).astype(np.float64)
