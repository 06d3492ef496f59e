"""What every learner from texts needs: the matrix of features, folds, honest probabilities."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar

from rapport.kit.texts import hashing
from rapport.kit.texts.hashing import BITS, Features

Floats = NDArray[np.float64]

BATCH_TEXTS = 2_048
FEATURES_FULL = 2_000  # beyond so many features (some 400 characters) a longer text grows no surer


def batches(texts: pa.StringArray) -> list[Features]:
    """The features of texts, a bounded number of texts at a time."""
    return [hashing.of_texts(texts.slice(at, BATCH_TEXTS)) for at in range(0, len(texts), BATCH_TEXTS)]


def matrix(found: list[Features]) -> sp.csr_matrix:
    """float32 CSR (texts, buckets): how often each feature occurs, over the text's length."""
    return sp.vstack([_matrix(batch) for batch in found], format="csr")


def _matrix(found: Features) -> sp.csr_matrix:
    if not found.parts:
        return sp.csr_matrix((found.n_texts, 1 << BITS), dtype=np.float32)
    column = np.concatenate([bucket for bucket, _ in found.parts])
    row = found.owner[np.concatenate([word for _, word in found.parts])]
    value = (1.0 / length(found.count()))[row].astype(np.float32)
    return sp.csr_matrix((value, (row, column)), shape=(found.n_texts, 1 << BITS))


def length(n_features: NDArray[np.int64]) -> Floats:
    """What a text's sum is divided by: the square root of its features, until it is long."""
    n = np.maximum(n_features, 1).astype(np.float64)
    return np.where(n <= FEATURES_FULL, np.sqrt(n), n / np.sqrt(FEATURES_FULL))


def rarity(counts: sp.csr_matrix) -> Floats:
    """float64 (columns,): the smoothed inverse document frequency of each column, 1 for the mean feature."""
    holding = np.bincount(counts.indices, minlength=counts.shape[1])
    rare = np.log((1 + counts.shape[0]) / (1 + holding)) + 1
    return np.asarray(rare / np.average(rare, weights=np.maximum(holding, 1e-9)))


def softmax(z: Floats) -> Floats:
    """Probabilities along the last axis."""
    grown = np.exp(z - z.max(axis=-1, keepdims=True))
    return np.asarray(grown / grown.sum(axis=-1, keepdims=True))


def temperature(z: Floats, label: NDArray[np.int64]) -> float:
    """By what to divide z (texts, classes) so that probabilities on held-out texts are honest.

    Guo et al. 2017, "On calibration of modern neural networks".
    """

    def loss(log_t: float) -> float:
        p = softmax(z / np.exp(log_t))
        return -float(np.log(np.maximum(p[np.arange(len(label)), label], 1e-12)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-2, 2), method="bounded").x))


def folds(n: int, parts: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(n,): a random part, 0 to parts - 1, for each text."""
    return np.asarray(rng.permutation(n) % parts)
