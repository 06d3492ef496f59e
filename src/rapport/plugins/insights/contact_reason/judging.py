"""How good it is on labels held out, beside a TF-IDF model with a linear support vector machine and the usual label."""

from __future__ import annotations

import numpy as np

from rapport.insights.contract import Backtest, Metric
from rapport.kit import chances
from rapport.kit.texts import judging, learning, second, svm
from rapport.kit.texts.judging import Classes
from rapport.plugins.insights.contact_reason import teaching
from rapport.plugins.insights.contact_reason.teaching import Lesson, Manner

FOLDS = 5
RIVAL = "TF-IDF of words and pairs with a linear support vector machine, labels weighed alike"


def judge(given: Lesson, manner: Manner, rng: np.random.Generator) -> Backtest:
    """Every text judged by weights that had not seen it; both rivals learn from the same texts."""
    truth, k = given.label, len(given.labels)
    n_folds = min(FOLDS, len(truth))
    part = learning.folds(len(truth), n_folds, rng)
    rows, counts = teaching.labelled(given, manner), svm.counts(given.found)
    z = np.zeros((len(truth), k))
    rival, usual = (np.zeros(len(truth), np.int64) for _ in range(2))
    for fold in range(n_folds):
        kept, out = np.flatnonzero(part != fold), np.flatnonzero(part == fold)
        learnt = teaching.learn(rows.rows(kept), given.labels, manner)
        z[out] = rows.matrix[out][:, learnt.buckets] @ learnt.weights + learnt.bias
        rival[out] = svm.said(counts, truth, kept, out, k, weight=rows.weight)
        usual[out] = np.bincount(truth[kept], minlength=k).argmax()
    fast = said = z.argmax(axis=1)
    is_full = manner.tier == "full" and len(truth) >= teaching.CALIBRATED_TEXTS
    if is_full:
        said = (z + second.held_out(second.vectors(given.texts), truth, rows.weight, k, part)).argmax(axis=1)
    most = given.labels[np.bincount(truth, minlength=k).argmax()]
    naive = f"always {most}, the most frequent label"
    low, high = judging.interval(truth, said, rng)
    return Backtest(
        (
            _metric("macro-F1", truth, said, RIVAL, rival, (low, high)),
            _metric("accuracy", truth, said, RIVAL, rival),
            _metric("macro-F1 beside the usual label", truth, said, naive, usual, (low, high)),
            _metric("accuracy beside the usual label", truth, said, naive, usual),
            *(_of_tier("fast", truth, fast, rival, rng) if is_full else ()),
        ),
        len(truth),
        f"{k} labels; each of {n_folds} parts judged after learning from the others"
        + ("; read by words and by meaning, where not said otherwise" if is_full else "; read by words"),
    )


def _of_tier(
    tier: str, truth: Classes, said: Classes, rival: Classes, rng: np.random.Generator
) -> tuple[Metric, ...]:
    ends = judging.interval(truth, said, rng)
    return (
        _metric(f"macro-F1, {tier} tier", truth, said, RIVAL, rival, ends),
        _metric(f"accuracy, {tier} tier", truth, said, RIVAL, rival),
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
    if not is_f1:
        found = chances.share(float((truth == said).sum()), len(truth))
        ends = (found.low, found.high)
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
