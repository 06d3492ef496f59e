"""What is counted of each product: buyers, orders, lately, again, in which country, and with what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from rapport.plugins.insights.recommend import similar
from rapport.plugins.insights.recommend.reading import Bought, Floats, Ints, Pairs, Singles, pairs
from rapport.plugins.insights.recommend.similar import Recipe

LATELY_DAYS = 30.0  # half-life
AGAIN_PRIOR = 10.0  # buyers whose worth the average share of returning buyers weighs
GAP_PRIOR = 3.0
POPULAR = 20  # of each list of much-bought products that everybody is offered to choose from
MOST_COUNTRIES = 60
ALIKE = 0.6  # cosine of two products' buyers from which they are two of a kind


@dataclass(frozen=True, slots=True)
class Facts:
    """Columns over the catalogue, and over the products of the linear model (`kept`, most bought first)."""

    n_people: int
    buyers: Floats
    orders: Floats
    lately: Floats  # orders, each counting half as much for every LATELY_DAYS that it is old
    again: Floats  # share of buyers who ordered it again, shrunk to the average of all
    gap_days: Floats  # usual time between two orders of it by one person, shrunk likewise
    kept: Ints  # places in the catalogue
    cells: Any  # of B, over kept x kept
    shares: Singles  # for each cell of B: of the buyers of the row's product, how many bought the column's
    alike: Ints  # kept x kept as one number, ascending: pairs too alike to be shown together
    country_codes: tuple[str, ...]
    by_country: Singles  # country x kept: orders

    @property
    def place(self) -> Ints:
        """From the catalogue to the linear model, -1 outside it."""
        found = np.full(len(self.buyers), -1, np.int64)
        found[self.kept] = np.arange(len(self.kept))
        return found

    @property
    def popular(self) -> Ints:
        """Products that everybody is offered: the most bought, of all time and lately."""
        columns = [self.orders[self.kept], self.lately[self.kept]]
        tops = [self.kept[np.argsort(-column, kind="stable")[:POPULAR]] for column in columns]
        return np.unique(np.concatenate(tops))


def mean_again(both: Pairs) -> float:
    """Share of buyers of a product who ordered it again, over all products; never 0 or 1."""
    return float(((both.n > 1).sum() + 0.5) / (len(both.n) + 1.0))


def facts(
    lines: Bought,
    n_products: int,
    country: Ints,
    country_codes: tuple[str, ...],
    recipe: Recipe,
    most_products: int,
    most_people: int,
    rng: np.random.Generator,
) -> Facts:
    """Count everything. `country` is each row's place in the codes, -1 where unknown."""
    both = pairs(lines)
    buyers = np.bincount(both.product, minlength=n_products).astype(np.float64)
    orders = np.bincount(lines.product, minlength=n_products).astype(np.float64)
    lately: Floats = np.bincount(lines.product, 0.5 ** (lines.days_ago / LATELY_DAYS), n_products).astype(
        np.float64
    )
    returned = np.bincount(both.product, both.n > 1, n_products)
    average = mean_again(both)
    kept = kept_products(buyers, most_products)
    place = np.full(n_products, -1, np.int64)
    place[kept] = np.arange(len(kept))
    x = similar.incidence(both, place, lines.n)
    x = x[np.diff(x.indptr) > 1]  # who bought one thing says nothing about what goes together
    if x.shape[0] > most_people:
        x = x[np.sort(rng.choice(x.shape[0], most_people, replace=False))]
    cells, shares, alike = _linear(x, recipe)
    return Facts(
        n_people=int((np.bincount(both.person, minlength=lines.n) > 0).sum()),
        buyers=buyers,
        orders=orders,
        lately=lately,
        again=(returned + AGAIN_PRIOR * average) / (buyers + AGAIN_PRIOR),
        gap_days=_gaps(both, n_products),
        kept=kept,
        cells=cells,
        shares=shares,
        alike=alike,
        country_codes=country_codes,
        by_country=_by_country(lines, country, len(country_codes), place, len(kept)),
    )


def kept_products(buyers: Floats, most: int) -> Ints:
    """The products of the linear model: bought by several people, most bought first."""
    least = 3 if (buyers >= 2).sum() > 3_000 else 1
    order = np.argsort(-buyers, kind="stable")[:most]
    found: Ints = order[buyers[order] >= least].astype(np.int64)
    return found


def _linear(x: Any, recipe: Recipe) -> tuple[Any, Singles, Ints]:
    width = x.shape[1]
    if width == 0 or x.shape[0] == 0:
        return (
            sparse.csr_matrix((width, width), dtype=np.float32),
            np.zeros(0, np.float32),
            np.zeros(0, np.int64),
        )
    plain = similar.together(x, 0.0)
    n = np.maximum(np.diag(plain.gram), 1).astype(np.float32)
    counted = similar.together(x, recipe.evening) if recipe.evening else plain
    cells = similar.pruned(similar.weights(counted, recipe, similar.directions_of(plain)))
    row = np.repeat(np.arange(width), np.diff(cells.indptr))
    met = np.asarray(plain.gram)[row, cells.indices].astype(np.float32)
    cosine = met / np.sqrt(n[row] * n[cells.indices])
    close = (cosine >= ALIKE) & (met >= 5)
    return cells, met / n[row], np.sort(row[close] * width + cells.indices[close])


def _gaps(both: Pairs, n_products: int) -> Floats:
    twice = both.n > 1
    gap = (both.first_days_ago - both.last_days_ago)[twice] / (both.n[twice] - 1)
    known = gap > 0
    product, log_gap = both.product[twice][known], np.log(np.maximum(gap[known], 0.5))
    usual = float(log_gap.mean()) if len(log_gap) else np.log(90.0)
    n = np.bincount(product, minlength=n_products)
    found: Floats = np.exp((np.bincount(product, log_gap, n_products) + GAP_PRIOR * usual) / (n + GAP_PRIOR))
    return found


def _by_country(lines: Bought, country: Ints, n: int, place: Ints, width: int) -> Singles:
    where, column = country[lines.person], place[lines.product]
    there = (where >= 0) & (column >= 0)
    counted = np.bincount(where[there] * max(width, 1) + column[there], minlength=n * max(width, 1))
    return counted.reshape(n, max(width, 1))[:, :width].astype(np.float32)
