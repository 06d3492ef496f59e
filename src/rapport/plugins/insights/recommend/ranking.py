"""Which choice comes first: weights of what speaks for a product, learnt from what people took next.

A multinomial logit over each person's choices (McFadden 1974), fitted by its gradient; a person with several
products to foretell spreads one likelihood over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import minimize

from rapport.plugins.insights.recommend.reading import Bought, Floats, Ints
from rapport.plugins.insights.recommend.weighing import FEATURES, Choices

RIDGE = 1.0
LIVELY_DAYS = 60.0  # half-life
MOST_TARGETS = 5  # of one person that count

# Where there is too little to learn from: what was had often and is bought again, what goes together, what many buy.
_GUESS = dict.fromkeys(FEATURES, 0.0) | {
    "had it": 1.0,
    "had it often": 1.0,
    "had it, and it is bought again": 1.0,
    "bought much": 0.5,
    "bought much lately": 0.5,
    "had it, and it is bought much": -0.5,
    "new, and goes with what was bought": 3.0,
    "new, and of a category that was bought": 0.2,
    "bought much in the country": 0.3,
}
RULES = ("learnt", "goes together", "own, then most bought")


@dataclass(frozen=True, slots=True)
class Ranking:
    """How choices are put in order. `certainty` turns a place in it into a probability."""

    rule: str
    weights: Floats  # of FEATURES
    certainty: Floats  # of 1, log share of the choice, log of the person's lines lately

    def score(self, choices: Choices) -> Floats:
        """One figure per choice; only comparisons within a person mean anything."""
        if self.rule == "goes together":
            return np.where(choices.had > 0, -1e3, choices.fits.astype(np.float64))
        if self.rule == "own, then most bought":
            return choices.had.astype(np.float64) + np.exp(choices.features[:, FEATURES.index("bought much")])
        return choices.features @ self.weights


GUESSED = Ranking("learnt", np.array([_GUESS[f] for f in FEATURES]), np.array([0.0, 1.0, 0.0]))


def lively(lines: Bought) -> Floats:
    """Each person's lines, the late ones counting more: as comparable after one year of log as after two."""
    return np.bincount(lines.person, 0.5 ** (lines.days_ago / LIVELY_DAYS), lines.n).astype(np.float64)


def shares(person: Ints, score: Floats, n: int) -> Floats:
    """The logarithm of each choice's share of its person."""
    top = np.full(n, -np.inf)
    np.maximum.at(top, person, score)
    total = np.bincount(person, np.exp(score - top[person]), n)
    found: Floats = score - top[person] - np.log(total[person])
    return found


def learn(features: Floats, person: Ints, taken: Floats, n: int) -> Floats:
    """Weights that make what was taken likely. `person` ascends from 0 and everybody has a choice."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread > 1e-9, spread, 1.0)
    z = (features - mean) / spread
    starts = np.searchsorted(person, np.arange(n))
    took = np.bincount(person, taken, n)
    weight = np.minimum(took, MOST_TARGETS)
    target = weight[person] * taken / np.maximum(took, 1)[person]

    def loss(b: Floats) -> tuple[float, Floats]:
        s = z @ b
        top = np.maximum.reduceat(s, starts)
        e = np.exp(s - top[person])
        total = np.add.reduceat(e, starts)
        likely = s - top[person] - np.log(total)[person]
        slope = z.T @ (target - weight[person] * e / total[person])
        return float(-(target @ likely) + 0.5 * RIDGE * b @ b), RIDGE * b - slope

    found: Any = minimize(loss, np.zeros(z.shape[1]), jac=True, method="L-BFGS-B", options={"maxiter": 200})
    weights: Floats = found.x / spread
    return weights


def calibrate(likely: Floats, lively: Floats, taken: Floats) -> Floats:
    """A logistic curve from the log share of a choice and the person's lines lately to the chance that it is taken."""
    x = np.stack([np.ones(len(likely)), likely, np.log1p(lively)], axis=1)

    def loss(b: Floats) -> tuple[float, Floats]:
        s = np.clip(x @ b, -30, 30)
        p = 1 / (1 + np.exp(-s))
        value = -(taken * np.log(p + 1e-12) + (1 - taken) * np.log(1 - p + 1e-12)).sum()
        return float(value + 0.05 * b @ b), x.T @ (p - taken) + 0.1 * b

    found: Floats = np.asarray(minimize(loss, np.array([0.0, 1.0, 0.0]), jac=True, method="L-BFGS-B").x)
    return found


def probability(certainty: Floats, likely: Floats, lively: Floats) -> Floats:
    """In (0, 1)."""
    s = certainty[0] + certainty[1] * likely + certainty[2] * np.log1p(lively)
    found: Floats = 1 / (1 + np.exp(-np.clip(s, -30, 30)))
    return found


def first(choices: Choices, score: Floats, k: int) -> Ints:
    """Rows x k: the entries of each person's best choices, -1 where there are no more."""
    order = np.lexsort((choices.product, -score, choices.person))
    person = choices.person[order]
    start = np.searchsorted(person, np.arange(choices.n))
    rank = np.arange(len(order)) - start[person]
    found = np.full((choices.n, k), -1, np.int64)
    there = rank < k
    found[person[there], rank[there]] = order[there]
    return found
