"""How far each word of a text pulled towards the label that it got."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts.learning import Floats
from rapport.plugins.insights.sentiment.weights import NEUTRAL, POSITIVE


def pull(added: Floats, label: NDArray[np.int64]) -> Floats:
    """(words,): how far a word moves z of the label of its text ahead of the mean of the other two.

    added : float64 (words, 2), what each word adds to z of negative and of positive
    label : int64 (words,), the label of its text
    """
    negative, positive = added[:, 0], added[:, 1]
    towards_neutral = -(negative + positive) / 2
    towards_end = np.where(label == POSITIVE, positive - negative / 2, negative - positive / 2)
    return np.where(label == NEUTRAL, towards_neutral, towards_end)
