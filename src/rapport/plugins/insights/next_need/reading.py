"""The query's rows as flat arrays: on which days each person ordered, and what of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_arrow: Any = pc  # its stubs do not follow columns through several calls

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LINE = pa.struct([("category", pa.string()), ("days_ago", pa.float64())])
OLDEST_DAYS = 36_525
MOST_DAYS = 1_000  # order days of one person that count, the latest


@dataclass(frozen=True, slots=True)
class Days:
    """One entry per unit and day on which it happened, ascending by unit, oldest day first.

    A unit is a person, or a person and a category. Days are whole, and count back from now: 0 is today.
    """

    n: int  # units
    unit: Ints
    days_ago: Ints


@dataclass(frozen=True, slots=True)
class Bought:
    """One entry per person, category and day, ascending by person and category, oldest day first."""

    n: int  # people
    person: Ints
    category: Ints
    days_ago: Ints


def order_days(table: pa.Table) -> Days:
    """The days on which each row ordered."""
    lists = lists_of(table, "order_days_ago", pa.float64())
    unit, days = rows_of(lists), _whole(lists.flatten())
    key = np.unique(unit * (OLDEST_DAYS + 1) + (OLDEST_DAYS - days))
    unit, young = np.divmod(key, OLDEST_DAYS + 1)
    # Ascending by unit and by youth; of very many, the last ones.
    n = np.bincount(unit, minlength=table.num_rows)
    end = np.cumsum(n)
    late = end[unit] - np.arange(len(unit)) <= MOST_DAYS
    return Days(table.num_rows, unit[late], OLDEST_DAYS - young[late])


def categories(table: pa.Table, most: int) -> tuple[str, ...]:
    """The categories that most people bought, the most bought first."""
    lists = lists_of(table, "line", LINE)
    codes = _arrow.struct_field(lists.flatten(), "category").dictionary_encode()
    names = codes.dictionary.to_pylist()
    if not names:
        return ()
    place = np.asarray(_arrow.fill_null(codes.indices, -1).to_numpy(zero_copy_only=False), np.int64)
    key = np.unique(rows_of(lists) * len(names) + place)
    people = np.bincount(key % len(names), minlength=len(names))
    order = sorted(range(len(names)), key=lambda k: (-people[k], names[k]))
    return tuple(names[k] for k in order[:most])


def bought(table: pa.Table, names: tuple[str, ...]) -> Bought:
    """What of these categories each row bought, and when."""
    lists = lists_of(table, "line", LINE)
    flat = lists.flatten()
    category = places(_arrow.struct_field(flat, "category"), names)
    days = _whole(_arrow.struct_field(flat, "days_ago"))
    known = category >= 0
    unit = rows_of(lists)[known] * max(len(names), 1) + category[known]
    key = np.unique(unit * (OLDEST_DAYS + 1) + (OLDEST_DAYS - days[known]))
    unit, young = np.divmod(key, OLDEST_DAYS + 1)
    person, category = np.divmod(unit, max(len(names), 1))
    return Bought(table.num_rows, person, category, OLDEST_DAYS - young)


def places(values: Any, names: tuple[str, ...]) -> Ints:
    """The place of each name, -1 for one that is not among them."""
    found = _arrow.index_in(values, value_set=pa.array(names, pa.string()))
    return np.asarray(_arrow.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


def lists_of(table: pa.Table, name: str, value: pa.DataType) -> Any:
    """A column of lists; one that never held anything gets its type."""
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    if pa.types.is_null(column.type) or pa.types.is_null(column.type.value_type):
        return pa.ListArray.from_arrays(pa.array([0] * (len(column) + 1), pa.int32()), pa.array([], value))
    wanted = pa.large_list(value) if pa.types.is_large_list(column.type) else pa.list_(value)
    return column if column.type == wanted else column.cast(wanted)


def rows_of(lists: Any) -> Ints:
    """The row of each value of a column of lists."""
    n = np.asarray(_arrow.fill_null(_arrow.list_value_length(lists), 0), np.int64)
    return np.repeat(np.arange(len(lists), dtype=np.int64), n)


def _whole(days: Any) -> Ints:
    found = np.asarray(days.to_numpy(zero_copy_only=False), np.float64)
    return np.floor(np.clip(np.nan_to_num(found, nan=OLDEST_DAYS), 0, OLDEST_DAYS)).astype(np.int64)
