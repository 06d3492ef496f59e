"""Who is still a customer, what each will order and spend, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.kit.clock import to_us
from rapport.plugins.insights.value import judging, words
from rapport.plugins.insights.value.families import FAMILIES
from rapport.plugins.insights.value.forecasting import Asked, Forecast, Interval, forecast, whole_share
from rapport.plugins.insights.value.histories import Floats
from rapport.plugins.insights.value.model import Model, from_bytes, learnt
from rapport.plugins.insights.value.reading import Buyers, buyers

HORIZON_DAYS = 90
DAY_US = 86_400_000_000


class Value:
    """Four scores for everybody who ever ordered.

    alive : probability of being a customer still, in [0, 1]
    expected_orders_90d : days with an order in the next 90 days; its label is a whole number to plan with
    expected_spend_90d_minor : what these cost, before refunds, in minor units of the person's currency
    clv_minor : discounted margin over `clv_days`, net of refunds, in minor units of the person's currency
    """

    name = "value"
    version = "1"
    title = "Value to come"
    meaning = "Who is still a customer, how much each is likely to order and spend, and what that is worth."
    limits = (
        "It knows orders and their dates alone: what drives people away or brings them back next month is not "
        "in it. A season shows only after more than a year, a margin of 30 % is assumed until you state "
        "your own, and for one person chance outweighs everything: use the interval, not the figure."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ()
    gives = (
        Gives("score", "alive", "probability", 0, 1, words.STATES, "Chance of being a customer still."),
        Gives(
            "score", "expected_orders_90d", "orders", 0, 1e6,
            meaning="Orders expected in 90 days; those of one day count as one.",
        ),
        Gives(
            "score", "expected_spend_90d_minor", "minor", 0, 1e18,
            meaning="Spend expected in 90 days, before refunds.",
        ),
        Gives(
            "score", "clv_minor", "minor", 0, 1e18,
            meaning="Margin expected over the horizon, net of refunds, discounted.",
        ),
    )  # fmt: skip
    # heeds_groups: country, channel and first order count, where the past says they do
    # family: auto, or one of bg_nbd, mbg_nbd, pareto_nbd; ratios of revenue, a year, and of such cases
    parameters: Mapping[str, Any] = {
        "margin_ratio": 0.3,
        "clv_days": 365,
        "discount_ratio": 0.1,
        "interval_ratio": 0.8,
        "counts_refunds": True,
        "family": "auto",
        "heeds_groups": True,
    }
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.value", "value")

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """The family that forecast the firm's own past best, its parameters, and prices by currency."""
        return _learnt(table, asked(context, HORIZON_DAYS), context)[0].to_bytes()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        if table.num_rows == 0:
            return SCORED.empty_table()
        what = asked(context, HORIZON_DAYS)
        people = buyers(table, what.now)
        said = forecast(from_bytes(model), people, what)
        return _rows(table.column("person"), people, said, what)

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Orders and spend forecast at the cut beside those of the time after it."""
        if table.num_rows == 0:
            return Backtest((), 0, judging.split(context), "Nobody had ordered before the cut.")
        what = asked(context, context.horizon_days)
        model, people = _learnt(table, what, context)
        return judging.judged(model, people, forecast(model, people, what), table, what, context)


def asked(context: Context, horizon_days: int) -> Asked:
    """What the parameters ask for; absurd ones are brought into range."""
    given = {**Value.parameters, **context.parameters}
    return Asked(
        now=to_us(context.now) // DAY_US,
        horizon_days=horizon_days,
        clv_days=int(np.clip(float(given["clv_days"]), 1, 3650)),
        margin_ratio=float(np.clip(float(given["margin_ratio"]), 0.0, 1.0)),
        discount_ratio=float(np.clip(float(given["discount_ratio"]), 0.0, 10.0)),
        interval_ratio=float(np.clip(float(given["interval_ratio"]), 0.05, 0.99)),
        counts_refunds=_is_yes(given["counts_refunds"]),
        seed=context.seed,
    )


def _is_yes(given: Any) -> bool:
    return str(given).lower() in {"true", "1", "yes"}


def _learnt(table: pa.Table, what: Asked, context: Context) -> tuple[Model, Buyers]:
    people = buyers(table, what.now)
    only = str(context.parameters.get("family", "auto"))
    model = learnt(
        people,
        what.now,
        what.horizon_days,
        what.clv_days,
        only if only in FAMILIES else "",
        heeds_groups=_is_yes(context.parameters.get("heeds_groups", True)),
    )
    return model.with_whole(whole_share(model, people, what)), people


def _rows(person: Any, people: Buyers, said: Forecast, what: Asked) -> pa.Table:
    n = len(people)
    before = words.past(people.spans, what.now)
    each = words.money(said.order_minor, people.currency)
    unit = words.minor_unit(people.currency)
    nothing = pa.repeat("", n)
    parts = [
        (
            "alive", "probability", np.clip(said.alive, 0.0, 1.0), None,
            words.state(said.alive), words.of_alive(before, said.alive),
        ),
        (
            "expected_orders_90d", "orders", np.clip(said.orders.expected, 0.0, 1e6), said.orders,
            words.orders(said.whole),
            words.of_orders(
                before, said.orders.expected, said.orders.low, said.orders.high,
                what.horizon_days, what.interval_ratio,
            ),
        ),
        (
            "expected_spend_90d_minor", unit, np.clip(said.spend.expected, 0.0, 1e18), said.spend, nothing,
            words.of_spend(said.orders.expected, each, people.n_paid),
        ),
        (
            "clv_minor", unit, np.clip(said.clv.expected, 0.0, 1e18), said.clv, nothing,
            words.of_clv(said.clv_orders, each, said.kept, what.clv_days, what.margin_ratio),
        ),
    ]  # fmt: skip
    ids = pc.cast(person, pa.int64())
    return pa.concat_tables([_part(ids, *part) for part in parts])


def _part(
    person: Any, name: str, unit: Any, value: Floats, between: Interval | None, label: Any, reason: Any
) -> pa.Table:
    n = len(value)
    ends = (
        [pa.nulls(n, pa.float64())] * 2
        if between is None
        else [pa.array(between.low), pa.array(between.high)]
    )
    return pa.table(
        [
            person,
            pa.repeat(name, n),
            pa.array(value),
            pa.repeat(unit, n) if isinstance(unit, str) else unit,
            *ends,
            label,
            reason,
        ],
        schema=SCORED,
    )


plugin = Value()
