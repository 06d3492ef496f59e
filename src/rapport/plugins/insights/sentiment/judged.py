"""Figures of a back-test: beside which naive rule, and whether probabilities are honest."""

from __future__ import annotations

import numpy as np

from rapport.insights.contract import Curve, Metric, Point
from rapport.kit import chances
from rapport.kit.texts import judging
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.plugins.insights.sentiment.weights import LABELS

SHARES = np.linspace(0.3, 1.0, 8)  # of the probability of the label, which is never below a third


def metrics(
    which: str, truth: Classes, p: Floats, naive: str, naive_said: Classes, rng: np.random.Generator
) -> tuple[Metric, ...]:
    """Macro-F1, macro-recall and accuracy beside those of the naive rule on the same texts."""
    said = p.argmax(axis=1)
    low, high = judging.interval(truth, said, rng)
    return (
        Metric(
            f"macro-F1, {which}",
            judging.macro_f1(truth, said),
            naive,
            judging.macro_f1(truth, naive_said),
            low=low,
            high=high,
            meaning="Precision and recall of the three labels together; 1 is perfect.",
        ),
        Metric(
            f"macro-recall, {which}",
            judging.macro_recall(truth, said),
            naive,
            judging.macro_recall(truth, naive_said),
            meaning="Of each label the share that was found, averaged over the labels.",
        ),
        Metric(
            f"accuracy, {which}",
            judging.accuracy(truth, said),
            naive,
            judging.accuracy(truth, naive_said),
            meaning="The share of texts with the right label.",
        ),
    )


def usual(truth: Classes) -> tuple[str, Classes]:
    """The naive rule, and what it says."""
    label = int(np.bincount(truth, minlength=3).argmax())
    return f"always {LABELS[label]}, the most frequent label", np.full(len(truth), label)


def curve(p: Floats, truth: Classes) -> Curve:
    """How often the label was right, by the probability that was stated for it."""
    sure, right = p.max(axis=1), (p.argmax(axis=1) == truth).astype(np.float64)
    place = np.clip(np.digitize(sure, SHARES) - 1, 0, len(SHARES) - 2)
    points = []
    for k in np.unique(place):
        there = place == k
        share = chances.share(float(right[there].sum()), int(there.sum()))
        points.append(Point(float(sure[there].mean()), share.value, int(there.sum()), share.low, share.high))
    error = judging.calibration_error(p, truth)
    return Curve(
        "sentiment",
        "probability",
        tuple(points),
        f"The stated probability of a label and the share that was right differ by {100 * error:.1f} points on average.",
    )
