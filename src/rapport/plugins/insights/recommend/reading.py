"""The query's rows as flat arrays: who bought which product how long ago, and what products there are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

_arrow: Any = pc  # its stubs do not follow columns through several calls

Floats = NDArray[np.float64]
Singles = NDArray[np.float32]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

LINE = pa.struct([("product_code", pa.string()), ("days_ago", pa.float64())])
DESCRIBED = pa.struct(
    [
        ("product_code", pa.string()),
        ("product_name", pa.string()),
        ("category", pa.string()),
        ("is_offered", pa.bool_()),
    ]
)
OLDEST_DAYS = 36_525.0
MOST_LINES = 1_000  # of one person; older ones say little, and a reseller's ten thousand cost much


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The products, ascending by code; one row each."""

    codes: pa.StringArray
    names: pa.StringArray  # the code where no name is known
    category: Ints  # place in `categories`; 0 is the empty one
    categories: tuple[str, ...]
    is_offered: Flags

    def __len__(self) -> int:
        return len(self.codes)

    def places(self, codes: Any) -> Ints:
        """The place of each code, -1 for one that is not in the catalogue."""
        found = _arrow.fill_null(_arrow.index_in(codes, value_set=self.codes), -1)
        return np.asarray(found.to_numpy(zero_copy_only=False), np.int64)


@dataclass(frozen=True, slots=True)
class Bought:
    """One entry per person, product and order, ascending by person, product and days ago."""

    n: int  # people
    person: Ints  # row of the table
    product: Ints  # place in the catalogue
    days_ago: Floats

    def __len__(self) -> int:
        return len(self.person)


@dataclass(frozen=True, slots=True)
class Pairs:
    """One entry per person and product, ascending by both."""

    person: Ints
    product: Ints
    n: Ints  # orders
    last_days_ago: Floats
    first_days_ago: Floats


def catalogue(table: pa.Table) -> Catalogue:
    """Every product that the table's people bought, described where a row describes it."""
    lists = _lists(table, "line", LINE)
    told = _lists(table, "described", DESCRIBED).flatten()
    bought = _arrow.unique(_arrow.struct_field(lists.flatten(), "product_code"))
    told_code = _arrow.struct_field(told, "product_code")
    codes = pa.array(sorted({*bought.to_pylist(), *told_code.to_pylist()} - {None}), pa.string())
    place = _arrow.index_in(codes, value_set=told_code)
    name = _arrow.fill_null(_arrow.struct_field(told, "product_name").take(place), "")
    name = _arrow.if_else(_arrow.equal(name, ""), codes, name)
    category = _arrow.fill_null(_arrow.struct_field(told, "category").take(place), "")
    categories = ("", *sorted(set(_arrow.unique(category).to_pylist()) - {""}))
    offered = _arrow.fill_null(_arrow.struct_field(told, "is_offered").take(place), True)
    return Catalogue(
        codes,
        name,
        np.asarray(_arrow.index_in(category, value_set=pa.array(categories, pa.string())), np.int64),
        categories,
        np.asarray(offered.to_numpy(zero_copy_only=False), np.bool_),
    )


def bought(table: pa.Table, products: Catalogue) -> Bought:
    """The lines of the table's people; of products that the catalogue has not, none."""
    lists = _lists(table, "line", LINE)
    flat = lists.flatten()
    person = _rows(lists)
    product = products.places(_arrow.struct_field(flat, "product_code"))
    days = np.asarray(_arrow.struct_field(flat, "days_ago").to_numpy(zero_copy_only=False), np.float64)
    days = np.clip(np.nan_to_num(days, nan=OLDEST_DAYS), 0.0, OLDEST_DAYS)
    known = product >= 0
    person, product, days = person[known], product[known], days[known]
    n = np.bincount(person, minlength=table.num_rows)
    if len(n) and n.max() > MOST_LINES:
        order = np.lexsort((product, days, person))
        start = np.cumsum(n) - n
        late = np.arange(len(order)) - start[person[order]] < MOST_LINES
        order = order[late]
        person, product, days = person[order], product[order], days[order]
    order = np.lexsort((days, product, person))
    return Bought(table.num_rows, person[order], product[order], days[order])


def pairs(lines: Bought) -> Pairs:
    """Lines summed up by person and product."""
    if len(lines) == 0:
        none = np.zeros(0, np.int64)
        return Pairs(none, none, none, np.zeros(0), np.zeros(0))
    starts = np.flatnonzero(np.r_[True, (np.diff(lines.person) != 0) | (np.diff(lines.product) != 0)])
    n = np.diff(np.r_[starts, len(lines)])
    return Pairs(
        lines.person[starts],
        lines.product[starts],
        n,
        lines.days_ago[starts],
        lines.days_ago[starts + n - 1],
    )


def named(table: pa.Table, column: str, products: Catalogue) -> tuple[Ints, Ints]:
    """Row and product (-1: unknown) of a column of product lists, each pair once, ascending."""
    lists = _lists(table, column, pa.string())
    person, product = _rows(lists), products.places(lists.flatten())
    # Two unknown products of one person are two, and stay so.
    known = product >= 0
    key = np.unique(person[known] * max(len(products), 1) + product[known])
    both = np.divmod(key, max(len(products), 1))
    return (
        np.concatenate([both[0], person[~known]]),
        np.concatenate([both[1], product[~known]]),
    )


def countries(table: pa.Table) -> Any:
    """The country of each row, empty where none is known."""
    column = table.column("country").combine_chunks().cast(pa.string())
    return _arrow.fill_null(column, "")


def _lists(table: pa.Table, name: str, value: pa.DataType) -> Any:
    """A column of lists without nulls; one that never held anything gets its type."""
    column = table.column(name).combine_chunks()
    if isinstance(column, pa.ChunkedArray):
        column = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    nothing = pa.types.is_null(column.type) or pa.types.is_null(column.type.value_type)
    if nothing:
        return pa.ListArray.from_arrays(pa.array([0] * (len(column) + 1), pa.int32()), pa.array([], value))
    wanted = pa.large_list(value) if pa.types.is_large_list(column.type) else pa.list_(value)
    return column if column.type == wanted else column.cast(wanted)


def _rows(lists: Any) -> Ints:
    n = np.asarray(_arrow.fill_null(_arrow.list_value_length(lists), 0), np.int64)
    return np.repeat(np.arange(len(lists), dtype=np.int64), n)
