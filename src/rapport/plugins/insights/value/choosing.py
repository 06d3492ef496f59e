"""Which shape fits a firm: tried on its own past, each at three moments, before the time anybody will judge.

From each moment every shape forecasts up to the present, knowing only what was known then. The shape whose
forecasts are nearest to what happened (Poisson deviance, which is least for the right mean) is taken. What it
got wrong in total is carried over as a factor, `lift`, pulled toward 1 by how uncertain it is: a family's bias
in the part ahead can be seen in the part behind.

Where more than a year was known at one of the moments, shapes with a season are tried as well. Three moments lie
in one part of the year and can mislead about the others, so the season, which pulls itself toward none where
counts are few, is left out only if leaving it out is better by more than chance.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from rapport.plugins.insights.value.buying import Buying, Shape, learn
from rapport.plugins.insights.value.families import FAMILIES
from rapport.plugins.insights.value.histories import Floats, Log
from rapport.plugins.insights.value.season import LEAST_DAYS

PEOPLE_MOST = 8_000  # on whom shapes are compared
LEAST_AGAIN = 50  # purchases after a moment for it to say anything
MOMENTS = 3
BEYOND_CHANCE = 1.64  # standard errors
LIFT_SD = 0.15  # how far a family's total is off, as a rule, in logarithms
WHIM_SD = 0.05  # what a quarter brings that no model knows and that will not come back


@dataclass(frozen=True, slots=True)
class Moment:
    """A day in the past, how long it is judged, what was known then and who bought afterwards."""

    day: int
    horizon_days: int
    known: Log
    bought: Floats  # per person of `known.spans()`


@dataclass(frozen=True, slots=True)
class Trial:
    """How a shape did."""

    shape: Shape
    deviance: float  # mean per person and moment, with its lift
    lift: float
    n_moments: int
    # by person, over all moments: deviance, orders placed, orders forecast with the lift (0: not known then)
    lost: Floats = field(default_factory=lambda: np.zeros(0), compare=False)
    bought: Floats = field(default_factory=lambda: np.zeros(0), compare=False)
    expected: Floats = field(default_factory=lambda: np.zeros(0), compare=False)


def choose(log: Log, now: int, horizon_days: int, only: str = "") -> list[Trial]:
    """Shapes with how they did, the best first; `only` keeps to one family."""
    families = [only] if only in FAMILIES else list(FAMILIES)
    sample = log.part(PEOPLE_MOST)
    past = moments(sample, now, horizon_days)
    if not past:
        return [Trial(Shape(families[0], has_rush=False, has_season=False), np.nan, 1.0, 0)]
    can_be_tried = max(moment.day for moment in past) - int(log.day.min()) >= LEAST_DAYS
    seasonal = [False, True] if can_be_tried else [False]
    shapes = [Shape(f, r, s) for f in families for s in seasonal for r in (False, True)]
    trials = [_try(shape, past) for shape in shapes]
    trials.sort(key=lambda trial: trial.deviance)
    with_season = next((t for t in trials if t.shape.has_season), None)
    if with_season is not None and with_season is not trials[0] and _may_be_chance(with_season, trials[0]):
        trials = [with_season, *(t for t in trials if t is not with_season)]
    return trials


def _may_be_chance(worse: Trial, better: Trial) -> bool:
    """Whether one is behind the other by less than people's differences let expect."""
    behind = worse.lost - better.lost
    return bool(behind.sum() < BEYOND_CHANCE * np.sqrt((behind**2).sum()))


def lift(shape: Shape, log: Log, now: int, horizon_days: int) -> float:
    """The factor on a shape's total for another horizon."""
    past = moments(log.part(PEOPLE_MOST), now, horizon_days)
    return _try(shape, past).lift if past else 1.0


def moments(log: Log, now: int, horizon_days: int) -> list[Moment]:
    """Moments in the past at which a forecast can be judged, the latest first."""
    if len(log.day) == 0:
        return []
    step = min(horizon_days, (now - int(log.day.min())) // (2 * MOMENTS))
    found = []
    for k in range(1, MOMENTS + 1):
        day = now - k * step
        horizon = min(horizon_days, k * step)
        known = log.before(day)
        if step < 7 or len(known.day) == 0:
            continue
        bought = log.counted(day, day + horizon)[known.spans().person]
        if bought.sum() >= LEAST_AGAIN:
            found.append(Moment(day, horizon, known, bought))
    return found


def _try(shape: Shape, past: list[Moment]) -> Trial:
    expected: list[Floats] = []
    near: Buying | None = None
    for moment in past:
        near = learn(shape, moment.known, moment.day, near, roughly=True)
        spans = moment.known.spans()
        if_alive = near.expected_if_alive(spans, moment.day, [moment.horizon_days])[:, 0]
        expected.append(np.maximum(near.alive(spans, moment.day) * if_alive, 1e-9))
    factor = _lift(expected, [moment.bought for moment in past])
    lost, bought, forecast = (np.zeros(past[0].known.n) for _ in range(3))
    means = []
    for moment, e in zip(past, expected, strict=True):
        each = deviance(moment.bought, factor * e)
        who = moment.known.spans().person
        lost[who] += each
        bought[who] += moment.bought
        forecast[who] += factor * e
        means.append(float(each.mean()))
    return Trial(shape, float(np.mean(means)), factor, len(past), lost, bought, forecast)


def _lift(expected: list[Floats], bought: list[Floats]) -> float:
    """Bought over expected in all, pulled toward 1; the moments overlap, so that three say little more than one."""
    total = sum(float(e.sum()) for e in expected)
    ratio = np.log(sum(float(b.sum()) for b in bought) / total)
    by_moment = [np.log(b.sum() / e.sum()) for e, b in zip(expected, bought, strict=True)]
    noise = sum(float(np.sqrt(((b - e) ** 2).sum())) for e, b in zip(expected, bought, strict=True)) / total
    spread = float(np.var(by_moment)) / len(by_moment)
    kept = LIFT_SD**2 / (LIFT_SD**2 + WHIM_SD**2 + noise**2 + spread)
    return float(np.exp(np.clip(kept * ratio, -0.7, 0.7)))


def deviance(bought: Floats, expected: Floats) -> Floats:
    """Poisson deviance of each person."""
    gone = np.where(bought > 0, bought * np.log(np.maximum(bought, 1e-9) / expected), 0.0)
    lost: Floats = 2 * (gone - (bought - expected))
    return lost
