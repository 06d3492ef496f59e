"""Which products go together: a linear model of each product from all others, in closed form.

B minimises sum_p w_p |x_p - x_p B|^2 + |D^(1/2) B|^2 with a diagonal of zeros, where x_p is 1 for what person
p bought. With G = X' W X and A = G + D, P = A^-1, the answer is B_ij = -P_ij / P_jj. D = ridge I is EASE
(Steck 2019, "Embarrassingly shallow autoencoders for sparse data"); D = ridge I + drop / (1 - drop) diag(G) is
what training with drop-out comes to (Steck 2020, "Autoencoders that don't overfit towards the identity"). The
weights w_p = n_p^-evening let somebody who bought a thousand things speak less. A share of the projection on
the first few eigenvectors of X'X (Cremonesi et al. 2010, "PureSVD") is added: what is alike in kind, though
never bought together. Not taken: full-rank solutions without the constraint, which were no better.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import linalg, sparse

from rapport.plugins.insights.recommend.reading import Ints, Pairs, Singles

DIRECTIONS = 20
CHUNK = 50_000  # people whose pairs are counted at once
MOST_CELLS = 2_000_000  # of B that are kept; the smallest go first


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is free in the model. `ridge` is a multiple of the mean number of buyers of a product."""

    ridge: float = 4.0
    drop: float = 0.5
    evening: float = 0.5
    kind: float = 0.2  # share of the projection


@dataclass(frozen=True, slots=True)
class Together:
    """What was counted: G for one evening, how many people, and how often each pair was bought by one person."""

    gram: Any  # in double precision, or in single where it is large
    evening: float


def incidence(pairs: Pairs, place: Ints, n: int) -> Any:
    """People x products of the model: 1 where bought. `place` maps the catalogue to the model, -1 is outside."""
    column = place[pairs.product]
    there = column >= 0
    width = int(place.max(initial=-1)) + 1
    return sparse.csr_matrix(
        (np.ones(int(there.sum()), np.float32), (pairs.person[there], column[there])), shape=(n, width)
    )


def together(x: Any, evening: float) -> Together:
    """G of the people of x. In single precision beyond a few thousand products, to save half the memory."""
    width = x.shape[1]
    kind: Any = np.float64 if width <= 3_000 else np.float32
    n = np.diff(x.indptr)
    weight = np.maximum(n, 1.0) ** -evening
    weight *= len(weight) / weight.sum()
    gram = np.zeros((width, width), kind)
    for start in range(0, x.shape[0], CHUNK):
        part = x[start : start + CHUNK].astype(kind)
        gram += (part.T @ sparse.diags(weight[start : start + CHUNK].astype(kind)) @ part).toarray()
    return Together(gram, evening)


def weights(counted: Together, recipe: Recipe, directions: Any) -> Any:
    """B, from product (row) to product (column), with a diagonal of zeros; `directions` as `directions_of` gives."""
    gram = counted.gram
    bought: Any = np.diag(gram).copy()
    a = gram.copy()
    a[np.diag_indices_from(a)] += (
        recipe.ridge * max(float(bought.mean()), 1e-6) + recipe.drop / (1 - recipe.drop) * bought
    )
    factor, failed = linalg.lapack.get_lapack_funcs(("potrf",), (a,))[0](a, lower=1, overwrite_a=1)
    assert failed == 0, "a sum of squares and a positive diagonal is positive definite"
    p, _ = linalg.lapack.get_lapack_funcs(("potri",), (factor,))[0](factor, lower=1, overwrite_c=1)
    del a, factor
    p = np.tril(p)
    p += np.tril(p, -1).T
    p /= -np.diag(p)[None, :]
    if recipe.kind > 0 and directions.shape[1]:
        p += recipe.kind * (directions @ directions.T)
    p[np.diag_indices_from(p)] = 0
    return p


def directions_of(plain: Together) -> Any:
    """Eigenvectors of the largest eigenvalues of G (of no evening), by subspace iteration from a fixed start.

    None for so few products that they would say everything.
    """
    gram = plain.gram
    if len(gram) <= 4 * DIRECTIONS:
        return np.zeros((len(gram), 0), gram.dtype)
    v = np.random.default_rng(0).standard_normal((len(gram), DIRECTIONS + 10)).astype(gram.dtype)
    for _ in range(12):
        v, _ = np.linalg.qr(gram @ v)
    small = v.T @ gram @ v
    _, turn = np.linalg.eigh((small + small.T) / 2)
    return v @ turn[:, ::-1][:, :DIRECTIONS]


def pruned(b: NDArray[Any], most: int = MOST_CELLS) -> Any:
    """B as a sparse matrix of its largest cells."""
    if b.size <= most:
        kept = sparse.csr_matrix(b.astype(np.float32))
    else:
        size = np.abs(b).astype(np.float32).ravel()
        least = np.partition(size, len(size) - most)[len(size) - most]
        b[(size < max(least, np.finfo(np.float32).tiny)).reshape(b.shape)] = 0
        del size
        kept = sparse.csr_matrix(b.astype(np.float32, copy=False))
    kept.sort_indices()
    return kept


def best(scores: Singles, k: int) -> Ints:
    """The places of the k largest of each row, in no order: exact, and several times faster than partitioning rows.

    Columns are dealt into groups; the k largest lie within the k groups of the largest maxima.
    """
    n, width = scores.shape
    k = min(k, width)
    groups = -(-width // 16)
    if width <= 512 or k * 16 >= width:
        return np.argpartition(scores, width - k, axis=1)[:, width - k :].astype(np.int64)
    padded = np.full((n, 16, groups), -np.inf, np.float32)
    padded.reshape(n, -1)[:, :width] = scores
    top = np.argpartition(padded.max(axis=1), groups - k, axis=1)[:, groups - k :]
    within = (top[:, None, :] + groups * np.arange(16)[None, :, None]).reshape(n, -1)
    value = np.take_along_axis(padded.reshape(n, -1), within, axis=1)
    place = np.argpartition(value, value.shape[1] - k, axis=1)[:, value.shape[1] - k :]
    found: Ints = np.take_along_axis(within, place, axis=1).astype(np.int64)
    return found
