"""Moving the shipped weights towards a firm's own labels, and judging that on labels held out."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from rapport.kit.texts import learning
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.plugins.insights.sentiment import learn
from rapport.plugins.insights.sentiment.weights import NEGATIVE, NEUTRAL, POSITIVE, Weights

FOLDS = 3  # to find the temperature
CALIBRATED_TEXTS = 300  # with fewer a temperature is noise


def logits(weights: Weights, found: Sequence[Features]) -> Floats:
    """float64 (texts, 3): z of every text."""
    return np.concatenate([weights.logits(batch, weights.by_word(batch)) for batch in found])


def fit(
    prior: Weights, found: list[Features], truth: Classes, *, ridge: float, rng: np.random.Generator
) -> Weights:
    """The prior's weights plus what the labels add, with honest probabilities."""
    given = _given(prior, found, truth)
    columns, bias = _more(given, ridge)
    t = 1.0
    if len(truth) >= CALIBRATED_TEXTS:
        t = learning.temperature(_held_out(given, FOLDS, ridge, rng), truth)
    return Weights(
        ((prior.columns + columns) / t).astype(np.float32),
        (prior.bias + bias) / t,
        prior.known,
        (prior.lexicon / t).astype(np.float32),
    )


def held_out_logits(
    prior: Weights,
    found: list[Features],
    truth: Classes,
    parts: int,
    *,
    ridge: float,
    rng: np.random.Generator,
) -> Floats:
    """float64 (texts, 3): z of every text from weights that had not seen it."""
    return _held_out(_given(prior, found, truth), parts, ridge, rng)


def _given(prior: Weights, found: list[Features], truth: Classes) -> learn.Labelled:
    polar = not (truth == NEUTRAL).any()
    return learn.Labelled(
        matrix=learning.matrix(found),
        label=truth,
        weight=np.ones(len(truth)),
        polar=np.full(len(truth), polar),
        offset=logits(prior, found),
    )


def _more(given: learn.Labelled, ridge: float) -> tuple[Floats, Floats]:
    return learn.fit(given, scale=learning.rarity(given.matrix), ridge=ridge)


def _held_out(given: learn.Labelled, parts: int, ridge: float, rng: np.random.Generator) -> Floats:
    part = learning.folds(len(given.label), parts, rng)
    z = given.offset.copy()
    for k in range(parts):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        columns, bias = _more(given.rows(kept), ridge)
        gained = given.matrix[out] @ columns.T + bias
        z[out, NEGATIVE] += gained[:, 0]
        z[out, POSITIVE] += gained[:, 1]
    return z
