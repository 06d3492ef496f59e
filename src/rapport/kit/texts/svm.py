"""The model to beat: TF-IDF of words and pairs of words with a linear support vector machine, one class against the rest.

Joachims 1998, "Text categorization with support vector machines"; squared hinge loss as Fan et al. 2008,
"LIBLINEAR", minimised for all classes together by L-BFGS. It is what anybody would try first, so every model that
is taught labels is judged beside it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from rapport.kit.texts.hashing import Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats

COST = 1.0  # of a text on the wrong side, beside the squares of the weights
STEPS_MAX = 200

_GROW = np.uint64(0x9E3779B97F4A7C15)


def counts(found: Sequence[Features]) -> sp.csr_matrix:
    """float32 CSR (texts, distinct words and pairs): how often each occurs."""
    keys, owners, at = [], [], 0
    for batch in found:
        second = np.flatnonzero(batch.owner[1:] == batch.owner[:-1]) + 1
        with np.errstate(over="ignore"):
            pairs = (batch.whole[second - 1] * _GROW) ^ batch.whole[second]
        keys += [batch.whole, pairs]
        owners += [batch.owner + at, batch.owner[second] + at]
        at += batch.n_texts
    return table(np.concatenate(keys), np.concatenate(owners), at)


def table(key: NDArray[np.uint64], owner: NDArray[np.int64], n_texts: int) -> sp.csr_matrix:
    """float32 CSR (texts, distinct keys): how often each text has each key."""
    distinct, place = np.unique(key, return_inverse=True)
    ones = np.ones(len(key), np.float32)
    found = sp.csr_matrix((ones, (owner, place)), shape=(n_texts, len(distinct)))
    found.sum_duplicates()
    return found


def said(
    given: sp.csr_matrix,
    label: Classes,
    kept: Classes,
    out: Classes,
    n_classes: int,
    *,
    weight: Floats | None = None,
) -> Classes:
    """(out,): the class of each text of `out`, learnt from the counts and labels of the texts `kept`.

    weight : float64 (texts,), how much a text on the wrong side costs, in COST; by default all alike
    """
    return np.asarray(logits(given, label, kept, out, n_classes, weight=weight).argmax(axis=1))


def logits(
    given: sp.csr_matrix,
    label: Classes,
    kept: Classes,
    out: Classes,
    n_classes: int,
    *,
    weight: Floats | None = None,
) -> Floats:
    """float64 (out, classes): how far each text of `out` is on each class's side, learnt as `said` learns."""
    rare = _rarity(given[kept])
    x, asked = _tfidf(given[kept], rare), _tfidf(given[out], rare)
    cost = COST * (np.ones(len(kept)) if weight is None else weight[kept])
    weights, bias = _fit(x, label[kept], n_classes, cost.astype(np.float32)[:, None])
    return np.asarray(asked @ weights + bias)


def _rarity(given: sp.csr_matrix) -> NDArray[np.float32]:
    holding = np.bincount(given.indices, minlength=given.shape[1])
    rare = np.log((1 + given.shape[0]) / (1 + holding)) + 1
    # What no text held is unknown: it neither speaks nor lengthens a text.
    return np.where(holding > 0, rare, 0).astype(np.float32)


def _tfidf(given: sp.csr_matrix, rare: NDArray[np.float32]) -> sp.csr_matrix:
    x = given.copy()
    x.data = 1 + np.log(x.data)
    x = (x @ sp.diags(rare)).tocsr()
    size = np.sqrt(np.asarray(x.multiply(x).sum(axis=1)).ravel())
    return (sp.diags((1 / np.where(size > 0, size, 1)).astype(np.float32)) @ x).tocsr()


def _fit(x: sp.csr_matrix, label: Classes, k: int, cost: NDArray[np.float32]) -> tuple[Floats, Floats]:
    d, across = x.shape[1], x.T.tocsr()
    side = np.where(np.arange(k) == label[:, None], 1.0, -1.0).astype(np.float32)

    def loss(v: Floats) -> tuple[float, Floats]:
        w, b = v[: d * k].reshape(d, k), v[d * k :]
        short = np.maximum(1 - side * (x @ w.astype(np.float32) + b.astype(np.float32)), 0)
        slope = -2 * cost * side * short
        value = float((v * v).sum()) / 2 + float((cost * short * short).sum())
        gradient = np.concatenate([(across @ slope).ravel(), slope.sum(axis=0)]) + v
        return value, gradient

    found = minimize(
        loss, np.zeros((d + 1) * k), jac=True, method="L-BFGS-B", options={"maxiter": STEPS_MAX, "maxcor": 6}
    )
    return found.x[: d * k].reshape(d, k), found.x[d * k :]
