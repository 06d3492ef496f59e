"""Moving the shipped weights towards a firm's own labels, and judging that on labels held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.kit.texts import learning, svm
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.plugins.insights.sentiment import learn
from rapport.plugins.insights.sentiment.weights import LABELS, NEGATIVE, NEUTRAL, POSITIVE, Weights

RIDGES = (0.3, 0.6, 1.2, 2.4)
RIDGE = 0.6  # where labels are too few to choose
HELD_OUT = 4  # one text in so many is kept back to choose the ridge and to find the temperature
PEER_COST = 0.3  # at which the baseline is best with letters beside words
CHOOSING_TEXTS = 300  # with fewer, what is kept back is noise


@dataclass(frozen=True, slots=True)
class Manner:
    """How to learn from labels.

    ridge : how firmly the prior holds; 0 chooses by texts held out
    evenness : 0 where labels are as frequent as given, 1 where they count as if equally frequent
    """

    ridge: float = 0.0
    evenness: float = 0.5


def logits(weights: Weights, found: Sequence[Features]) -> Floats:
    """float64 (texts, 3): z of every text."""
    return np.concatenate([weights.logits(batch, weights.by_word(batch)) for batch in found])


def fit(
    prior: Weights, found: list[Features], truth: Classes, *, manner: Manner, rng: np.random.Generator
) -> Weights:
    """The prior's weights plus what the labels add, with honest probabilities."""
    columns, bias, t = _learn(_given(prior, found, truth, manner), manner, rng)
    return prior.plus(columns, bias, t)


def held_out_logits(
    prior: Weights,
    found: list[Features],
    truth: Classes,
    part: NDArray[np.int64],
    *,
    manner: Manner,
    rng: np.random.Generator,
) -> Floats:
    """float64 (texts, 3): z of every text from weights that had not seen its part, choices of the ridge included."""
    given = _given(prior, found, truth, manner)
    z = given.offset.copy()
    for k in range(int(part.max()) + 1):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        columns, bias, t = _learn(given.rows(kept), manner, rng)
        z[out] = _plus(given, out, columns, bias) / t
    return z


def peer(found: list[Features], truth: Classes, part: NDArray[np.int64], manner: Manner) -> Classes:
    """(texts,): what the usual baseline says of each text after learning the other parts.

    It reads words, pairs of words and letters, and weighs labels as the model does.
    """
    letters = learning.matrix([_letters(batch) for batch in found])
    letters.sum_duplicates()
    letters.data[:] = 1
    # The machine learns a weight for each column that it is given, so it gets those that there are.
    given = sp.hstack([svm.counts(found), letters[:, np.unique(letters.indices)]], format="csr")
    said = np.zeros(len(truth), np.int64)
    weight = PEER_COST * learn.evened(truth, manner.evenness)
    for k in range(int(part.max()) + 1):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        said[out] = svm.said(given, truth, kept, out, len(LABELS), weight=weight)
    return said


def _letters(found: Features) -> Features:
    return Features(found.n_texts, found.owner, found.whole, found.turned, found.parts[2:])


def _given(prior: Weights, found: list[Features], truth: Classes, manner: Manner) -> learn.Labelled:
    polar = not (truth == NEUTRAL).any()
    return learn.Labelled(
        matrix=learning.matrix(found),
        label=truth,
        weight=learn.evened(truth, manner.evenness),
        polar=np.full(len(truth), polar),
        offset=logits(prior, found),
    )


def _learn(given: learn.Labelled, manner: Manner, rng: np.random.Generator) -> tuple[Floats, Floats, float]:
    """Weights (2, buckets) and bias (2,) beyond the prior, and the temperature."""
    if len(given.label) < CHOOSING_TEXTS:
        return (*_more(given, manner.ridge or RIDGE), 1.0)
    part = learning.folds(len(given.label), HELD_OUT, rng)
    kept, out = np.flatnonzero(part != 0), np.flatnonzero(part == 0)
    tried = {r: _plus(given, out, *_more(given.rows(kept), r)) for r in _ridges(manner)}
    weight, label = given.weight[out], given.label[out]
    ridge = min(tried, key=lambda r: learn.loss(tried[r], label, weight))
    t = learning.temperature(tried[ridge], label)
    return (*_more(given, ridge), t)


def _ridges(manner: Manner) -> Sequence[float]:
    return (manner.ridge,) if manner.ridge else RIDGES


def _more(given: learn.Labelled, ridge: float) -> tuple[Floats, Floats]:
    return learn.fit(given, scale=learning.rarity(given.matrix), ridge=ridge)


def _plus(given: learn.Labelled, rows: NDArray[np.int64], columns: Floats, bias: Floats) -> Floats:
    z = given.offset[rows].copy()
    gained = given.matrix[rows] @ columns.T + bias
    z[:, NEGATIVE] += gained[:, 0]
    z[:, POSITIVE] += gained[:, 1]
    return z
