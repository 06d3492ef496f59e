"""From many choices to three: what may be offered at all, and no two of a kind."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow.compute as pc

from rapport.plugins.insights.recommend.facts import Facts
from rapport.plugins.insights.recommend.reading import Catalogue, Flags, Ints
from rapport.plugins.insights.recommend.weighing import Choices

SHOWN = 3
LOOKED_AT = 15  # of each person's best choices
RARELY_AGAIN = 0.02  # share of buyers who came again below which a product is not consumed
SELDOM_AGAIN = 0.1  # below this share, what was bought just now is not offered yet
JUST_NOW = 0.1  # of the usual time between two orders of it

_arrow: Any = pc


@dataclass(frozen=True, slots=True)
class Kinds:
    """What makes two products alike, over the catalogue."""

    category: Ints  # 0: unknown
    family: Ints  # the same for names that differ in figures alone, such as sizes
    place: Ints  # in the linear model, -1 outside
    width: int
    alike: Ints


def kinds(products: Catalogue, told: Facts) -> Kinds:
    """Worked out once for a catalogue."""
    words = _arrow.replace_substring_regex(_arrow.utf8_lower(products.names), r"[^\\p{L}]+", " ")
    # A name of two letters, or the code itself, says nothing about the kind.
    says = _arrow.and_(
        _arrow.not_equal(products.names, products.codes),
        _arrow.greater(_arrow.utf8_length(_arrow.utf8_trim_whitespace(words)), 3),
    )
    own = _arrow.binary_join_element_wise("#", products.codes, "")
    family = _arrow.if_else(says, words, own).dictionary_encode().indices
    return Kinds(
        products.category,
        np.asarray(family.to_numpy(zero_copy_only=False), np.int64),
        told.place,
        len(told.kept),
        told.alike,
    )


def left_out(choices: Choices, products: Catalogue, told: Facts, refunded: tuple[Ints, Ints]) -> Flags:
    """Choices that nobody is to be offered: off the shelf, given back, or had and not to be had again now."""
    person, product = refunded
    many = max(len(products), 1)
    inside = (person >= choices.first) & (person < choices.first + choices.n) & (product >= 0)
    given_back = np.isin(
        choices.person * many + choices.product, (person[inside] - choices.first) * many + product[inside]
    )
    had = choices.had > 0
    again = told.again[choices.product]
    lasting = again < RARELY_AGAIN
    fresh = (again < SELDOM_AGAIN) & (choices.last_days_ago < JUST_NOW * told.gap_days[choices.product])
    found: Flags = ~products.is_offered[choices.product] | given_back | (had & (lasting | fresh))
    return found


def three(choices: Choices, order: Ints, like: Kinds) -> Ints:
    """Rows x SHOWN entries: the best of `order` (rows x entries, -1: none) of which no two are of a kind."""
    picked = np.full((len(order), SHOWN), -1, np.int64)
    for place in range(SHOWN):
        for column in order.T:
            free = (picked[:, place] < 0) & (column >= 0)
            for before in picked[:, :place].T:
                free &= ~_clash(choices, column, before, like)
            picked[free, place] = column[free]
    return picked


def _clash(choices: Choices, a: Ints, b: Ints, like: Kinds) -> Flags:
    """Whether two entries are the same or of a kind; two that somebody buys again and again are not."""
    if not len(choices.product):
        return np.zeros(len(a), np.bool_)
    p, q = choices.product[a], choices.product[b]
    both_had = (choices.had[a] > 0) & (choices.had[b] > 0)
    same = (like.category[p] > 0) & (like.category[p] == like.category[q]) | (
        like.family[p] == like.family[q]
    )
    if len(like.alike):
        key = like.place[p] * like.width + like.place[q]
        at = np.minimum(np.searchsorted(like.alike, key), len(like.alike) - 1)
        same |= (like.place[p] >= 0) & (like.place[q] >= 0) & (like.alike[at] == key)
    found: Flags = (b >= 0) & (a >= 0) & ((p == q) | (same & ~both_had))
    return found
