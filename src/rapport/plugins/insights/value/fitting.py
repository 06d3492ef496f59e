"""The search for a family's parameters: log scale, several starts, bounds, and a weak prior.

The prior is a normal one on each log parameter, wide (a standard deviation of `PRIOR_SD`: a factor of 20 either
way) around a moderate shape and around the data's own scale of time. With a few hundred buyers it moves no
digit that matters; with five it keeps the search from running off, which is where plain maximum likelihood
fails: where nobody is seen to leave, a or s tends to nothing and b or beta to infinity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from scipy.optimize import minimize

from rapport.plugins.insights.value.histories import Ages, Floats, Likelihood, States, summed
from rapport.plugins.insights.value.rush import NO_RUSH, Rush

PRIOR_SD = 3.0
BOUND = 12.0  # on the distance of a log parameter from the prior's centre
RUSH_HEIGHT, RUSH_SD = 0.3, 1.5  # prior of the rush: a third faster at first, by a factor of 4 either way
# SLSQP because it is bounded and runs in its own small matrices; L-BFGS-B hands its to a threaded library, and
# on a busy machine each of its steps then waits for cores.
OPTIONS = {"maxiter": 500, "ftol": 1e-13}
ROUGHLY = {"maxiter": 100, "ftol": 1e-8}


class Family(Protocol):
    """What each of the three families offers."""

    @property
    def name(self) -> str: ...
    @property
    def title(self) -> str: ...
    @property
    def parameters(self) -> tuple[str, ...]: ...
    def starts(self, s: States) -> list[Floats]: ...
    def log_likelihood(self, theta: Floats, s: States) -> Likelihood: ...
    def alive(self, theta: Floats, s: States) -> Floats: ...
    def expected_if_alive(self, theta: Floats, s: States, ahead: Floats) -> Floats: ...
    def draw_if_alive(
        self, theta: Floats, rng: np.random.Generator, n_repeats: float, seen: Floats, ahead: Floats
    ) -> tuple[Floats, Floats]: ...


@dataclass(frozen=True, slots=True)
class Fitted:
    """What the search found."""

    theta: Floats
    rush: Rush
    log_likelihood: float  # without the prior
    covariance: Floats  # of the family's log parameters, by the curvature at the optimum
    converged: bool
    n_evaluations: int


def fit(
    family: Family,
    s: States,
    ages: Ages | None = None,
    *,
    prior: float = 1.0,
    near: Fitted | None = None,
    roughly: bool = False,
) -> Fitted:
    """The family's parameters for these people, and their rush where the ages of their purchases are given.

    prior : weight of the prior; 0 is plain maximum likelihood
    near : what the same family gave for similar people, to begin there
    roughly : one start and three digits, for comparing shapes
    """
    begins = [np.log(theta) for theta in family.starts(s)[: 1 if roughly else None]]
    centre = begins[0]
    sd = np.full(len(centre), PRIOR_SD)
    if near is not None:
        begins = [np.log(near.theta)]
    if ages is not None:
        rush = near.rush if near is not None and near.rush.height > 0 else Rush(RUSH_HEIGHT, ages.typical)
        begins = [np.append(b, np.log([rush.height, rush.fades_days])) for b in begins]
        centre = np.append(centre, np.log([RUSH_HEIGHT, ages.typical]))
        sd = np.append(sd, [RUSH_SD, RUSH_SD / 2])
    loss = _loss(family, s, ages, centre, sd, prior)
    bounds = [(c - BOUND, c + BOUND) for c in centre]
    best, n_evaluations = None, 0
    for begin in begins:
        at = np.clip(begin, centre - BOUND, centre + BOUND)
        found = minimize(
            loss, at, jac=True, method="SLSQP", bounds=bounds, options=ROUGHLY if roughly else OPTIONS
        )
        n_evaluations += found.nfev
        if best is None or found.fun < best.fun:
            best = found
    assert best is not None
    slope, inside = np.abs(loss(best.x)[1]), np.abs(best.x - centre) < BOUND - 1e-6
    theta, rush = _apart(best.x, family)
    return Fitted(
        theta=theta,
        rush=rush,
        log_likelihood=_likelihood(family, s, ages, theta, rush)[0],
        covariance=_covariance(loss, best.x, s.n_people, len(theta), roughly=roughly),
        converged=bool(np.max(slope * inside, initial=0.0) < 1e-4),
        n_evaluations=n_evaluations,
    )


Loss = Callable[[Floats], tuple[float, Floats]]


def _loss(family: Family, s: States, ages: Ages | None, centre: Floats, sd: Floats, prior: float) -> Loss:
    """Negative log posterior per person, and its gradient."""
    n = max(s.n_people, 1.0)

    def loss(at: Floats) -> tuple[float, Floats]:
        with np.errstate(over="ignore", invalid="ignore", under="ignore", divide="ignore"):
            ll, gradient = _likelihood(family, s, ages, *_apart(at, family))
        if not (np.isfinite(ll) and np.isfinite(gradient).all()):
            return 1e10, np.zeros_like(at)
        off = (at - centre) / sd
        return (0.5 * prior * float(off @ off) - ll) / n, (prior * off / sd - gradient) / n

    return loss


def _apart(at: Floats, family: Family) -> tuple[Floats, Rush]:
    n = len(family.parameters)
    rush = Rush(float(np.exp(at[n])), float(np.exp(at[n + 1]))) if len(at) > n else NO_RUSH
    return np.exp(at[:n]), rush


def _likelihood(
    family: Family, s: States, ages: Ages | None, theta: Floats, rush: Rush
) -> tuple[float, Floats]:
    """Of the states on the rush's clock, and of when in their lives people bought; with its gradient."""
    if ages is None:
        found = family.log_likelihood(theta, s)
        return found.value, found.gradient
    found = family.log_likelihood(theta, States(s.n_repeats, rush.age(s.last), rush.age(s.seen), s.weight))
    speed, *by = rush.log_speed(ages.days)
    last, seen = rush.age_by(s.last), rush.age_by(s.seen)
    of_rush = [
        summed(s.weight, found.by_last * last[i] + found.by_seen * seen[i]) + summed(ages.weight, by[i])
        for i in (0, 1)
    ]
    return found.value + summed(ages.weight, speed), np.append(found.gradient, of_rush)


def _covariance(loss: Loss, at: Floats, n: float, many: int, *, roughly: bool) -> Floats:
    """Of the first log parameters: the inverse of the curvature, by central differences of the gradient."""
    if roughly:
        return np.zeros((many, many))
    step = 1e-4
    rows = np.array([(loss(at + e)[1] - loss(at - e)[1]) / (2 * step) for e in step * np.eye(len(at))])
    value, vector = np.linalg.eigh(n * (rows + rows.T) / 2)
    # A direction that the data say nothing about has the prior's curvature, not less.
    inverse = (vector / np.maximum(value, 1 / PRIOR_SD**2)) @ vector.T
    found: Floats = inverse[:many, :many]
    return found
