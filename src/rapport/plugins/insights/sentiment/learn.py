"""Learning the weights: multinomial logistic regression, from nothing or on top of what is known.

The loss is the weighted log-likelihood with a Gaussian prior (ridge), minimised by L-BFGS (Liu and Nocedal
1989, "On the limited memory BFGS method"). Columns are scaled by their inverse document frequency while
learning, so that the prior is tighter for what every text has. Texts that were only ever labelled negative
or positive are judged by the ratio of these two alone.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from rapport.kit.texts.learning import Floats, softmax
from rapport.plugins.insights.sentiment.weights import NEGATIVE, NEUTRAL, POSITIVE

STEPS_MAX = 80  # later ones fit what is peculiar to the texts learnt from
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


def evened(label: NDArray[np.int64], evenness: float) -> Floats:
    """float64 (texts,): how much each text counts; at 1 all labels weigh alike, at 0 all texts do."""
    n = np.bincount(label, minlength=3)
    share = len(label) / (np.count_nonzero(n) * np.maximum(n, 1))
    return np.asarray(share[label] ** evenness)


def loss(z: Floats, label: NDArray[np.int64], weight: Floats) -> float:
    """The weighted negative log-likelihood of labels under z (texts, 3)."""
    right = np.maximum(softmax(z)[np.arange(len(label)), label], 1e-12)
    return -float((weight * np.log(right)).sum())


def fit(given: Labelled, *, scale: Floats, ridge: float) -> tuple[Floats, Floats]:
    """The likeliest weights (2, columns) and bias (2,), beyond the offset.

    scale : float64 (columns,), by which each column is multiplied while learning
    ridge : the precision of the Gaussian prior around zero
    """
    # A column that no text has stays at zero, so only the others are learnt.
    there = np.unique(given.matrix.indices)
    d = len(there)
    x = (given.matrix[:, there] @ sp.diags(scale[there].astype(np.float32))).tocsr()
    across = x.T.tocsr()
    offset = given.offset + np.where(np.arange(3) == NEUTRAL, _OUT, 0.0) * given.polar[:, None]
    truth = np.eye(3)[given.label]
    total = float(given.weight.sum())

    def loss_of(v: Floats) -> tuple[float, Floats]:
        w, b = v[: 2 * d].reshape(d, 2), v[2 * d :]
        z = offset.copy()
        # In the matrix's own precision, because SciPy would copy all of it for another.
        z[:, _MOVING] += x @ w.astype(np.float32) + b
        off = ((softmax(z) - truth) * given.weight[:, None])[:, _MOVING]
        # Three free weights cost their squares around their mean; as differences from neutral that is
        # w_n^2 + w_p^2 - (w_n + w_p)^2 / 3, so no class is favoured by being the reference.
        both = w.sum(axis=1, keepdims=True)
        size = float((w * w).sum() - (both * both).sum() / 3)
        gradient = across @ off.astype(np.float32) + ridge * (w - both / 3)
        value = loss(z, given.label, given.weight) + ridge * size / 2
        return value / total, np.concatenate([gradient.ravel(), off.sum(axis=0)]) / total

    found = minimize(
        loss_of,
        np.zeros(2 * d + 2),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": STEPS_MAX, "maxcor": 6},
    )
    columns = np.zeros((2, given.matrix.shape[1]))
    columns[:, there] = found.x[: 2 * d].reshape(d, 2).T * scale[there]
    return columns, found.x[2 * d :]
