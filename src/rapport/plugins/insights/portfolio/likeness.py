"""What somebody like them could be worth at most, within reason: the ceiling of people with like behaviour.

Like each other are people who buy in the same currency mostly the same category, in orders of about the same
size, and have been known about as long. Their ceiling is an upper quantile of what they are worth. Too few for
a group: the group is widened, first over the categories, then over the time known, then over everybody who
buys in that currency.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

QUANTILE = 0.8
LEAST = 25  # people in a group
TENURES = (90.0, 365.0, 730.0)  # days
KNOWN = (
    "for less than three months",
    "for less than a year",
    "for one to two years",
    "for more than two years",
)
SIZES = ("small", "middling", "large")
LEVELS = 4
SEPARATOR = "\x1f"


@dataclass(frozen=True, slots=True)
class Likeness:
    """Columns over people: what makes them alike."""

    currency: pa.StringArray
    category: pa.StringArray
    size: Ints  # place in SIZES
    tenure: Ints  # place in KNOWN

    def keys(self, level: int) -> Any:
        """The group of each at a level: 0 is the narrowest, LEVELS - 1 everybody of a currency."""
        arrow: Any = pc
        size = pa.array(["0", "1", "2"]).take(pa.array(self.size))
        tenure = pa.array(["0", "1", "2", "3"]).take(pa.array(self.tenure))
        parts = [self.currency, size, tenure, self.category][: LEVELS - level]
        return arrow.binary_join_element_wise(str(level), *parts, SEPARATOR)


def size_cuts(currency: pa.StringArray, order_minor: Floats) -> dict[str, list[float]]:
    """By currency, where the thirds of the usual order's size lie."""
    found = {}
    for name in pc.unique(currency).to_pylist():
        sizes = order_minor[there(currency, name) & (order_minor > 0)]
        found[name] = np.quantile(sizes, [1 / 3, 2 / 3]).tolist() if len(sizes) else [0.0, 0.0]
    return found


def there(column: pa.StringArray, name: str) -> NDArray[np.bool_]:
    """Where the column says so."""
    arrow: Any = pc
    flags: NDArray[np.bool_] = arrow.equal(column, name).to_numpy(zero_copy_only=False)
    return flags


def likeness(
    currency: pa.StringArray,
    category: pa.StringArray,
    order_minor: Floats,
    tenure_days: Floats,
    cuts: dict[str, list[float]],
) -> Likeness:
    """Who is like whom."""
    size = np.ones(len(currency), np.int64)
    for name, edges in cuts.items():
        mine = there(currency, name)
        size[mine] = np.searchsorted(edges, order_minor[mine], side="left")
    tenure = np.searchsorted(TENURES, np.nan_to_num(tenure_days), side="right")
    return Likeness(currency, category, size, tenure.astype(np.int64))


def ceilings(like: Likeness, worth: Floats) -> dict[str, tuple[float, int]]:
    """By group of at least LEAST people, or of a whole currency: the ceiling and how many they are."""
    found: dict[str, tuple[float, int]] = {}
    for level in range(LEVELS):
        encoded = like.keys(level).dictionary_encode()
        keys, place = encoded.dictionary, encoded.indices.to_numpy(zero_copy_only=False)
        if not len(keys):
            continue
        order = np.lexsort((worth, place))
        n = np.bincount(place, minlength=len(keys))
        start = np.concatenate([[0], np.cumsum(n)[:-1]])
        at = start + QUANTILE * (n - 1)
        low = np.floor(at).astype(np.int64)
        high = np.minimum(low + 1, start + n - 1)
        sorted_worth = worth[order]
        tops = sorted_worth[low] + (at - low) * (sorted_worth[high] - sorted_worth[low])
        kept = (n >= LEAST) | (level == LEVELS - 1)
        found |= {
            k: (t, m)
            for k, t, m in zip(
                keys.filter(pa.array(kept)).to_pylist(), tops[kept].tolist(), n[kept].tolist(), strict=True
            )
        }
    return found


def looked_up(like: Likeness, found: dict[str, tuple[float, int]]) -> tuple[Floats, Ints, Ints]:
    """Ceiling, level and size of the narrowest group that each is in; level LEVELS where there is none."""
    n = len(like.currency)
    top, level_of, many = np.zeros(n), np.full(n, LEVELS), np.zeros(n, np.int64)
    names = pa.array(list(found), pa.string())
    tops = np.array([t for t, _ in found.values()])
    sizes = np.array([m for _, m in found.values()], np.int64)
    for level in range(LEVELS - 1, -1, -1):
        arrow: Any = pc
        at = arrow.index_in(like.keys(level), value_set=names)
        known = arrow.is_valid(at).to_numpy(zero_copy_only=False)
        place = arrow.fill_null(at, 0).to_numpy(zero_copy_only=False)
        if known.any():
            top[known], many[known], level_of[known] = tops[place][known], sizes[place][known], level
    return top, level_of, many
