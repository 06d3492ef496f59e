"""Moving the shipped weights towards a firm's own labels, and judging that on labels held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.kit.texts import learning, second, svm
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.meaning import Vectors
from rapport.kit.texts.second import Second
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


@dataclass(frozen=True, slots=True)
class Learnt:
    """What labels add to the prior: columns (2, buckets), bias (2,), and the temperature by which all is divided.

    second : the second reader, where texts held out say that it helps
    """

    columns: Floats
    bias: Floats
    temperature: float
    second: Second | None = None


@dataclass(frozen=True, slots=True)
class HeldOut:
    """float64 (texts, 3): z of every text from weights that had not seen it, by words alone and with meaning."""

    fast: Floats
    full: Floats | None


def fit(
    prior: Weights,
    found: list[Features],
    truth: Classes,
    *,
    manner: Manner,
    rng: np.random.Generator,
    meant: Vectors | None = None,
) -> tuple[Weights, Second | None]:
    """The prior's weights plus what the labels add, with honest probabilities; and a second reader where it helps.

    meant : float32 (texts, SIZE), what each text means; without it there is no second reader
    """
    learnt = _learn(_given(prior, found, truth, manner), manner, rng, meant)
    return prior.plus(learnt.columns, learnt.bias, learnt.temperature), learnt.second


def held_out_logits(
    prior: Weights,
    found: list[Features],
    truth: Classes,
    part: NDArray[np.int64],
    *,
    manner: Manner,
    rng: np.random.Generator,
) -> Floats:
    """float64 (texts, 3): z of every text by its words, from weights that had not seen its part."""
    return held_out(prior, found, truth, part, manner=manner, rng=rng).fast


def held_out(
    prior: Weights,
    found: list[Features],
    truth: Classes,
    part: NDArray[np.int64],
    *,
    manner: Manner,
    rng: np.random.Generator,
    meant: Vectors | None = None,
) -> HeldOut:
    """Every text read by weights that had not seen its part, the choice of ridge and of a second reader included."""
    given = _given(prior, found, truth, manner)
    fast = given.offset.copy()
    full = None if meant is None else fast.copy()
    for k in range(int(part.max()) + 1):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        learnt = _learn(given.rows(kept), manner, rng, None if meant is None else meant[kept])
        fast[out] = _plus(given, out, learnt.columns, learnt.bias) / learnt.temperature
        if full is not None and meant is not None:
            more = learnt.second
            full[out] = fast[out] if more is None else more.added(fast[out], meant[out])
    return HeldOut(fast, full)


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


def _learn(given: learn.Labelled, manner: Manner, rng: np.random.Generator, meant: Vectors | None) -> Learnt:
    if len(given.label) < CHOOSING_TEXTS:
        return Learnt(*_more(given, manner.ridge or RIDGE), 1.0)
    part = learning.folds(len(given.label), HELD_OUT, rng)
    kept, out = np.flatnonzero(part != 0), np.flatnonzero(part == 0)
    tried = {r: _plus(given, out, *_more(given.rows(kept), r)) for r in _ridges(manner)}
    weight, label = given.weight[out], given.label[out]
    ridge = min(tried, key=lambda r: learn.loss(tried[r], label, weight))
    t = learning.temperature(tried[ridge], label)
    more = None
    # Where neutral was never offered, a second reader would unlearn that there is such a thing.
    if meant is not None and not given.polar.any():
        head = _head(given.rows(kept), meant[kept])
        chosen = second.choose(tried[ridge], head.logits(meant[out]), label, weigh=True)
        more = second.settle(_head(given, meant), chosen, t) if chosen.kept else None
    return Learnt(*_more(given, ridge), t, more)


def _head(given: learn.Labelled, meant: Vectors) -> second.Head:
    return second.fit(meant, given.label, given.weight, len(LABELS))


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
