"""How good a classifier is: macro-F1, macro-recall, accuracy, calibration. Classes are numbers from 0."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts.learning import Floats

Classes = NDArray[np.int64]


def recalls(truth: Classes, said: Classes) -> Floats:
    """(classes,): of each class, the share that was found; NaN where there is none."""
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
    table = confusion(truth, said)
    n, k = int(table.sum()), len(table)
    # The pairs that occur alone: with many classes most of the table is empty.
    there = np.flatnonzero(table)
    draws = rng.multinomial(n, table.ravel()[there] / n, size=500)
    row, column = np.divmod(there, k)
    asked, given = draws @ np.eye(k)[row], draws @ np.eye(k)[column]
    right = draws @ (np.eye(k)[row] * (row == column)[:, None])
    f1 = (2 * right / np.maximum(asked + given, 1)).sum(axis=1) / np.maximum((asked > 0).sum(axis=1), 1)
    low, high = np.quantile(f1, [0.025, 0.975])
    return float(low), float(high)


def confusion(truth: Classes, said: Classes, n_classes: int | None = None) -> NDArray[np.int64]:
    """(classes, classes): how often each class (row) was called each class (column)."""
    k = n_classes or int(max(truth.max(initial=0), said.max(initial=0))) + 1
    return np.asarray(np.bincount(truth * k + said, minlength=k * k).reshape(k, k))
