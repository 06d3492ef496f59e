"""How people buy from now on: a family on its clocks, fitted to a log, and what it expects."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.value import season
from rapport.plugins.insights.value.families import FAMILIES
from rapport.plugins.insights.value.fitting import Family, Fitted, fit
from rapport.plugins.insights.value.histories import Ages, Floats, Ints, Log, Spans, States, states
from rapport.plugins.insights.value.rush import NO_RUSH, Rush
from rapport.plugins.insights.value.season import Clock

PEOPLE_MOST = 50_000  # from whom parameters are learnt; of more, every k-th: theirs have settled long before
STEP_KEY = 1 << 20  # days; keeps first and last day apart in one key


@dataclass(frozen=True, slots=True)
class Shape:
    """What kind of model: the family, and whether newcomers rush and the year has a season."""

    family: str
    has_rush: bool
    has_season: bool


@dataclass(frozen=True, slots=True)
class Buying:
    """A fitted family on its clocks.

    theta : the family's parameters, times in days of a settled customer in an average week
    covariance : of their logarithms
    """

    family: Family
    theta: Floats
    covariance: Floats
    clock: Clock
    rush: Rush
    fitted: Fitted | None = None

    def alive(self, spans: Spans, now: int) -> Floats:
        """Probability that each is still a customer at the beginning of a day."""
        x = np.maximum(spans.n_days - 1, 0)
        key = (x * STEP_KEY + (now - spans.last)) * STEP_KEY + (now - spans.first)
        one, place = _distinct(key)
        first, last = spans.first[one], spans.last[one]
        at = self.clock.at(np.concatenate([first, last, [now]]))
        n = len(first)
        s = States(
            x[one].astype(np.float64),
            self.rush.age(at[n : 2 * n] - at[:n]),
            self.rush.age(at[-1] - at[:n]),
            np.ones(n),
        )
        found: Floats = self.family.alive(self.theta, s)[place]
        return found

    def expected_if_alive(self, spans: Spans, now: int, horizons: list[int]) -> Floats:
        """Expected days with a purchase within each horizon from a day on, if still a customer: person x horizon."""
        x = np.maximum(spans.n_days - 1, 0)
        one, place = _distinct(x * STEP_KEY + (now - spans.first))
        first = spans.first[one]
        at = self.clock.at(np.concatenate([first, [now], [now + h for h in horizons]]))
        n = len(first)
        age = at[n] - at[:n]
        s = States(x[one].astype(np.float64), np.zeros(n), self.rush.age(age), np.ones(n))
        found = [
            self.family.expected_if_alive(self.theta, s, self.rush.age(age + at[n + 1 + i] - at[n]) - s.seen)
            for i in range(len(horizons))
        ]
        return np.stack(found, axis=1)[place]

    def age_on_clock(self, spans: Spans, now: int) -> Floats:
        """Age of each on the season's clock, in days."""
        one, place = _distinct(spans.first)
        at = self.clock.at(np.append(spans.first[one], now))
        age: Floats = (at[-1] - at[:-1])[place]
        return age


def learn(shape: Shape, log: Log, now: int, near: Buying | None = None, *, roughly: bool = False) -> Buying:
    """Fit a shape to what a log holds; `near` is the same shape fitted to much the same people."""
    family = FAMILIES[shape.family]
    log = log.part(PEOPLE_MOST)
    spans = log.spans()
    begin = near.fitted if near is not None else None
    clock = Clock()
    if shape.has_season:
        plain = _fit(family, log, spans, now, clock, has_rush=False, near=begin, roughly=True)
        clock = season.clock(family, plain.theta, log, now)
    found = _fit(family, log, spans, now, clock, has_rush=shape.has_rush, near=begin, roughly=roughly)
    return Buying(family, found.theta, found.covariance, clock, found.rush, found)


def _fit(
    family: Family,
    log: Log,
    spans: Spans,
    now: int,
    clock: Clock,
    *,
    has_rush: bool,
    near: Fitted | None,
    roughly: bool,
) -> Fitted:
    if len(spans) == 0:
        theta = (
            np.array([1.0, 30.0, 1.0, 3.0]) if family.name != "pareto_nbd" else np.array([1, 30.0, 1, 90.0])
        )
        return Fitted(theta, NO_RUSH, 0.0, np.eye(4) * 0.01, True, 0)
    at = clock.at(np.concatenate([spans.first, spans.last, [now]]))
    n = len(spans)
    last, seen = at[n : 2 * n] - at[:n], at[-1] - at[:n]
    s = states(spans.n_days - 1, last, seen)
    ages = _ages(log, spans, clock) if has_rush else None
    return fit(family, s, ages, near=near, roughly=roughly)


def _ages(log: Log, spans: Spans, clock: Clock) -> Ages | None:
    """Ages at which people bought again, on the season's clock."""
    first = np.full(log.n, 0, np.int64)
    first[spans.person] = spans.first
    began = first[log.person]
    again = log.day > began
    if not again.any():
        return None
    days = np.round(clock.at(log.day[again]) - clock.at(began[again])).clip(1)
    age, n = np.unique(days, return_counts=True)
    return Ages(age, n.astype(np.float64), max(float(days.mean()) / 3, 1.0))


def _distinct(key: Ints) -> tuple[Ints, Ints]:
    """The position of one row of each distinct key, and for each row the place of its key among them."""
    _, one, place = np.unique(key, return_index=True, return_inverse=True)
    return one, place
