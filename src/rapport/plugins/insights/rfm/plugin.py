"""Recency, frequency and monetary value of every buyer, in fifths, and the cell they make."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives, Metric
from rapport.kit import chances, query
from rapport.plugins.insights.rfm import fifths, words
from rapport.plugins.insights.rfm.fifths import Fifths, Floats


class Rfm:
    """Four scores for everybody who ever ordered.

    recency_days : since the last order, in [0, 36525]
    frequency : orders, 1 or more
    monetary_minor : net of refunds, in minor units of the currency of most of the orders
    rfm : the sum of the three fifths, in [3, 15]; its label is the cell of recency and frequency
    """

    name = "rfm"
    version = "1"
    title = "Recency, frequency, money"
    meaning = "How lately, how often and for how much each person bought, against everybody else who buys."
    limits = (
        "It ranks people against each other and knows nothing else: a fifth of a small firm's buyers is a "
        "handful, and seasonal goods make everybody look lost out of season. It does not foretell how much "
        "somebody will buy."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ()
    gives = (
        Gives("score", "recency_days", "days", 0, 36_525, meaning="Days since the last order."),
        Gives("score", "frequency", "orders", 1, 1e9, meaning="Orders placed."),
        Gives("score", "monetary_minor", "minor", -1e15, 1e15, meaning="Money spent, net of refunds."),
        Gives("score", "rfm", "points", 3, 15, fifths.LABELS, "The three fifths added up; 15 is best."),
    )
    parameters: Mapping[str, Any] = {}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.rfm", "rfm")

    def fit(self, table: pa.Table, context: Context) -> bytes:  # noqa: ARG002  the contract's
        """The cuts between the fifths; money is cut currency by currency."""
        currencies = table.column("currency").to_numpy(zero_copy_only=False)
        money = _numbers(table, "value_minor")
        return json.dumps(
            {
                "recency": fifths.cuts(-_numbers(table, "recency_days")),
                "frequency": fifths.cuts(_numbers(table, "n_orders")),
                "monetary": {str(c): fifths.cuts(money[currencies == c]) for c in np.unique(currencies)},
            }
        ).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002
        if table.num_rows == 0:
            return SCORED.empty_table()
        r, f, m = _fifths(json.loads(model), table)
        days, orders = _numbers(table, "recency_days"), _numbers(table, "n_orders")
        money = words.money(table.column("value_minor"), table.column("currency"))
        cell = pa.array(fifths.LABELS).take(pa.array(fifths.label(r, f)))
        ago, times = words.days_ago(days), words.orders(orders)
        parts = [
            _rows(table, "recency_days", days, "days", words.of_five(r), words.recency(ago, r)),
            _rows(table, "frequency", orders, "orders", words.of_five(f), words.frequency(times, f)),
            _rows(
                table,
                "monetary_minor",
                _numbers(table, "value_minor"),
                words.minor_unit(table.column("currency")),
                words.of_five(m),
                words.monetary(money, m),
            ),
            _rows(
                table,
                "rfm",
                (r + f + m).astype(np.float64),
                "points",
                cell,
                words.cell(cell, ago, times, money, (r, f, m)),
            ),
        ]
        return pa.concat_tables(parts)

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Whether who ranks high before the cut orders in the time after it."""
        split = f"ranked by orders before {context.now:%Y-%m-%d}, judged on the {context.horizon_days} days after it"
        again = _numbers(table, "n_next") > 0 if table.num_rows else np.zeros(0, np.bool_)
        if not again.any() or again.all():
            return Backtest(
                (), table.num_rows, split, "Nothing to tell apart: nobody, or everybody, bought again."
            )
        r, f, m = _fifths(json.loads(self.fit(table, context)), table)
        points = (r + f + m).astype(np.float64)
        top = points >= np.quantile(points, 0.8)
        best = fifths.label(r, f) == fifths.LABELS.index("champions")
        metrics = [
            Metric(
                "ranking of who buys again (AUC)",
                chances.auc(points, again).value,
                "the last to buy first",
                chances.auc(-_numbers(table, "recency_days"), again).value,
                "probability",
                meaning="How often one who bought again ranks above one who did not; 0.5 is chance.",
            ),
            Metric(
                "share of later buyers among the best ranked",
                float(again[top].sum() / again.sum()),
                "as many people picked at random",
                float(top.mean()),
                meaning=f"The best ranked are {top.mean():.0%} of all buyers.",
            ),
        ]
        if best.any():
            metrics.append(
                Metric(
                    "champions who bought again",
                    float(again[best].mean()),
                    "everybody",
                    float(again.mean()),
                    meaning="The share that ordered within the time after the cut.",
                )
            )
        return Backtest(tuple(metrics), table.num_rows, split)


def _fifths(model: Mapping[str, Any], table: pa.Table) -> tuple[Fifths, Fifths, Fifths]:
    money, currencies = (
        _numbers(table, "value_minor"),
        table.column("currency").to_numpy(zero_copy_only=False),
    )
    monetary = np.full(table.num_rows, 3, np.int64)  # a currency never seen ranks in the middle
    for currency, above in model["monetary"].items():
        there = currencies == currency
        monetary[there] = fifths.fifth(money[there], above)
    return (
        fifths.fifth(-_numbers(table, "recency_days"), model["recency"]),
        fifths.fifth(_numbers(table, "n_orders"), model["frequency"]),
        monetary,
    )


def _numbers(table: pa.Table, column: str) -> Floats:
    return np.asarray(table.column(column).to_numpy(zero_copy_only=False), np.float64)


def _rows(table: pa.Table, name: str, value: Floats, unit: Any, label: Any, reason: Any) -> pa.Table:
    n = table.num_rows
    return pa.table(
        [
            pc.cast(table.column("person"), pa.int64()),
            pa.repeat(name, n),
            pa.array(value),
            pa.repeat(unit, n) if isinstance(unit, str) else unit,
            pa.nulls(n, pa.float64()),
            pa.nulls(n, pa.float64()),
            label,
            reason,
        ],
        schema=SCORED,
    )


plugin = Rfm()
