"""How good it is on labels held out, beside a TF-IDF model with a linear support vector machine and the usual label."""

from __future__ import annotations

import numpy as np

from rapport.insights.contract import Backtest, Metric
from rapport.kit.texts import judging, learning, svm
from rapport.kit.texts.judging import Classes
from rapport.plugins.insights.contact_reason import teaching
from rapport.plugins.insights.contact_reason.teaching import Lesson, Manner

FOLDS = 5
RIVAL = "TF-IDF of words and pairs with a linear support vector machine"


def judge(given: Lesson, manner: Manner, rng: np.random.Generator) -> Backtest:
    """Every text judged by weights that had not seen it; both rivals learn from the same texts."""
    truth, k = given.label, len(given.labels)
    n_folds = min(FOLDS, len(truth))
    part = learning.folds(len(truth), n_folds, rng)
    rows, counts = teaching.labelled(given, manner), svm.counts(given.found)
    said, rival, usual = (np.zeros(len(truth), np.int64) for _ in range(3))
    for fold in range(n_folds):
        kept, out = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
        learnt = teaching.learn(rows.rows(kept), given.labels, manner)
        said[out] = (rows.matrix[out][:, learnt.buckets] @ learnt.weights + learnt.bias).argmax(axis=1)
        rival[out] = svm.said(counts, truth, kept, out, k)
        usual[out] = np.bincount(truth[kept], minlength=k).argmax()
    most = given.labels[np.bincount(truth, minlength=k).argmax()]
    naive = f"always {most}, the most frequent label"
    low, high = judging.interval(truth, said, rng)
    return Backtest(
        (
            _metric("macro-F1", truth, said, RIVAL, rival, (low, high)),
            _metric("accuracy", truth, said, RIVAL, rival),
            _metric("macro-F1 beside the usual label", truth, said, naive, usual, (low, high)),
            _metric("accuracy beside the usual label", truth, said, naive, usual),
        ),
        len(truth),
        f"{k} labels; each of {n_folds} parts judged after learning from the others",
    )


def _metric(
    name: str,
    truth: Classes,
    said: Classes,
    baseline: str,
    rival: Classes,
    ends: tuple[float | None, float | None] = (None, None),
) -> Metric:
    is_f1 = name.startswith("macro-F1")
    figure = judging.macro_f1 if is_f1 else judging.accuracy
    return Metric(
        name,
        figure(truth, said),
        baseline,
        figure(truth, rival),
        low=ends[0],
        high=ends[1],
        meaning=(
            "Precision and recall of all labels together, each label counting alike; 1 is perfect."
            if is_f1
            else "The share of texts with the right label."
        ),
    )
