"""The search for a family's parameters: log scale, several starts, bounds, and a weak prior.

The prior is a normal one on each log parameter, wide (a standard deviation of `PRIOR_SD`: a factor of 20 either
way) around a moderate shape and around the data's own scale of time. With a few hundred buyers it moves no
digit that matters; with five it keeps the search from running off, which is where plain maximum likelihood
fails: where nobody is seen to leave, a or s tends to nothing and b or beta to infinity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from rapport.plugins.insights.value.histories import Floats, States

PRIOR_SD = 3.0
BOUND = 12.0  # on the distance of a log parameter from the prior's centre


class Family(Protocol):
    """What each of the three families offers."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def parameters(self) -> tuple[str, ...]: ...
    def starts(self, s: States) -> list[Floats]: ...
    def log_likelihood(self, theta: Floats, s: States) -> tuple[float, Floats]: ...
    def alive(self, theta: Floats, s: States) -> Floats: ...
    def expected_if_alive(self, theta: Floats, s: States, ahead: Floats) -> Floats: ...
    def draw_if_alive(
        self, theta: Floats, rng: np.random.Generator, n_repeats: float, seen: Floats, ahead: float
    ) -> tuple[Floats, Floats]: ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the search found."""

    theta: Floats
    log_likelihood: float  # without the prior
    covariance: Floats  # of the log parameters, by the curvature at the optimum
    converged: bool
    n_evaluations: int


def fit(family: Family, s: States, prior: float = 1.0) -> Fitted:
    """The family's parameters for these people; `prior` 0 is plain maximum likelihood."""
    starts = [np.log(theta) for theta in family.starts(s)]
    centre = starts[0]
    bounds = [(c - BOUND, c + BOUND) for c in centre]
    n = max(s.n_people, 1.0)
    evaluations = 0

    def loss(at: Floats) -> tuple[float, Floats]:
        nonlocal evaluations
        evaluations += 1
        with np.errstate(over="ignore", invalid="ignore", under="ignore"):
            ll, gradient = family.log_likelihood(np.exp(at), s)
        if not (np.isfinite(ll) and np.isfinite(gradient).all()):
            return 1e10, np.zeros_like(at)
        off = (at - centre) / PRIOR_SD
        return (0.5 * prior * (off @ off) - ll) / n, (prior * off / PRIOR_SD - gradient) / n

    best = None
    for start in starts:
        found = minimize(
            loss, start, jac=True, method="L-BFGS-B", bounds=bounds,
            options={"maxiter": 500, "ftol": 1e-13, "gtol": 1e-8, "maxcor": 20},
        )  # fmt: skip
        if best is None or found.fun < best.fun - 1e-10:
            best = found
        if best.success and found is not best:
            break
    assert best is not None
    theta = np.exp(best.x)
    slope = np.abs(loss(best.x)[1])
    inside = np.abs(best.x - centre) < BOUND - 1e-6
    return Fitted(
        theta=theta,
        log_likelihood=float(family.log_likelihood(theta, s)[0]),
        covariance=_covariance(loss, best.x, n),
        converged=bool(np.max(slope * inside, initial=0.0) < 1e-4),
        n_evaluations=evaluations,
    )


def _covariance(loss: object, at: Floats, n: float) -> Floats:
    """The inverse of the curvature, by central differences of the gradient; made positive where it is not."""
    step = 1e-4
    rows = []
    for i in range(len(at)):
        e = np.zeros_like(at)
        e[i] = step
        rows.append((loss(at + e)[1] - loss(at - e)[1]) / (2 * step))  # type: ignore[operator]
    curvature = n * (np.array(rows) + np.array(rows).T) / 2
    value, vector = np.linalg.eigh(curvature)
    # A direction that the data say nothing about has the prior's curvature, not less.
    inverse: Floats = (vector / np.maximum(value, 1 / PRIOR_SD**2)) @ vector.T
    return inverse
