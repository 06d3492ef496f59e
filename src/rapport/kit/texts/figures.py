"""The figures of a classifier of texts beside always saying the most frequent label, in words and numbers."""

from __future__ import annotations

from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts import judging
from rapport.kit.texts.learning import Floats


class Figure(TypedDict, total=False):
    """One figure: its value, what the naive rule reaches on the same texts, and what it means."""

    name: str
    value: float
    baseline: str
    baseline_value: float
    higher_is_better: bool
    low: float
    high: float
    meaning: str


def of_labels(
    which: str, labels: tuple[str, ...], truth: judging.Classes, p: Floats, rng: np.random.Generator
) -> list[Figure]:
    """Macro-F1, accuracy, calibration, and precision and recall of each label that there is.

    which : what was judged, as the names of the figures end
    p : float64 (texts, labels)
    """
    said, k = p.argmax(axis=1), len(labels)
    usual = int(np.bincount(truth, minlength=k).argmax())
    naive, always = f"always {labels[usual]}, the most frequent label", np.full(len(truth), usual)
    low, high = judging.interval(truth, said, rng)
    found: list[Figure] = [
        {
            "name": f"macro-F1, {which}",
            "value": judging.macro_f1(truth, said),
            "baseline": naive,
            "baseline_value": judging.macro_f1(truth, always),
            "low": low,
            "high": high,
            "meaning": "Precision and recall of all labels together; 1 is perfect.",
        },
        {
            "name": f"accuracy, {which}",
            "value": judging.accuracy(truth, said),
            "baseline": naive,
            "baseline_value": judging.accuracy(truth, always),
            "meaning": "The share of texts with the right label.",
        },
        {
            "name": f"calibration error, {which}",
            "value": judging.calibration_error(p, truth),
            "baseline": "always sure of the most frequent label",
            "baseline_value": 1 - judging.accuracy(truth, always),
            "higher_is_better": False,
            "meaning": "How far the stated probabilities are from how often they came true, on average.",
        },
    ]
    table = judging.confusion(truth, said, k)
    for c in np.flatnonzero(table.sum(axis=1)).tolist():
        found += _of_label(c, which, labels, table)
    return found


def _of_label(c: int, which: str, labels: tuple[str, ...], table: NDArray[np.int64]) -> list[Figure]:
    n, called, total = int(table[c].sum()), int(table[:, c].sum()), int(table.sum())
    missed = max(((int(table[c, j]), j) for j in range(len(labels)) if j != c), default=(0, 0))
    mistaken = f" Most often mistaken for {labels[missed[1]]} ({missed[0]:,})." if missed[0] else ""
    often = "a label drawn as often as it occurs"
    return [
        {
            "name": f"recall of {labels[c]}, {which}",
            "value": float(table[c, c] / n),
            "baseline": often,
            "baseline_value": n / total,
            "meaning": f"The share of {n:,} such texts that were found.{mistaken}",
        },
        {
            "name": f"precision of {labels[c]}, {which}",
            "value": float(table[c, c] / called) if called else 0.0,
            "baseline": often,
            "baseline_value": n / total,
            "meaning": f"The share of {called:,} texts so called that are such.",
        },
    ]
