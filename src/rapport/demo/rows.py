"""Touchpoint tables from columns: constants spread, message ids counted, JSON put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.demo.draw import Ints, join, join_present
from rapport.demo.span import Span
from rapport.events.rules import TOUCHPOINT
from rapport.kit import clock

US = 1_000_000


@dataclass(slots=True)
class Rows:
    """Collects the touchpoints of one block; `prefix` keeps message ids apart between blocks and markets."""

    when: Span
    prefix: str
    tables: list[pa.Table]

    def ids(self, kind: str, n: int) -> pa.StringArray:
        """Message ids of one kind of touchpoint: the same each time the market is made."""
        return join(f"{self.prefix}{kind}", np.arange(n))

    def add(
        self,
        kind: str,
        name: str,
        at_s: Any,
        identifier: pa.Array,
        *,
        message_id: pa.Array | None = None,
        also: pa.Array | None = None,
        **columns: Any,
    ) -> None:
        """Add touchpoints of one name; columns are arrays, constants or left out."""
        n = len(identifier)
        at_us = self.microseconds(kind, at_s)
        given: dict[str, Any] = columns | {
            "message_id": self.ids(kind, n) if message_id is None else message_id,
            "name": name,
            "ts": pa.array(at_us, pa.timestamp("us", tz="UTC")),
            "identifier": identifier,
            "also": also,
        }
        table = pa.table([_column(given.get(f.name), f.type, n) for f in TOUCHPOINT], schema=TOUCHPOINT)
        past = (at_us < clock.to_us(self.when.end)) & pc.is_valid(identifier).to_numpy(zero_copy_only=False)
        self.tables.append(table if past.all() else table.filter(pa.array(past)))

    def microseconds(self, kind: str, at_s: Any) -> Ints:
        """Microseconds since 1970, with a fraction of a second that differs from row to row."""
        seconds = np.asarray(at_s)
        salt = sum(kind.encode()) * 7919
        fraction = (np.arange(len(seconds)) * 618_034 + salt) % US
        whole = seconds.astype(np.int64) * US + fraction // 1000 * 1000
        moments: Ints = whole + clock.to_us(self.when.start)
        return moments

    def sorted(self) -> pa.Table:
        """Everything collected, by time; ties by message id, so that the order is always the same."""
        table = pa.concat_tables(self.tables).combine_chunks()
        order = pc.sort_indices(table, sort_keys=[("ts", "ascending"), ("message_id", "ascending")])
        return table.take(order)


def _column(value: Any, kind: pa.DataType, n: int) -> pa.Array:
    if value is None:
        return pa.nulls(n, kind)
    if isinstance(value, str):
        return pa.repeat(pa.scalar(value, kind), n)
    if isinstance(value, np.ndarray):
        return pa.array(value, kind)
    return value.combine_chunks() if isinstance(value, pa.ChunkedArray) else value


def text_member(key: str, value: Any) -> pa.Array:
    """`"key":"value"` for JSON; null where the value is."""
    return join(f'"{key}":"', value, '"')


def number_member(key: str, value: Any) -> pa.Array:
    """`"key":value` for JSON; null where the value is."""
    return join(f'"{key}":', value)


def json_object(*members: pa.Array) -> pa.StringArray:
    """A JSON object of the members that are not null."""
    return join("{", join_present(members, ","), "}")
