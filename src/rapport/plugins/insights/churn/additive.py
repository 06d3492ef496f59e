"""A logistic model that adds up bent lines, held to a simple rule.

Each figure enters as a straight line that may bend at its quantiles; the weights are the most probable ones
under a normal prior around none at all beside the rule, so that few cases leave the rule as it is. Fitted by
Newton's method (iteratively reweighted least squares).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rapport.kit.chances import sigmoid
from rapport.plugins.insights.churn.histories import Floats, Ints

STEPS = 40
BEND_AT = (0.1, 0.3, 0.5, 0.7, 0.9)
LEVEL_HOLD = 0.1  # cases' worth of evidence against a level of its own, of a cut-off
RULE_HOLD = 30.0  # at most this many against stretching the rule


@dataclass(frozen=True, slots=True)
class Bends:
    """How figures become the columns that are added up: centre and width of each, and where it may bend."""

    knots: tuple[tuple[float, ...], ...]  # of each figure
    middle: Floats  # of each column
    width: Floats  # infinite where a column says nothing

    @property
    def figure(self) -> Ints:
        """Which figure each column comes from."""
        return np.repeat(np.arange(len(self.knots)), [1 + len(k) for k in self.knots])

    def columns(self, figures: Floats) -> Floats:
        """(n, columns): standardised."""
        return (_bent(figures, self.knots) - self.middle) / self.width


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt beside the rule: the level of each cut-off, how far to stretch the rule, the columns'."""

    levels: Floats
    rule_middle: float
    stretch: float
    weight: Floats

    def log_odds(self, rule: Floats, columns: Floats) -> Floats:
        """Without the level."""
        # Summed row by row: a product of matrices would round differently for one person than for many.
        odds: Floats = rule + self.stretch * (rule - self.rule_middle) + (columns * self.weight).sum(axis=1)
        return odds


@dataclass(frozen=True, slots=True)
class Cases:
    """What is learnt from: one row per person and cut-off."""

    columns: Floats
    rule: Floats  # the rule's log-odds
    happened: Floats  # 0 or 1
    cut: Ints  # which cut-off, from 0
    weight: float  # of each case: cut-offs closer than the horizon see much of the same
    level_hold: float = LEVEL_HOLD


def bends(figures: Floats, may_bend: Sequence[bool]) -> Bends:
    """Bends at the quantiles of these figures; a figure of few values has fewer."""
    knots = []
    for j, bent in enumerate(may_bend):
        column = figures[:, j]
        low, high = (column.min(), column.max()) if len(column) else (0.0, 0.0)
        places = np.unique(np.quantile(column, BEND_AT)) if bent and len(column) else np.zeros(0)
        knots.append(tuple(float(k) for k in places if low < k < high))
    raw = _bent(figures, tuple(knots))
    if not len(raw):
        return Bends(tuple(knots), np.zeros(raw.shape[1]), np.full(raw.shape[1], np.inf))
    width = raw.std(axis=0)
    return Bends(tuple(knots), raw.mean(axis=0), np.where(width > 1e-9, width, np.inf))


def _bent(figures: Floats, knots: tuple[tuple[float, ...], ...]) -> Floats:
    parts: list[Floats] = []
    for j, places in enumerate(knots):
        parts.append(figures[:, j])
        parts.extend((figures[:, j] - k).clip(0) for k in places)
    return np.stack(parts, axis=1) if parts else np.zeros((len(figures), 0))


def fit(cases: Cases, ridge: float) -> Weights:
    """The most probable weights; the larger `ridge`, in cases' worth of evidence, the nearer to the rule.

    Each cut-off has a level of its own, so that what is learnt is how people differ, and not the season.
    """
    n, n_cuts = len(cases.rule), int(cases.cut.max()) + 1 if len(cases.cut) else 1
    middle = float(cases.rule.mean()) if n else 0.0
    levels = (cases.cut[:, None] == np.arange(n_cuts)[None, :]) * 1.0
    x = np.concatenate([levels, (cases.rule - middle)[:, None], cases.columns], axis=1)
    hold = np.full(x.shape[1], ridge)
    hold[:n_cuts], hold[n_cuts] = cases.level_hold, min(ridge, RULE_HOLD)
    w = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = sigmoid(cases.rule + x @ w)
        curve = cases.weight * np.maximum(p * (1 - p), 1e-6)
        gradient = cases.weight * (x.T @ (cases.happened - p)) - hold * w
        step = np.linalg.solve((x * curve[:, None]).T @ x + np.diag(hold), gradient)
        largest = float(np.abs(step).max())
        w += step * min(1.0, 5.0 / max(largest, 1e-9))
        if largest < 1e-6:
            break
    return Weights(w[:n_cuts], middle, float(w[n_cuts]), w[n_cuts + 1 :])


def nothing(n_figures: int) -> tuple[Bends, Weights]:
    """What is known before anything is learnt: the rule as it is."""
    bent = bends(np.zeros((0, n_figures)), [False] * n_figures)
    return bent, Weights(np.zeros(1), 0.0, 0.0, np.zeros(n_figures))


def level(log_odds: Floats, happened: Floats) -> float:
    """What to add so that as many are expected as happened; held a little to none."""
    a = 0.0
    for _ in range(STEPS):
        p = sigmoid(a + log_odds)
        step = ((happened - p).sum() - LEVEL_HOLD * a) / ((p * (1 - p)).sum() + LEVEL_HOLD)
        a += float(np.clip(step, -2, 2))
        if abs(step) < 1e-9:
            break
    return a


def losses(log_odds: Floats, happened: Floats) -> Floats:
    """The log loss of each case."""
    p = np.clip(sigmoid(log_odds), 1e-9, 1 - 1e-9)
    loss: Floats = -np.where(happened > 0, np.log(p), np.log1p(-p))
    return loss


def as_json(bent: Bends, weights: Weights) -> dict[str, Any]:
    """A plain dictionary that `from_json` reads back; a column that says nothing has no width."""
    return {
        "knots": [list(k) for k in bent.knots],
        "middle": bent.middle.tolist(),
        "width": [w if np.isfinite(w) else None for w in bent.width.tolist()],
        "levels": weights.levels.tolist(),
        "rule_middle": weights.rule_middle,
        "stretch": weights.stretch,
        "weight": weights.weight.tolist(),
    }


def from_json(given: Mapping[str, Any]) -> tuple[Bends, Weights]:
    width = np.array([np.inf if w is None else w for w in given["width"]], np.float64)
    bent = Bends(tuple(tuple(k) for k in given["knots"]), np.array(given["middle"], np.float64), width)
    return bent, Weights(
        np.array(given["levels"], np.float64),
        float(given["rule_middle"]),
        float(given["stretch"]),
        np.array(given["weight"], np.float64),
    )
