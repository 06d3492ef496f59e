"""Learning the weights: multinomial logistic regression, from nothing or on top of what is known.

The loss is the weighted log-likelihood with a Gaussian prior (ridge), minimised by L-BFGS (Liu and Nocedal
1989, "On the limited memory BFGS method"). Columns are scaled by their inverse document frequency while
learning, so that the prior is tighter for what every text has. Texts that were only ever labelled negative
or positive are judged by the ratio of these two alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from rapport.plugins.insights.sentiment import features, tokens, weights
from rapport.plugins.insights.sentiment.features import BITS, Features
from rapport.plugins.insights.sentiment.weights import NEGATIVE, NEUTRAL, POSITIVE, Floats

BATCH_TEXTS = 2_048
STEPS_MAX = 300
_OUT = -1e9  # z of a class that cannot be
_MOVING = [NEGATIVE, POSITIVE]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts as a matrix, with what is known of them.

    matrix : float32 CSR (texts, columns), counts over length
    label : int64 (texts,), 0 negative, 1 neutral, 2 positive
    weight : float64 (texts,), how much each text counts
    polar : bool (texts,), whether neutral was never offered to whoever labelled it
    offset : float64 (texts, 3), z that is known before learning
    """

    matrix: sp.csr_matrix
    label: NDArray[np.int64]
    weight: Floats
    polar: NDArray[np.bool_]
    offset: Floats

    def rows(self, chosen: NDArray[np.int64]) -> Labelled:
        """Some of the texts."""
        return Labelled(
            self.matrix[chosen],
            self.label[chosen],
            self.weight[chosen],
            self.polar[chosen],
            self.offset[chosen],
        )


def batches(texts: pa.StringArray) -> list[Features]:
    """The features of texts, a bounded number of texts at a time."""
    return [
        features.features(tokens.words(texts.slice(at, BATCH_TEXTS)))
        for at in range(0, len(texts), BATCH_TEXTS)
    ]


def matrix(found: list[Features]) -> sp.csr_matrix:
    """float32 CSR (texts, buckets): how often each feature occurs, over the text's length."""
    return sp.vstack([_matrix(batch) for batch in found], format="csr")


def _matrix(found: Features) -> sp.csr_matrix:
    if not found.parts:
        return sp.csr_matrix((found.n_texts, 1 << BITS), dtype=np.float32)
    column = np.concatenate([bucket for bucket, _ in found.parts])
    row = found.owner[np.concatenate([word for _, word in found.parts])]
    value = (1.0 / weights.length(found.count()))[row].astype(np.float32)
    return sp.csr_matrix((value, (row, column)), shape=(found.n_texts, 1 << BITS))


def rarity(counts: sp.csr_matrix) -> Floats:
    """float64 (columns,): the smoothed inverse document frequency of each column, 1 for the mean feature."""
    holding = np.bincount(counts.indices, minlength=counts.shape[1])
    rare = np.log((1 + counts.shape[0]) / (1 + holding)) + 1
    return np.asarray(rare / np.average(rare, weights=np.maximum(holding, 1e-9)))


def fit(given: Labelled, *, scale: Floats, ridge: float) -> tuple[Floats, Floats]:
    """The likeliest weights (2, columns) and bias (2,), beyond the offset.

    scale : float64 (columns,), by which each column is multiplied while learning
    ridge : the precision of the Gaussian prior around zero
    """
    # A column that no text has stays at zero, so only the others are learnt.
    there = np.unique(given.matrix.indices)
    n, d = given.matrix.shape[0], len(there)
    x = (given.matrix[:, there] @ sp.diags(scale[there].astype(np.float32))).tocsr()
    across = x.T.tocsr()
    offset = given.offset + np.where(np.arange(3) == NEUTRAL, _OUT, 0.0) * given.polar[:, None]
    truth = np.eye(3)[given.label]
    total = float(given.weight.sum())

    def loss(v: Floats) -> tuple[float, Floats]:
        w, b = v[: 2 * d].reshape(d, 2), v[2 * d :]
        z = offset.copy()
        z[:, _MOVING] += x @ w + b
        p = weights.softmax(z)
        right = np.maximum(p[np.arange(n), given.label], 1e-12)
        off = ((p - truth) * given.weight[:, None])[:, _MOVING]
        # Three free weights cost their squares around their mean; as differences from neutral that is
        # w_n^2 + w_p^2 - (w_n + w_p)^2 / 3, so no class is favoured by being the reference.
        both = w.sum(axis=1, keepdims=True)
        size = float((w * w).sum() - (both * both).sum() / 3)
        gradient = across @ off + ridge * (w - both / 3)
        value = -float((given.weight * np.log(right)).sum()) + ridge * size / 2
        return value / total, np.concatenate([gradient.ravel(), off.sum(axis=0)]) / total

    found = minimize(
        loss,
        np.zeros(2 * d + 2),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS_MAX, "maxcor": 6},
    )
    columns = np.zeros((2, given.matrix.shape[1]))
    columns[:, there] = found.x[: 2 * d].reshape(d, 2).T * scale[there]
    return columns, found.x[2 * d :]


def temperature(z: Floats, label: NDArray[np.int64]) -> float:
    """By what to divide z (texts, 3) so that probabilities on held-out texts are honest.

    Guo et al. 2017, "On calibration of modern neural networks".
    """

    def loss(log_t: float) -> float:
        p = weights.softmax(z / np.exp(log_t))
        return -float(np.log(np.maximum(p[np.arange(len(label)), label], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def folds(n: int, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,): a random part, 0 to parts - 1, for each text."""
    return np.asarray(rng.permutation(n) % parts)
