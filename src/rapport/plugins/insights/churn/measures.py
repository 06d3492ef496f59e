"""How good chances were: ranking, Brier score, calibration, and what the riskiest hold, each with its interval.

AUC's interval after DeLong, DeLong and Clarke-Pearson 1988 by mid-ranks; the slope after Cox 1958, from the
information matrix; shares after Wilson 1927. All take a pass over the rows, so a million people are no trouble.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.insights.contract import Curve, Point
from rapport.plugins.insights.churn import additive
from rapport.plugins.insights.churn.histories import Flags, Floats

Z = 1.959964  # half of a 95 % interval, in standard errors
GROUPS = 10
NEAR = 0.2  # a slope within this of 1 is called right


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def _about(value: float, error: float, least: float = -np.inf, most: float = np.inf) -> Estimate:
    return Estimate(value, max(least, value - Z * error), min(most, value + Z * error))


def _mid_ranks(figures: Floats) -> Floats:
    _, place, n = np.unique(figures, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(n) - (n - 1) / 2)[place]
    return ranks


def auc(figures: Floats, positive: Flags) -> Estimate:
    """How often somebody positive is above somebody negative, half for a tie; both must be there."""
    m, n = int(positive.sum()), int((~positive).sum())
    everyone = _mid_ranks(figures)
    above = (everyone[positive] - _mid_ranks(figures[positive])) / n
    below = 1 - (everyone[~positive] - _mid_ranks(figures[~positive])) / m
    error = np.sqrt((above.var(ddof=1) if m > 1 else 0.25) / m + (below.var(ddof=1) if n > 1 else 0.25) / n)
    return _about(float(above.mean()), float(error), 0.0, 1.0)


def brier(chance: Floats, happened: Floats) -> Estimate:
    """The mean squared difference of what was said and what happened."""
    squares = (chance - happened) ** 2
    error = squares.std(ddof=1) / np.sqrt(len(squares)) if len(squares) > 1 else 0.5
    return _about(float(squares.mean()), float(error), 0.0, 1.0)


def slope(chance: Floats, happened: Floats) -> Estimate:
    """By how much the log-odds of what happened rise with those said; 1 is right, less is too sure of itself.

    Held to 1 as by one observation, so that a handful of people who are told apart entirely have a slope.
    """
    said = additive.logit(chance)
    x = np.stack([np.ones_like(said), said - said.mean()], axis=1)
    hold, middle = np.diag([0.01, 1.0]), np.array([0.0, 1.0])
    w = np.array([said.mean(), 1.0])
    for _ in range(additive.STEPS):
        p = additive.sigmoid(x @ w)
        curve = (x * (p * (1 - p))[:, None]).T @ x + hold
        step = np.linalg.solve(curve, x.T @ (happened - p) - hold @ (w - middle))
        w += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    return _about(float(w[1]), float(np.sqrt(np.linalg.inv(curve)[1, 1])))


def is_nearer_to_one(value: float, other: float) -> bool:
    return abs(value - 1) < abs(other - 1)


def higher_is_better(value: float, other: float) -> bool:
    """In which direction a calibration slope must differ from another's to be the better: toward 1."""
    return (value > other) == is_nearer_to_one(value, other)


def share_of(weight: Floats, rank_by: Floats, top_ratio: float = 0.1) -> Estimate:
    """The share of all weight that the highest ranked tenth of people holds."""
    n_top = max(1, round(len(weight) * top_ratio))
    top = np.zeros(len(weight), np.bool_)
    top[np.argsort(-rank_by, kind="stable")[:n_top]] = True
    total = weight.sum()
    share = float(weight[top].sum() / total)
    error = np.sqrt(((weight * (top - share)) ** 2).sum()) / total
    return _about(share, float(error), 0.0, 1.0)


def wilson(k: float, n: int) -> tuple[float, float]:
    p, z2 = k / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    wide = Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return float(max(0.0, middle - wide)), float(min(1.0, middle + wide))


def curve(name: str, chance: Floats, happened: Floats, of_what: str) -> Curve:
    """What was said beside what was seen, in up to ten groups as equal as ties allow."""
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    group = np.searchsorted(edges, chance, side="left")
    points = []
    for g in np.unique(group):
        inside = group == g
        n, k = int(inside.sum()), float(happened[inside].sum())
        low, high = wilson(k, n)
        points.append(Point(float(chance[inside].mean()), k / n, n, low, high))
    inside_n = sum(p.low <= p.said <= p.high for p in points if p.low is not None and p.high is not None)
    gap = sum(p.n * abs(p.said - p.seen) for p in points) / len(chance)
    meaning = (
        f"Of {of_what}, said {chance.mean():.0%} on the whole and seen {happened.mean():.0%};"
        f" in {inside_n} of {len(points)} groups what was said lies within the margin of what was seen,"
        f" and on average they are {100 * gap:.1f} points apart."
    )
    return Curve(name, "probability", tuple(points), meaning)
