"""How good chances were: ranking, Brier score, calibration and shares, each with its 95 % interval.

AUC's interval after DeLong, DeLong and Clarke-Pearson 1988, by mid-ranks; the slope after Cox 1958, from the
information matrix; shares after Wilson 1927. Each takes a pass or a sort over the rows, so that a million of them
are no trouble. Arrays are of shape (cases,); what happened is 0 or 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

Z = 1.959964  # half of a 95 % interval, in standard errors
STEPS = 40  # of Newton's method


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


def logit(chance: Floats) -> Floats:
    """Log-odds; a chance within a millionth of 0 or 1 counts as that far from it."""
    chance = np.clip(chance, 1e-6, 1 - 1e-6)
    odds: Floats = np.log(chance) - np.log1p(-chance)
    return odds


def sigmoid(log_odds: Floats) -> Floats:
    chance: Floats = 1 / (1 + np.exp(-np.clip(log_odds, -35, 35)))
    return chance


def auc(figures: Floats, positive: Flags) -> Estimate:
    """How often somebody positive is above somebody negative, half for a tie; both must be there.

    >>> auc(np.array([1.0, 2.0, 2.0, 3.0]), np.array([False, False, True, True])).value
    0.875
    """
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
    said = logit(chance)
    x = np.stack([np.ones_like(said), said - said.mean()], axis=1)
    hold, middle = np.diag([0.01, 1.0]), np.array([0.0, 1.0])
    w = np.array([said.mean(), 1.0])
    for _ in range(STEPS):
        p = sigmoid(x @ w)
        step = np.linalg.solve(_information(x, p) + hold, x.T @ (happened - p) - hold @ (w - middle))
        w += np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-9:
            break
    error = np.sqrt(np.linalg.inv(_information(x, sigmoid(x @ w)) + hold)[1, 1])
    return _about(float(w[1]), float(error))


def share(n_part: float, n: int) -> Estimate:
    """A share with the score interval."""
    p, z2 = n_part / n, Z * Z
    middle = (p + z2 / (2 * n)) / (1 + z2 / n)
    wide = Z * np.sqrt(p * (1 - p) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return Estimate(p, float(max(0.0, min(p, middle - wide))), float(min(1.0, max(p, middle + wide))))


def held_by_top(weight: Floats, rank_by: Floats, top_ratio: float = 0.1) -> Estimate:
    """The share of all weight that the highest ranked tenth of people holds; of equals, the first in the rows."""
    n_top = max(1, round(len(weight) * top_ratio))
    top = np.zeros(len(weight), np.bool_)
    top[np.argsort(-rank_by, kind="stable")[:n_top]] = True
    total = weight.sum()
    held = float(weight[top].sum() / total)
    error = np.sqrt(((weight * (top - held)) ** 2).sum()) / total
    return _about(held, float(error), 0.0, 1.0)


def higher_is_better(slope_of_one: float, slope_of_other: float) -> bool:
    """In which direction a calibration slope must differ from another's to be the better: toward 1."""
    is_nearer = abs(slope_of_one - 1) < abs(slope_of_other - 1)
    return (slope_of_one > slope_of_other) == is_nearer


def _about(value: float, error: float, least: float = -np.inf, most: float = np.inf) -> Estimate:
    return Estimate(value, max(least, value - Z * error), min(most, value + Z * error))


def _mid_ranks(figures: Floats) -> Floats:
    _, place, n = np.unique(figures, return_inverse=True, return_counts=True)
    ranks: Floats = (np.cumsum(n) - (n - 1) / 2)[place]
    return ranks


def _information(x: Floats, p: Floats) -> Floats:
    information: Floats = (x * (p * (1 - p))[:, None]).T @ x
    return information
