"""What is said of each buyer: orders, spend and worth to come, each with the interval that holds a stated share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rapport.plugins.insights.value import drawing
from rapport.plugins.insights.value.drawing import Ahead
from rapport.plugins.insights.value.histories import Floats
from rapport.plugins.insights.value.model import Model
from rapport.plugins.insights.value.reading import Buyers

STEPS = 8  # of the horizon, in which money is discounted
WHOLE_PEOPLE = 20_000  # among whom the share for whole numbers is found
YEAR_DAYS = 365.0


@dataclass(frozen=True, slots=True)
class Asked:
    """What a forecast is for."""

    now: int  # days since 1970
    horizon_days: int
    clv_days: int
    margin_ratio: float
    discount_ratio: float  # a year
    interval_ratio: float
    counts_refunds: bool
    seed: int

    @property
    def discount_per_day(self) -> float:
        return float(np.log1p(self.discount_ratio) / YEAR_DAYS)


@dataclass(frozen=True, slots=True)
class Interval:
    """An expectation, and both ends of what holds a stated share of the futures. One entry per buyer."""

    expected: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True)
class Forecast:
    """One entry per buyer.

    alive : probability of being a customer still; `again`: that of at least one order within the horizon
    order_minor : what an order is expected to cost, before refunds
    whole : orders as whole numbers that add up to about the expected total
    clv_orders : orders over the horizon of `clv_minor`, and `kept`, the share of their money that is not refunded
    """

    alive: Floats
    again: Floats
    orders: Interval
    spend: Interval
    clv: Interval
    order_minor: Floats
    whole: Floats
    clv_orders: Floats
    kept: Floats


def forecast(model: Model, buyers: Buyers, asked: Asked) -> Forecast:
    """Everything that is said of these buyers."""
    spans, now = buyers.spans, asked.now
    buying = model.buying
    alive = buying.alive(spans, now)
    steps = [max(1, round(asked.clv_days * (i + 1) / STEPS)) for i in range(STEPS)]
    if_alive = buying.expected_if_alive(spans, now, [asked.horizon_days, *steps])
    factor = model.factor(buyers)
    orders = alive * if_alive[:, 0] * model.lift * factor
    middle = (np.array(steps) + np.array([0, *steps[:-1]])) / 2
    per_step = np.diff(if_alive[:, 1:], axis=1, prepend=0.0) * (alive * model.lift_clv * factor)[:, None]
    discounted = (per_step * np.exp(-asked.discount_per_day * middle)).sum(axis=1)
    n = len(buyers)
    found = {
        name: np.zeros(n) for name in ("order", "kept", "spend_low", "spend_high", "clv_low", "clv_high")
    }
    low, high, whole, again = (np.zeros(n) for _ in range(4))
    age = buying.age_on_clock(spans, now)
    x = spans.n_days - 1
    soon, later = _ahead(model, asked)
    for currency in np.unique(buyers.currency):
        mine = np.flatnonzero(buyers.currency == currency)
        price = model.price(str(currency))
        near = drawing.table(buying, price.spending, soon, x[mine], asked.seed)
        far = drawing.table(buying, price.spending, later, x[mine], asked.seed)
        place, still = near.place(x[mine], age[mine]), alive[mine]
        again[mine] = drawing.chance(near, place, still)
        low[mine], high[mine] = drawing.interval(near, near.orders, place, still, asked.interval_ratio)
        whole[mine] = drawing.ends(near.orders, place, np.full(len(mine), model.whole), still)
        each = price.spending.expected(buyers.n_paid[mine], buyers.mean_paid[mine])
        # A draw is in units of the person's own scale; those with fewer priced orders keep the right mean.
        scale = (
            factor[mine]
            * each
            * (price.spending.p * spans.n_days[mine] + price.spending.q - 1)
            / price.spending.p
        )
        found["order"][mine] = each
        found["kept"][mine] = 1 - price.refund_ratio if asked.counts_refunds else 1.0
        for name, of, per_unit in (
            ("spend", near, scale),
            ("clv", far, scale * asked.margin_ratio * found["kept"][mine]),
        ):
            ends = drawing.interval(of, of.money, place, still, asked.interval_ratio)
            found[f"{name}_low"][mine], found[f"{name}_high"][mine] = (per_unit * end for end in ends)
    worth = discounted * found["order"] * asked.margin_ratio * found["kept"]
    return Forecast(
        alive=alive if model.leaving is buying else model.leaving.alive(spans, now),
        again=again,
        orders=Interval(orders, np.round(low * factor), np.round(high * factor)),
        spend=Interval(orders * found["order"], found["spend_low"], found["spend_high"]),
        clv=Interval(worth, found["clv_low"], found["clv_high"]),
        order_minor=found["order"],
        whole=np.round(whole * factor),
        clv_orders=per_step.sum(axis=1),
        kept=found["kept"],
    )


def whole_share(model: Model, buyers: Buyers, asked: Asked) -> float:
    """The share of a person's futures at which whole numbers of orders add up to the expected total.

    Of all whole numbers with the right sum these are the nearest to what happens, person by person: the sum of
    absolute errors under a fixed total is least where everybody's number is the same quantile.
    """
    spans = buyers.spans
    if len(buyers) == 0:
        return 0.5
    some = slice(None, None, -(-len(buyers) // WHOLE_PEOPLE))
    alive = model.buying.alive(spans, asked.now)[some]
    if_alive = model.buying.expected_if_alive(spans, asked.now, [asked.horizon_days])[some, 0]
    factor = model.factor(buyers)[some]
    total = float((alive * if_alive * factor).sum() * model.lift)
    x, age = spans.n_days[some] - 1, model.buying.age_on_clock(spans, asked.now)[some]
    price = model.price(str(buyers.currency[0]))
    t = drawing.table(model.buying, price.spending, _ahead(model, asked)[0], x, asked.seed)
    place = t.place(x, age)
    low, high = 0.0, 1.0
    for _ in range(20):
        share = (low + high) / 2
        said = np.round(drawing.ends(t.orders, place, np.full(len(x), share), alive) * factor).sum()
        low, high = (share, high) if said < total else (low, share)
    return (low + high) / 2


def _ahead(model: Model, asked: Asked) -> tuple[Ahead, Ahead]:
    """The time until the horizon, and until that of the worth."""
    at: Any = model.buying.clock.at(
        np.array([asked.now, asked.now + asked.horizon_days, asked.now + asked.clv_days])
    )
    return (
        Ahead(float(at[1] - at[0]), asked.horizon_days, model.lift),
        Ahead(float(at[2] - at[0]), asked.clv_days, model.lift_clv, asked.discount_per_day),
    )
