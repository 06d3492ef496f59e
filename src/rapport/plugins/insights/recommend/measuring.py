"""How good an order of products is against what people took next: nDCG, recall and hits of the first ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.recommend.reading import Floats, Ints

FIRST = 10
_DISCOUNT = 1 / np.log2(np.arange(2, FIRST + 2))


@dataclass(frozen=True, slots=True)
class Quality:
    """One figure per person judged, each in [0, 1]."""

    ndcg: Floats  # Järvelin and Kekäläinen 2002, over the first ten
    recall: Floats  # of what was taken, the share that is among the first ten
    any_taken: Floats  # 1 where anything taken is among the first ten


def quality(said: Ints, person: Ints, product: Ints, n_products: int) -> Quality:
    """Judge rows x FIRST places in the catalogue (-1: none) against what each row took (-1: an unknown product).

    Rows that took nothing get 0; leave them out before averaging.
    """
    n = len(said)
    taken = np.bincount(person, minlength=n)
    right = is_taken(said, person, product, n_products)
    ideal: Floats = np.cumsum(_DISCOUNT)[np.clip(taken, 1, FIRST) - 1]
    return Quality(
        (right * _DISCOUNT[: said.shape[1]]).sum(axis=1) / ideal,
        right.sum(axis=1) / np.maximum(taken, 1),
        np.asarray(right.any(axis=1), np.float64),
    )


def is_taken(said: Ints, person: Ints, product: Ints, n_products: int) -> Ints:
    """Rows x columns: 1 where what was said was taken."""
    many = max(n_products, 1)
    key = np.sort(person[product >= 0] * many + product[product >= 0])
    asked = np.arange(len(said))[:, None] * many + said
    if len(key) == 0:
        return np.zeros(said.shape, np.int64)
    at = np.minimum(np.searchsorted(key, asked), len(key) - 1)
    found: Ints = ((key[at] == asked) & (said >= 0)).astype(np.int64)
    return found


def interval(values: Floats) -> tuple[float, float]:
    """Ends of the 95 % interval of a mean over people."""
    mean, half = float(values.mean()), 1.96 * float(values.std()) / max(len(values), 1) ** 0.5
    return mean - half, mean + half
