"""From the query's rows to buyers: a log of days, and what is known of each person beside it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.plugins.insights.value.histories import Floats, Log, Spans

OLDEST_DAYS = 20_000  # what is older than that is taken to be that old; it is a wrong date


@dataclass(frozen=True, slots=True)
class Buyers:
    """One entry per row of the table, by its order.

    currency : '' where none is stated
    refunded, mean_paid, first_paid : in minor units of the currency; first_paid is NaN where it was in none
    country, channel : of the first order, '' where unknown
    """

    log: Log
    spans: Spans
    currency: Any
    refunded: Floats
    n_paid: Floats
    mean_paid: Floats
    first_paid: Floats
    country: Any
    channel: Any

    def __len__(self) -> int:
        return self.log.n


def buyers(table: pa.Table, now: int) -> Buyers:
    """What the query gave; everybody in it has at least one order before the day `now` ends."""
    orders = table.column("orders").combine_chunks()
    entries = orders.flatten()
    offsets = np.asarray(orders.offsets.to_numpy(), np.int64)
    n_each = offsets[1:] - offsets[:-1]
    person = np.repeat(np.arange(table.num_rows, dtype=np.int64), n_each)
    day = np.asarray(entries.field("day").to_numpy(zero_copy_only=False), np.int64)
    spent = entries.field("spent_minor").cast(pa.float64()).fill_null(np.nan)
    day = np.clip(day, now - OLDEST_DAYS, now)
    order = np.argsort(person * (1 << 21) + (day - (now - OLDEST_DAYS)), kind="stable")
    log = Log(
        table.num_rows,
        person[order],
        day[order],
        np.asarray(spent.to_numpy(zero_copy_only=False), np.float64)[order],
    )
    n_paid, mean_paid = log.paid()
    spans = log.spans()
    begins = np.append([0], np.cumsum(spans.n_days))[: len(spans)]
    return Buyers(
        log,
        spans,
        words_of(table, "currency"),
        np.maximum(numbers(table, "refunded_minor"), 0.0),
        n_paid,
        mean_paid,
        log.spent[begins],
        words_of(table, "country"),
        words_of(table, "channel"),
    )


def words_of(table: pa.Table, column: str) -> Any:
    """A column as text, nothing as ''."""
    return table.column(column).cast(pa.string()).fill_null("").to_numpy(zero_copy_only=False).astype(str)


def numbers(table: pa.Table, column: str) -> Floats:
    """A column as floats, nothing as 0."""
    return np.asarray(
        table.column(column).cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False), np.float64
    )
