"""What people did, as moments that can be asked "how many before then, and when was the last?" for many at once.

Time is in days relative to `$now`: negative lies before it. A question is a row (of the person) and a moment;
what happened at that moment or later is unknown to it. So one table of histories serves every cut-off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FARTHEST_DAYS = 1e5  # a date further away is somebody's slip, and lies there
NEVER_DAYS = 3_650.0  # how long ago something lies that never happened
_APART = 4 * FARTHEST_DAYS  # keeps people apart in a sorted key

KINDS = (
    "refunds", "sessions", "sent", "opened", "clicked", "stopped", "complaints", "letters", "replies",
    "low_answers", "good_answers", "negative_texts", "positive_texts",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Moments:
    """When one kind of thing happened: by person, and by time for each."""

    row: Ints
    at: Floats
    key: Floats

    @classmethod
    def of(cls, row: Ints, at: Floats) -> Moments:
        at = np.nan_to_num(at, nan=FARTHEST_DAYS).clip(-FARTHEST_DAYS, FARTHEST_DAYS)
        key = row * _APART + at
        order = np.argsort(key, kind="stable")
        return cls(row[order], at[order], key[order])

    def place(self, row: Ints, at: Floats | float) -> Ints:
        """Where the first moment from `at` on lies."""
        return np.asarray(np.searchsorted(self.key, row * _APART + at, side="left"), np.int64)

    def first_place(self, row: Ints) -> Ints:
        """Where the person's first moment lies."""
        return self.place(row, -2 * FARTHEST_DAYS + 1)

    def n(self, row: Ints, at: Floats, days: float | None = None) -> Floats:
        """How many before `at`, or in so many days before it."""
        begin = self.first_place(row) if days is None else self.place(row, at - days)
        return (self.place(row, at) - begin).astype(np.float64)

    def since(self, row: Ints, at: Floats) -> Floats:
        """Days since the last one before `at`; NEVER_DAYS where there was none."""
        if not len(self.at):
            return np.full(len(row), NEVER_DAYS)
        place = self.place(row, at)
        there = place > self.first_place(row)
        return np.where(there, (at - self.at[place - 1]).clip(0, NEVER_DAYS), NEVER_DAYS)

    def n_since(self, row: Ints, at: Floats, begin: Floats) -> Floats:
        """How many from `begin` to before `at`."""
        return (self.place(row, at) - self.place(row, begin)).clip(0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Histories:
    """What many people did; `n` rows, in the order of the table they were read from."""

    n: int
    orders: Moments
    minor: Floats  # of each order day, 0 where it was in another currency
    currency: NDArray[Any]
    others: Mapping[str, Moments]
    answers_known: bool  # the firm's answers are recorded, so that where none is there was none

    def __getitem__(self, kind: str) -> Moments:
        return self.others[kind]

    def buyers(self, at: float) -> Ints:
        """The rows of those who had ordered before that moment."""
        row = np.arange(self.n)
        return row[self.orders.n(row, np.full(self.n, at)) > 0]


def read(table: pa.Table, answers_known: bool | None = None) -> Histories:
    """Histories from what the query yields; by default answers are known where these people got any before now."""
    n = table.num_rows
    row, ordered = _flat(table.column("orders"))
    if len(row):
        ago = _floats(pc.struct_field(ordered, "ago"))
        minor = np.nan_to_num(_floats(pc.struct_field(ordered, "minor")))
    else:
        ago = minor = np.zeros(0)
    orders = Moments.of(row, -ago)
    sort = np.argsort(row * _APART + np.nan_to_num(-ago, nan=FARTHEST_DAYS).clip(-FARTHEST_DAYS, FARTHEST_DAYS),
                      kind="stable")  # fmt: skip
    others = {}
    for kind in KINDS:
        who, moments = _flat(table.column(kind))
        others[kind] = Moments.of(who, -_floats(moments))
    currency = table.column("currency").to_numpy(zero_copy_only=False).astype(str)
    known = bool((others["replies"].at < 0).any()) if answers_known is None else answers_known
    return Histories(n, orders, minor[sort], currency, others, known)


def _flat(column: pa.ChunkedArray) -> tuple[Ints, Any]:
    """The row of each value in lists, and the values."""
    if pa.types.is_null(column.type):
        return np.zeros(0, np.int64), pa.array([], pa.float64())
    arrow: Any = pc
    lists = column.combine_chunks()
    lengths = arrow.fill_null(arrow.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    return np.repeat(np.arange(len(lengths)), lengths), arrow.list_flatten(lists)


def _floats(values: Any) -> Floats:
    return np.asarray(pc.cast(values, pa.float64()).to_numpy(zero_copy_only=False), np.float64)
