"""Why a product is recommended, in words to the customer, a column at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.plugins.insights.recommend.facts import Facts
from rapport.plugins.insights.recommend.reading import Catalogue, Floats, Ints, Pairs, Singles
from rapport.plugins.insights.recommend.weighing import Choices

_arrow: Any = pc  # its stubs do not follow columns through several calls
LEAST = 5  # buyers of a product of whom a share is told
TASTE = 0.4  # log ratio from which somebody is said to buy much of a category
SEEN = 5  # orders from a country below which nothing is said of it


def reasons(
    choices: Choices, entries: Ints, both: Pairs, told: Facts, products: Catalogue, country: Ints
) -> Any:
    """One sentence for each of these entries; `both` are the block's own pairs."""
    product = choices.product[entries]
    name = products.names.take(pa.array(product))
    had = choices.had[entries]
    anchor, share = _anchors(choices.person[entries], product, both, told)
    percent = np.rint(100 * share).astype(np.int64)
    old = products.names.take(pa.array(np.maximum(anchor, 0)))
    ago = choices.last_days_ago[entries]
    often = (choices.first_days_ago[entries] - ago) / np.maximum(had - 1, 1)
    again = np.maximum(np.rint(100 * told.again[product]).astype(np.int64), 1)
    with_share = _joined(
        "Because you bought ", old, "; ", _whole(percent), " % of those who did took ", name, " too."
    )
    with_more = _joined(
        "Because you bought ", old, "; those who did take ", name, " more often than others do."
    )
    regular = _joined(
        "You buy ", name, " every ", _days(often), " or so; the last time was ", _days(ago), " ago."
    )
    once = _joined(
        "You bought ",
        name,
        " ",
        _days(ago),
        " ago, and ",
        _whole(again),
        " % of those who buy it do so again.",
    )
    category = pa.array(products.categories).take(pa.array(products.category[product]))
    liked = _joined("You buy much of ", category, ", and ", name, " is among what is bought most of it.")
    where, n_there = _there(told, product, country[choices.person[entries]])
    home = _joined(
        "Many customers in ", where, " buy ", name, ": ", _whole(n_there), " orders from there so far."
    )
    share_of_all = np.rint(100 * told.buyers[product] / max(told.n_people, 1)).astype(np.int64)
    popular = _joined("Much bought: ", _whole(share_of_all), " % of customers have had ", name, ".")
    seldom = _joined("Bought by others lately: ", name, ".")
    taste = choices.features[entries, 13] > TASTE
    chosen = np.select(
        [
            (had > 1) & (often >= 1),
            had > 0,
            (anchor >= 0) & (percent >= 1) & (told.buyers[np.maximum(anchor, 0)] >= LEAST),
            anchor >= 0,
            taste & (products.category[product] > 0),
            n_there >= SEEN,
            share_of_all >= 1,
        ],
        [0, 1, 2, 3, 4, 5, 6],
        default=7,
    )
    return _arrow.choose(pa.array(chosen), regular, once, with_share, with_more, liked, home, popular, seldom)


def _anchors(person: Ints, product: Ints, both: Pairs, told: Facts) -> tuple[Ints, Singles]:
    """For each person and product: what they had that speaks most for it (-1: nothing), and how often both go together."""
    n = len(person)
    found, share = np.full(n, -1, np.int64), np.zeros(n, np.float32)
    width = len(told.kept)
    if not n or not told.cells.nnz:
        return found, share
    start = np.searchsorted(both.person, person)
    many = np.searchsorted(both.person, person, side="right") - start
    entry = np.repeat(np.arange(n), many)
    at = np.arange(len(entry)) - np.repeat(np.cumsum(many) - many, many) + np.repeat(start, many)
    place = told.place
    a, b = place[both.product[at]], place[product[entry]]
    cells = told.cells
    keys = np.repeat(np.arange(width, dtype=np.int64), np.diff(cells.indptr)) * width + cells.indices
    asked = a * width + b
    cell = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    there = (a >= 0) & (b >= 0) & (keys[cell] == asked) & (told.shares[cell] > 0)
    value = np.where(there, cells.data[cell], 0.0)
    order = np.lexsort((at, -value, entry))
    first = order[np.flatnonzero(np.r_[True, np.diff(entry[order]) != 0])] if len(order) else order
    first = first[value[first] > 0]
    found[entry[first]] = both.product[at[first]]
    share[entry[first]] = told.shares[cell[first]]
    return found, share


def _there(told: Facts, product: Ints, country: Ints) -> tuple[Any, Ints]:
    column = told.place[product]
    known = (country >= 0) & (column >= 0)
    if not told.by_country.size:
        return pa.array([""] * len(product), pa.string()), np.zeros(len(product), np.int64)
    n = np.where(known, told.by_country[np.maximum(country, 0), np.maximum(column, 0)], 0).astype(np.int64)
    return pa.array(told.country_codes, pa.string()).take(pa.array(np.maximum(country, 0))), n


def _joined(*parts: Any) -> Any:
    return _arrow.binary_join_element_wise(*parts, "")


def _whole(numbers: Ints) -> Any:
    return _arrow.cast(pa.array(numbers), pa.string())


def _days(days: Floats) -> Any:
    whole = np.maximum(np.rint(days), 1).astype(np.int64)
    return _joined(
        _whole(whole), " ", pa.array(["days", "day"]).take(pa.array((whole == 1).astype(np.int64)))
    )
