"""People as numbers: what is counted, block by block, and what is measured, on a common scale.

What is measured is replaced by its normal score (van der Waerden 1952): the place it has among everybody, read off
the normal curve, so that one who orders a thousand times a year moves nothing. A measure of which more than a fifth
of people have the very same value (nobody complained, say) is counted in bands instead. What is missing stays missing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from scipy.special import ndtri

from rapport.insights.contract import is_sensitive

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

COUNTED = ("bought", "ordered_by", "looks_by", "hours", "referrers", "sections")
MEASURED = (
    "orders_year", "price_level", "pieces", "refund_share", "views_year", "says_year", "writes_year",
)  # fmt: skip
AGES = (0, 25, 35, 45, 55, 65)  # where each band begins
AGE_NAMES = ("under 25", "25 to 34", "35 to 44", "45 to 54", "55 to 64", "65 and over")
BANDS = ("less", "usual", "more", "much more")
LEVELS = 40  # of one block, the most frequent
SHARE_LEAST = 0.005  # of people who must show a level, or it counts among the others
FIGURE_LEAST = 0.05  # of people who must have a figure
TIED_MOST = 0.2  # of people with the same value, above which a measure is counted in bands
GRID = np.linspace(0.0, 1.0, 65)
OTHER = ""
CHUNK = 50_000  # people encoded at a time


@dataclass(frozen=True, slots=True)
class Scales:
    """What encoding learnt.

    levels : by block, the names that have a column of their own; one more column is of all others
    bands : by measure that is counted, its most frequent value, and the median of what is above it
    grids : by measure, its quantiles at GRID
    """

    levels: Mapping[str, tuple[str, ...]]
    bands: Mapping[str, tuple[float, float]]
    grids: Mapping[str, tuple[float, ...]]

    @property
    def columns(self) -> list[tuple[str, str]]:
        """(block, level) of every column of counts."""
        listed = [(block, level) for block, levels in self.levels.items() for level in (*levels, OTHER)]
        return listed + [(block, band) for block in self.bands for band in BANDS]

    @property
    def blocks(self) -> dict[str, slice]:
        """The columns that each block takes."""
        found: dict[str, slice] = {}
        for k, (block, _) in enumerate(self.columns):
            found[block] = slice(found[block].start if block in found else k, k + 1)
        return found


@dataclass(frozen=True, slots=True)
class People:
    """Encoded people: counts (people, columns), and measured (people, measures), NaN where it is not known."""

    counts: Floats
    measured: Floats

    def __len__(self) -> int:
        return len(self.counts)


def chunks(table: pa.Table) -> Iterator[pa.Table]:
    """The table in pieces that fit into memory once encoded."""
    for first in range(0, table.num_rows, CHUNK):
        yield table.slice(first, CHUNK)


def learn(table: pa.Table) -> Scales:
    """Which names are frequent enough to count, and how each measure lies; what is sensitive never enters."""
    n = table.num_rows
    levels = {}
    for block in (*COUNTED, "age", "place"):
        found = _frequent(entries(table, block)[0], n)
        if found:
            levels[block] = found
    bands: dict[str, tuple[float, float]] = {}
    grids: dict[str, tuple[float, ...]] = {}
    for measure, everything in _measures(table):
        values = everything[np.isfinite(everything)]
        if len(values) < max(2, FIGURE_LEAST * n) or values.min() == values.max() or is_sensitive(measure):
            continue
        different, many = np.unique(values, return_counts=True)
        if many.max() > TIED_MOST * len(values):
            usual = float(different[many.argmax()])
            above = values[values > usual]
            bands[measure] = (usual, float(np.median(above)) if len(above) else usual)
        else:
            grids[measure] = tuple(np.round(np.quantile(values, GRID), 9).tolist())
    return Scales(levels, dict(sorted(bands.items())), dict(sorted(grids.items())))


def encode(table: pa.Table, scales: Scales) -> People:
    """A piece of the table as numbers."""
    n = table.num_rows
    arrow: Any = pc
    blocks = scales.blocks
    counts = np.zeros((n, len(scales.columns)))
    for block, levels in scales.levels.items():
        names, values, owner = entries(table, block)
        if not len(names):
            continue
        place = arrow.fill_null(arrow.index_in(names, value_set=pa.array(levels, pa.string())), len(levels))
        place = place.to_numpy(zero_copy_only=False).astype(np.int64)
        may = _may_enter(names)
        width = len(levels) + 1
        summed = np.bincount(owner[may] * width + place[may], values[may], minlength=n * width)
        counts[:, blocks[block]] = summed.reshape(n, width)
    measured = np.full((n, len(scales.grids)), np.nan)
    at = {measure: k for k, measure in enumerate(scales.grids)}
    for measure, values in _measures(table):
        if measure in scales.bands:
            usual, high = scales.bands[measure]
            known = np.flatnonzero(np.isfinite(values))
            band = 1 - (values[known] < usual) + (values[known] > usual) + (values[known] > max(high, usual))
            counts[known, blocks[measure].start + band] = 1
        elif measure in at:
            measured[:, at[measure]] = _normal(values, np.array(scales.grids[measure]))
    return People(counts, measured)


def entries(table: pa.Table, column: str, of: str = "n") -> tuple[pa.Array, Floats, Ints]:
    """Names, figures and owners of a list column; age and place are lists of one."""
    arrow: Any = pc
    if column in ("age", "place"):
        names = _ages(table) if column == "age" else _places(table)
        there = np.flatnonzero(arrow.is_valid(names).to_numpy(zero_copy_only=False))
        return names.take(pa.array(there)), np.ones(len(there)), there.astype(np.int64)
    chunked = table.column(column)
    if (
        table.num_rows == 0
        or not pa.types.is_list(chunked.type)
        or not pa.types.is_struct(chunked.type.value_type)
    ):
        return pa.array([], pa.string()), np.zeros(0), np.zeros(0, np.int64)
    lists = pa.concat_arrays(chunked.chunks)
    lengths = arrow.fill_null(arrow.list_value_length(lists), 0).to_numpy(zero_copy_only=False)
    flat = lists.flatten()
    values = np.asarray(flat.field(of).to_numpy(zero_copy_only=False), np.float64)
    return (
        flat.field("name").cast(pa.string()),
        values,
        np.repeat(np.arange(len(lists)), lengths.astype(np.int64)),
    )


def _measures(table: pa.Table) -> Iterator[tuple[str, Floats]]:
    """Every measure by name, those that other models wrote last."""
    for measure in MEASURED:
        yield measure, numbers(table, measure)
    names, values, owner = entries(table, "figures", "value")
    arrow: Any = pc
    for name in sorted(arrow.unique(names).to_pylist()):
        there = arrow.equal(names, name).to_numpy(zero_copy_only=False)
        found = np.full(table.num_rows, np.nan)
        found[owner[there]] = values[there]
        yield name, found


def _ages(table: pa.Table) -> pa.Array:
    years = numbers(table, "age_years")
    known = np.isfinite(years)
    band = np.searchsorted(AGES, np.where(known, years, 0), side="right") - 1
    return pa.array(AGE_NAMES, pa.string()).take(pa.array(band, mask=~known))


def _places(table: pa.Table) -> pa.Array:
    """Country and language as one: where one nearly says the other they must not count twice."""
    arrow: Any = pc
    country, language = (_texts(table, c) for c in ("country", "language"))
    joined = arrow.binary_join_element_wise(country, language, "/")
    known = arrow.or_(arrow.not_equal(country, ""), arrow.not_equal(language, ""))
    return arrow.if_else(known, joined, pa.scalar(None, pa.string()))


def _frequent(names: pa.Array, n: int) -> tuple[str, ...]:
    """In the order of the alphabet; each name stands once for each person who shows it."""
    arrow: Any = pc
    counted = [(row["values"], row["counts"]) for row in arrow.value_counts(names).to_pylist()]
    ranked = sorted(counted, key=lambda one: (-one[1], one[0]))[:LEVELS]
    least = max(2, SHARE_LEAST * n)
    return tuple(sorted(name for name, many in ranked if many >= least and not is_sensitive(name)))


def _may_enter(names: pa.Array) -> NDArray[np.bool_]:
    arrow: Any = pc
    closed = [name for name in arrow.unique(names).to_pylist() if name is not None and is_sensitive(name)]
    found: NDArray[np.bool_] = arrow.is_in(names, value_set=pa.array(closed, pa.string())).to_numpy(
        zero_copy_only=False
    )
    return ~found


def _normal(values: Floats, grid: Floats) -> Floats:
    """Normal scores by the grid; where several quantiles are the same value, the middle of their places."""
    known = np.isfinite(values)
    at = values[known]
    left, right = np.searchsorted(grid, at, side="left"), np.searchsorted(grid, at, side="right")
    different, first = np.unique(grid, return_index=True)
    between = np.interp(at, different, GRID[first])
    tied = (GRID[np.clip(left, 0, len(GRID) - 1)] + GRID[np.clip(right - 1, 0, len(GRID) - 1)]) / 2
    place = np.where(right > left, tied, between)
    found = np.full(len(values), np.nan)
    found[known] = ndtri(np.clip(place, 1 / 128, 1 - 1 / 128))
    return found


def numbers(table: pa.Table, column: str) -> Floats:
    """A column as numbers, NaN where it is null."""
    arrow: Any = pc
    filled = arrow.fill_null(arrow.cast(table.column(column), pa.float64()), float("nan"))
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.float64)


def _texts(table: pa.Table, column: str) -> pa.Array:
    arrow: Any = pc
    filled = arrow.fill_null(arrow.cast(table.column(column), pa.string()), "")
    return filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled
