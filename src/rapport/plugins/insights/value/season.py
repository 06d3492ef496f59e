"""The calendar's share: how much more or less everybody buys in each part of the year.

Purchases per week of people already known are compared with what the family expects of as many people of their
ages; the ratio is a smooth curve over the year (three waves and their halves and thirds), pulled toward no season
by its own uncertainty. A slow trend is let go along and thrown away, so that growth is not taken for a season.

The season then is a clock: in a strong week more time passes. On that clock every family holds as it is (a
Poisson process with a rate that varies alike for all is one with a constant rate on another clock). Where less
than `LEAST_DAYS` are known, nobody can tell a season from a trend, and the clock is the calendar's.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.value.fitting import Family
from rapport.plugins.insights.value.histories import Floats, Ints, Log, States

LEAST_DAYS = 380  # a year and two weeks
YEAR_DAYS = 365.2425
WAVES = 3
PRIOR_SD = 0.5  # of a wave's height, in logarithms
WEEK_DAYS = 7
_EVERY_DAY = np.arange(-20_000.0, 60_000.0)


@dataclass(frozen=True, slots=True)
class Clock:
    """Cumulated seasonal time by day: `height` are the waves' heights, empty for the plain calendar."""

    height: tuple[float, ...] = ()

    def at(self, day: Ints | Floats) -> Floats:
        """Clock time at the beginning of days, in days; differences of it are what counts."""
        days = np.asarray(day, np.float64)
        if not self.height:
            return days
        found: Floats = np.interp(days, _EVERY_DAY, _passed(self.height))
        return found

    def speed(self, day: Ints | Floats) -> Floats:
        """How fast the clock runs on days; 1 on average over a year."""
        if not self.height:
            return np.ones(len(day))
        height = np.array(self.height)
        year = float(np.exp(_waves(np.arange(366.0)) @ height).mean())
        speed: Floats = np.exp(_waves(np.asarray(day, np.float64)) @ height) / year
        return speed


@functools.lru_cache(maxsize=32)
def _passed(height: tuple[float, ...]) -> Floats:
    """Clock time at the beginning of every day there may be: the same sums whichever days are asked for."""
    passed: Floats = np.concatenate([[0.0], np.cumsum(Clock(height).speed(_EVERY_DAY[:-1]))])
    return passed


def clock(family: Family, theta: Floats, log: Log, now: int) -> Clock:
    """The season in what is known before a day, given a family fitted without one."""
    if len(log.day) == 0 or now - int(log.day.min()) < LEAST_DAYS:
        return Clock()
    start = int(log.day.min())
    n_weeks = (now - start) // WEEK_DAYS
    spans = log.spans()
    entered = np.bincount((spans.first - start) // WEEK_DAYS, minlength=n_weeks + 1)[:n_weeks].astype(
        np.float64
    )
    week = (log.day - start) // WEEK_DAYS
    bought = np.bincount(week, minlength=n_weeks + 1)[:n_weeks] - entered
    # Expected repeat purchases by age: one newcomer per age.
    ages: Floats = np.arange(n_weeks + 1, dtype=np.float64) * WEEK_DAYS
    new = States(np.zeros(n_weeks + 1), np.zeros(n_weeks + 1), np.zeros(n_weeks + 1), np.ones(n_weeks + 1))
    by_age = np.diff(np.asarray(family.expected_if_alive(theta, new, ages) * family.alive(theta, new)))
    expected = np.convolve(entered, by_age)[:n_weeks]
    seen = expected > 1e-9
    middle: Floats = start + (np.arange(n_weeks, dtype=np.float64) + 0.5) * WEEK_DAYS
    along = np.linspace(-1, 1, n_weeks)
    nuisance = np.column_stack([np.ones(n_weeks), along, along**2])
    height = _poisson(
        np.column_stack([nuisance, _waves(middle)])[seen], bought[seen].astype(np.float64), expected[seen]
    )
    return Clock(tuple(float(h) for h in height[nuisance.shape[1] :]))


def _waves(day: Floats) -> Floats:
    angle = 2 * np.pi * day[:, None] / YEAR_DAYS * np.arange(1, WAVES + 1)[None, :]
    return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)


def _poisson(design: Floats, count: Floats, expected: Floats) -> Floats:
    """Coefficients of log(count / expected); the waves are pulled to 0, the more the less even the counts are."""
    n_free = design.shape[1] - 2 * WAVES
    at = np.zeros(design.shape[1])
    at[0] = np.log(max(count.sum(), 0.5) / expected.sum())
    pull = np.concatenate([np.full(n_free, 1e-3), np.full(2 * WAVES, 1 / PRIOR_SD**2)])
    scatter = 1.0
    for _ in range(30):
        mean = expected * np.exp(np.clip(design @ at, -20, 20))
        # More scatter than Poisson's makes the counts weigh less against the prior.
        scatter = max(
            1.0, float(((count - mean) ** 2 / np.maximum(mean, 0.5)).sum() / max(len(count) - 4, 1))
        )
        slope = design.T @ (count - mean) / scatter - pull * at
        curvature = (design * (mean / scatter)[:, None]).T @ design + np.diag(pull)
        step = np.linalg.solve(curvature, slope)
        at = at + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-8:
            break
    return at
