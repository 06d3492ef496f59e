"""How good a classifier of three classes is: figures of the SemEval sentiment tasks, and calibration."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapport.plugins.insights.sentiment.weights import LABELS, Floats

Classes = NDArray[np.int64]


def recalls(truth: Classes, said: Classes) -> Floats:
    """(3,): of each class, the share that was found; NaN where there is none."""
    with np.errstate(invalid="ignore", divide="ignore"):
        table = confusion(truth, said)
        return np.asarray(np.diag(table) / table.sum(axis=1))


def macro_f1(truth: Classes, said: Classes) -> float:
    """The mean over classes of the harmonic mean of precision and recall."""
    table = confusion(truth, said)
    right, asked, given = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    f1 = 2 * right / np.maximum(asked + given, 1)
    return float(f1[asked > 0].mean()) if asked.any() else 0.0


def macro_recall(truth: Classes, said: Classes) -> float:
    """The mean of the recalls, the figure of SemEval-2017 task 4."""
    return float(np.nanmean(recalls(truth, said)))


def accuracy(truth: Classes, said: Classes) -> float:
    """The share that was right."""
    return float((truth == said).mean())


def calibration_error(p: Floats, truth: Classes, bins: int = 10) -> float:
    """Expected calibration error: the mean gap between the probability of the label and how often it held."""
    sure = p.max(axis=1)
    place = np.minimum((sure * bins).astype(np.int64), bins - 1)
    held = (p.argmax(axis=1) == truth).astype(np.float64)
    n = np.bincount(place, minlength=bins)
    gap = np.bincount(place, weights=held, minlength=bins) - np.bincount(place, weights=sure, minlength=bins)
    return float(np.abs(gap).sum() / n.sum())


def interval(truth: Classes, said: Classes, rng: np.random.Generator) -> tuple[float, float]:
    """95 % bootstrap interval of macro-F1, texts drawn anew 500 times."""
    n = len(truth)
    cells = truth * len(LABELS) + said
    draws = rng.multinomial(n, np.bincount(cells, minlength=9) / n, size=500).reshape(-1, 3, 3)
    right = np.diagonal(draws, axis1=1, axis2=2)
    asked, given = draws.sum(axis=2), draws.sum(axis=1)
    f1 = (2 * right / np.maximum(asked + given, 1)).sum(axis=1) / np.maximum((asked > 0).sum(axis=1), 1)
    low, high = np.quantile(f1, [0.025, 0.975])
    return float(low), float(high)


def confusion(truth: Classes, said: Classes) -> NDArray[np.int64]:
    """(3, 3): how often each class (row) was called each class (column)."""
    return np.asarray(np.bincount(truth * 3 + said, minlength=9).reshape(3, 3))
