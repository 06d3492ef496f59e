"""What each person would buy if left alone: the expectation the models are judged against.

For a person alive at the end, the rate of orders t days ahead is r(t) = l w(t) + sum of the densities of what
falls due, and the relation survives to t with probability exp(-m t - q R(t)), where m is the person's own
hazard, q the probability that an order drives the person away and R the integral of r. The expected number of
orders by h is the integral of r times survival; money weighs each category with its expected basket.
What falls due has a normal jitter; a due date is conditioned on not having happened before the end.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from rapport.demo import answering, basket
from rapport.demo.buying import CYCLE_BOUGHT, Due, Trade
from rapport.demo.draw import Floats, Ints
from rapport.demo.experience import DEFECT, LEAVES, late_share, misfit_share
from rapport.demo.persons import People
from rapport.demo.span import DAY_S, FUTURE_DAYS, Span
from rapport.demo.world import CHANNELS, World

HORIZONS_DAYS = (30, 90, 180)
STEP_DAYS = 5


@dataclass(frozen=True, slots=True)
class Expected:
    """Columns over people; zero for those whose relation has ended."""

    purchases: Floats  # person x horizon
    spend_minor: Floats  # person x horizon
    next_category: Ints  # most probable category of the next order within the longest horizon, or -1
    next_category_probability: Floats
    order_minor: Floats  # what an order costs on average over a year
    orders_per_day: Floats  # over an average year, while the relation lasts


def expected(world: World, when: Span, p: People, lived: Trade) -> Expected:
    """Expectations from the present on, without a message from us."""
    n = len(p)
    edges = np.arange(0, FUTURE_DAYS + STEP_DAYS, STEP_DAYS)
    weight = _weights(when, edges)
    one_off = p.rate[:, None] * p.taste
    due = [_falling_due(when, n, dates, edges) for dates in lived.due]
    rate = one_off @ weight
    for falls in due:
        rate = rate + falls
    before = np.cumsum(rate, axis=1) - rate / 2
    middle = (edges[:-1] + edges[1:]) / 2
    loss = _loss_per_order(world, when, p)
    survival = np.exp(-p.hazard[:, None] * middle[None, :] - loss[:, None] * before)
    survival *= ((lived.ending == 0) & p.is_customer)[:, None]
    cost = basket.expected_minor(world, p)
    worn = world.categories.worn
    purchases, spend = np.zeros((n, len(HORIZONS_DAYS))), np.zeros((n, len(HORIZONS_DAYS)))
    for h, days in enumerate(HORIZONS_DAYS):
        steps = slice(0, days // STEP_DAYS)
        by_category = one_off * (survival[:, steps] @ weight[:, steps].T)
        for w, falls in enumerate(due):
            by_category[:, worn[w]] += (falls[:, steps] * survival[:, steps]).sum(axis=1)
        purchases[:, h] = by_category.sum(axis=1)
        spend[:, h] = (by_category * cost).sum(axis=1)
    first = survival * np.exp(-before)
    chance = one_off * (first @ weight.T)
    for w, falls in enumerate(due):
        chance[:, worn[w]] += (falls * first).sum(axis=1)
    yearly = one_off.copy()
    for w in range(len(worn)):
        yearly[:, worn[w]] += np.divide(CYCLE_BOUGHT, p.cycle[:, w], out=np.zeros(n), where=p.cycle[:, w] > 0)
    yearly *= p.is_customer[:, None]
    total = yearly.sum(axis=1)
    best = chance.argmax(axis=1)
    has_next = chance.sum(axis=1) > 0
    return Expected(
        purchases=purchases,
        spend_minor=spend,
        next_category=np.where(has_next, best, -1),
        next_category_probability=chance[np.arange(n), best],
        order_minor=np.divide((yearly * cost).sum(axis=1), total, out=np.zeros(n), where=total > 0),
        orders_per_day=total,
    )


def _weights(when: Span, edges: Ints) -> Floats:
    """Category x step: seasonal weight in days."""
    at = when.end_s / DAY_S + edges
    days = np.arange(when.n_days + 1.0)
    return np.stack([np.diff(np.interp(at, days, season)) for season in when.season])


def _falling_due(when: Span, n: int, due: Due, edges: Ints) -> Floats:
    """Person x step: expected purchases of what wears out, given which due dates have not come about yet."""
    out = np.zeros((n, len(edges) - 1))
    now = when.end_s / DAY_S
    for k in range(due.day.shape[1]):
        below = ndtr((now + edges[None, :] - due.day[:, k, None]) / due.sd[:, None])
        share = np.diff(below, axis=1) / np.maximum(1 - below[:, :1], 1e-12)
        out[due.person] += CYCLE_BOUGHT * share * due.pending[:, k, None]
    return out


def _loss_per_order(world: World, when: Span, p: People) -> Floats:
    """Probability that an order drives the person away, at the channels the person uses."""
    day = np.full(len(p), min(when.end_s // DAY_S + 1, when.n_days - 1))
    sent = 1 - p.channels[:, CHANNELS.index("shop")]
    late = late_share(world, when, p.country, day) * sent
    everywhere = np.ones(len(p), dtype=bool)
    misfit = sum(
        p.taste[:, c] * misfit_share(world, p.country, p.car, np.full(len(p), c), everywhere)
        for c in range(p.taste.shape[1])
    )
    answered = answering.kept_share(world)[p.country]  # of those who complain and would leave

    def stay(chance: Floats | float, why: str, aspect: str) -> Floats:
        stays: Floats = 1 - chance * LEAVES[why] * (1 - answering.COMPLAINS[aspect] * answered)
        return stays

    loss: Floats = 1 - (
        stay(late, "late", "delivery")
        * stay(misfit * sent, "misfit", "fit")
        * stay(DEFECT, "defect", "quality")
    )
    return loss
