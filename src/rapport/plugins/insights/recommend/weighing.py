"""What each person may be offered, and what speaks for each of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.recommend import similar
from rapport.plugins.insights.recommend.facts import POPULAR, Facts
from rapport.plugins.insights.recommend.reading import Catalogue, Flags, Floats, Ints, Pairs, Singles

BLOCK = 4_000  # people weighed at once
BY_WEIGHTS = 40  # products that the linear model puts forward for a person
COUNTRY_PRIOR = 50.0
CATEGORY_PRIOR = 5.0
MOST_CATEGORIES = 1_000  # told apart in a person's tastes

FEATURES = (
    "had it",
    "had it often",
    "had it lately",
    "it is due",
    "it is due, squared",
    "bought much",
    "bought much lately",
    "had it, and it is bought much",
    "had it, and it is bought again",
    "had it, and buys things again",
    "new, and goes with what was bought",
    "had it, and goes with what was bought",
    "new, and goes with what was bought, as a ratio",
    "new, and of a category that was bought",
    "had it, and of a category that was bought",
    "bought much in the country",
)


@dataclass(frozen=True, slots=True)
class Choices:
    """One entry per person and product to choose from, ascending by person; people count from `first`."""

    first: int
    n: int
    person: Ints  # from 0 within the block
    product: Ints
    had: Ints  # orders of it
    last_days_ago: Floats  # 0 for a new one
    first_days_ago: Floats
    fits: Singles  # score of the linear model
    features: Floats  # entries x FEATURES


def blocks(
    told: Facts,
    products: Catalogue,
    both: Pairs,
    country: Ints,
    rows: Ints | None = None,
    size: int = BLOCK,
    part: tuple[int, int] = (0, 1),
) -> Iterator[Choices]:
    """Everybody's choices, block by block; `rows` asks for these alone (they are then numbered from 0)."""
    n = len(country)
    if rows is not None:
        both, country = _only(both, rows, n), country[rows]
        n = len(rows)
    place, popular = told.place, told.popular
    tops = _country_tops(told)
    # One of several threads takes every second block, say.
    for first in range(part[0] * size, n, part[1] * size):
        last = min(first + size, n)
        a, b = np.searchsorted(both.person, [first, last])
        own = Pairs(
            both.person[a:b] - first,
            both.product[a:b],
            both.n[a:b],
            both.last_days_ago[a:b],
            both.first_days_ago[a:b],
        )
        yield _block(told, products, own, country[first:last], first, place, popular, tops)


def _only(both: Pairs, rows: Ints, n: int) -> Pairs:
    where = np.full(n, -1, np.int64)
    where[rows] = np.arange(len(rows))
    person = where[both.person]
    there = np.flatnonzero(person >= 0)
    there = there[np.argsort(person[there], kind="stable")]
    return Pairs(
        person[there],
        both.product[there],
        both.n[there],
        both.last_days_ago[there],
        both.first_days_ago[there],
    )


def _country_tops(told: Facts) -> Ints:
    """Country x POPULAR: places in the linear model."""
    k = min(POPULAR, len(told.kept))
    return np.argsort(-told.by_country, axis=1, kind="stable")[:, :k].astype(np.int64)


def _block(
    told: Facts,
    products: Catalogue,
    part: Pairs,
    country: Ints,
    first: int,
    place: Ints,
    popular: Ints,
    tops: Ints,
) -> Choices:
    n, width, many = len(country), len(told.kept), len(place)
    x = similar.incidence(part, place, n)
    if x.shape[1] != width:
        x.resize((n, width))
    score = np.asarray((x @ told.cells).toarray(), np.float32)
    inside = place[part.product] >= 0
    offered = score.copy()
    offered[part.person[inside], place[part.product[inside]]] = -np.inf
    person, product = [], []
    if width:
        top = similar.best(offered, BY_WEIGHTS)
        person.append(np.repeat(np.arange(n), top.shape[1]))
        product.append(told.kept[top.ravel()])
    person.append(np.repeat(np.arange(n), len(popular)))
    product.append(np.tile(popular, n))
    known = np.flatnonzero(country >= 0)
    if len(known) and tops.size:
        person.append(np.repeat(known, tops.shape[1]))
        product.append(told.kept[tops[country[known]].ravel()])
    own = part.person * many + part.product
    key = np.unique(np.concatenate([own, np.concatenate(person) * many + np.concatenate(product)]))
    who, what = np.divmod(key, max(many, 1))
    had, last, earliest = (np.zeros(len(key)) for _ in range(3))
    at = np.searchsorted(key, own)
    had[at], last[at], earliest[at] = part.n, part.last_days_ago, part.first_days_ago
    column = place[what]
    fits = (
        np.where(column >= 0, score[who, np.maximum(column, 0)], 0.0).astype(np.float32)
        if width
        else (np.zeros(len(key), np.float32))
    )
    features = _features(told, products, part, country, who, what, column, had, last, fits)
    return Choices(first, n, who, what, had.astype(np.int64), last, earliest, fits, features)


def _features(
    told: Facts,
    products: Catalogue,
    part: Pairs,
    country: Ints,
    who: Ints,
    what: Ints,
    column: Ints,
    had: Floats,
    last: Floats,
    fits: Singles,
) -> Floats:
    n = len(country)
    owned: Flags = had > 0
    much = np.log(told.orders + 0.5) - np.log(told.orders.sum() + 1.0)
    share = told.lately.sum() / max(told.orders.sum(), 1.0)
    lately = np.log(told.lately + 0.5 * share + 1e-9) - np.log(told.lately.sum() + share + 1e-9)
    again = np.log(told.again / (1 - told.again))
    due = np.log((last + 1.0) / (told.gap_days[what] + 1.0))
    f = np.zeros((len(who), len(FEATURES)))
    f[:, 0] = owned
    f[:, 1] = np.log(np.maximum(had, 1.0))
    f[:, 2] = owned * np.log1p(last)
    f[:, 3] = owned * due
    f[:, 4] = owned * due**2
    f[:, 5] = much[what]
    f[:, 6] = lately[what]
    f[:, 7] = owned * much[what]
    f[:, 8] = owned * again[what]
    orders = np.bincount(part.person, part.n, n)
    extra = np.bincount(part.person, part.n - 1, n)
    base = 1 - len(part.n) / max(part.n.sum(), 1) if len(part.n) else 0.0
    habit = (extra + 2 * base + 0.01) / (orders + 2.02)
    f[:, 9] = owned * np.log(habit / (1 - habit))[who]
    f[:, 10] = ~owned * fits
    f[:, 11] = owned * fits
    f[:, 12] = ~owned * np.log(np.maximum(fits, 1e-3))
    taste = _tastes(told, products, part, n, who, what)
    f[:, 13] = ~owned * taste
    f[:, 14] = owned * taste
    f[:, 15] = _home(told, country, who, column)
    return f


def _tastes(told: Facts, products: Catalogue, part: Pairs, n: int, who: Ints, what: Ints) -> Floats:
    """How much more of the product's category the person bought than people do, as a shrunken log ratio."""
    if len(products.categories) <= 1:
        return np.zeros(len(who))
    category = np.where(products.category < MOST_CATEGORIES, products.category, 0)
    width = int(category.max()) + 1
    usual = np.bincount(category, told.orders, width)
    usual = (usual + 0.5) / (usual.sum() + 0.5 * width)
    own = np.bincount(part.person * width + category[part.product], part.n, n * width)
    total = np.bincount(part.person, part.n, n)
    of = category[what]
    ratio = (own[who * width + of] + CATEGORY_PRIOR * usual[of]) / ((total[who] + CATEGORY_PRIOR) * usual[of])
    taste: Floats = np.where(of > 0, np.log(ratio), 0.0)
    return taste


def _home(told: Facts, country: Ints, who: Ints, column: Ints) -> Floats:
    """How much more a product is bought in the person's country, as a shrunken log ratio."""
    if not told.by_country.size:
        return np.zeros(len(who))
    usual = (told.orders[told.kept] + 0.5) / (told.orders[told.kept].sum() + 0.5 * len(told.kept))
    there = told.by_country.astype(np.float64)
    ratio = np.log(
        (there + COUNTRY_PRIOR * usual) / ((there.sum(axis=1, keepdims=True) + COUNTRY_PRIOR) * usual)
    )
    where = country[who]
    known = (where >= 0) & (column >= 0)
    found: Floats = np.where(known, ratio[np.maximum(where, 0), np.maximum(column, 0)], 0.0)
    return found
