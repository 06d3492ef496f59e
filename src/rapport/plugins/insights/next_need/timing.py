"""When it happens again: how long the pauses are, of everybody and of each, and what is left of the present one.

A renewal model. The usual pause of a unit (a person, or a person and a category) is the geometric mean of its
own pauses, shrunk toward that of its class as a random effect would be (kappa, in pauses, is the ratio of the
variance within units to that between them). Pauses divided by what was usual before them are pooled, and
their distribution is Kaplan and Meier's (1958) product-limit estimate, in which a present pause counts as one
that is longer than it has lasted so far. Apart for units of which one knows none, one, a few and many pauses,
because the less one knows the wider it is. The part that never comes again stays above the last pause seen;
everything said here is of those who do come again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.plugins.insights.next_need.reading import Days, Flags, Floats, Ints

STRATA = (0, 1, 2, 4, 8)  # least number of pauses known
KNOTS = 200
CLASS_PRIOR = 5.0
LEAST = 30  # pauses of a stratum, else it is pooled with all
RARE = 0.004  # what of a distribution must be left for it to say anything
USUAL_DAYS = 60.0  # where nobody ever came again


@dataclass(frozen=True, slots=True)
class Timing:
    """What was learnt of pauses."""

    usual: Floats  # of each class: mean logarithm of a pause in days
    kappa: float
    knots: Floats  # stratum x KNOTS: log ratio of a pause to the usual one, ascending
    lasting: Floats  # stratum x KNOTS: share of pauses that last longer


@dataclass(frozen=True, slots=True)
class Standing:
    """Each unit's present pause."""

    usual: Floats  # log days
    n: Ints  # pauses known
    elapsed_days: Floats


@dataclass(frozen=True, slots=True)
class _Pauses:
    """One entry per pause, the present one of each unit included and last."""

    unit: Ints
    log_days: Floats
    is_over: Flags
    n_before: Ints
    sum_before: Floats  # of the logarithms


def learn(days: Days, of_class: Ints, n_classes: int) -> Timing:
    """Learn from every unit; `of_class` is the class of each."""
    pauses = _pauses(days)
    over = pauses.is_over
    log_days, unit = pauses.log_days[over], pauses.unit[over]
    kind = of_class[unit]
    overall = (log_days.sum() + np.log(USUAL_DAYS)) / (len(log_days) + 1)
    n = np.bincount(kind, minlength=n_classes)
    usual = (np.bincount(kind, log_days, n_classes) + CLASS_PRIOR * overall) / (n + CLASS_PRIOR)
    kappa = _kappa(unit, log_days - usual[kind], days.n)
    ratio = pauses.log_days - _shrunk(usual[of_class[pauses.unit]], kappa, pauses.n_before, pauses.sum_before)
    stratum = _stratum(pauses.n_before)
    pooled = _lasting(ratio, over)
    curves = [
        _lasting(ratio[stratum == s], over[stratum == s])
        if int((over & (stratum == s)).sum()) >= LEAST
        else pooled
        for s in range(len(STRATA))
    ]
    return Timing(usual, kappa, np.stack([c[0] for c in curves]), np.stack([c[1] for c in curves]))


def standing(timing: Timing, days: Days, of_class: Ints) -> Standing:
    """Where each unit stands; every unit has a day."""
    pauses = _pauses(days)
    now = ~pauses.is_over
    usual = _shrunk(timing.usual[of_class], timing.kappa, pauses.n_before[now], pauses.sum_before[now])
    return Standing(usual, pauses.n_before[now], np.exp(pauses.log_days[now]))


def days_left(timing: Timing, where: Standing, share: float, within_days: float | None = None) -> Floats:
    """The days from now by which this share of those who come again (`within_days` from now) have come."""
    found = np.zeros(len(where.n))
    for knots, lasting, mine in _by_stratum(timing, where):
        e, usual = where.elapsed_days[mine], where.usual[mine]
        start, end = _ends(knots, lasting, usual, e, within_days)
        left = np.exp(usual + _at_share(knots, lasting, start - share * (start - end))) - e
        # So long a pause was never seen to end: half come after as long again, or evenly within the horizon.
        unseen = -np.log2(1 - share) * e if within_days is None else np.full(len(e), share * within_days)
        found[mine] = np.where(start - end > RARE, np.maximum(left, 0.0), unseen)
    return found if within_days is None else np.minimum(found, within_days)


def share_by(timing: Timing, where: Standing, days: Floats, within_days: float | None = None) -> Floats:
    """The share of those who come again (`within_days` from now) that have come by `days` from now."""
    found = np.zeros(len(where.n))
    for knots, lasting, mine in _by_stratum(timing, where):
        e, usual = where.elapsed_days[mine], where.usual[mine]
        start, end = _ends(knots, lasting, usual, e, within_days)
        at = _left_at(knots, lasting, np.log(e + np.maximum(days[mine], 0.0)) - usual)
        known = start - end > RARE
        ahead = np.maximum(days[mine], 0.0)
        unseen = 1 - np.exp2(-ahead / e) if within_days is None else ahead / within_days
        found[mine] = np.where(known, (start - at) / np.where(known, start - end, 1.0), unseen)
    return np.clip(found, 0.0, 1.0)


def _by_stratum(timing: Timing, where: Standing) -> list[tuple[Floats, Floats, Flags]]:
    stratum = _stratum(where.n)
    return [(timing.knots[s], timing.lasting[s], stratum == s) for s in range(len(STRATA))]


def _ends(
    knots: Floats, lasting: Floats, usual: Floats, elapsed: Floats, within_days: float | None
) -> tuple[Floats, Floats]:
    """What share of pauses lasts longer than the present one so far, and longer than the horizon or all seen."""
    start = _left_at(knots, lasting, np.log(elapsed) - usual)
    if within_days is None:
        return start, np.full(len(start), lasting[-1])
    return start, _left_at(knots, lasting, np.log(elapsed + within_days) - usual)


def _left_at(knots: Floats, lasting: Floats, ratio: Floats) -> Floats:
    found: Floats = np.interp(ratio, knots, lasting, left=1.0)
    return found


def _at_share(knots: Floats, lasting: Floats, share: Floats) -> Floats:
    # np.interp wants ascending places; equal shares would be ambiguous.
    falling = lasting - np.arange(len(lasting)) * 1e-12
    found: Floats = np.interp(-share, -falling, knots)
    return found


def _pauses(days: Days) -> _Pauses:
    last = np.r_[days.unit[1:] != days.unit[:-1], True] if len(days.unit) else np.zeros(0, np.bool_)
    following = np.r_[days.days_ago[1:], 0] if len(days.unit) else days.days_ago
    length = np.where(last, days.days_ago + 0.5, days.days_ago - following)
    log_days = np.log(np.maximum(length, 0.5))
    start = np.cumsum(np.bincount(days.unit, minlength=days.n)) - np.bincount(days.unit, minlength=days.n)
    before = np.arange(len(days.unit)) - start[days.unit]
    total = np.cumsum(log_days) - log_days
    sums = total - (total[start[days.unit]] if len(days.unit) else total)
    return _Pauses(days.unit, log_days, ~last, before, sums)


def _shrunk(prior: Floats, kappa: float, n: Ints, total: Floats) -> Floats:
    found: Floats = (kappa * prior + total) / (kappa + n)
    return found


def _stratum(n: Ints) -> Ints:
    found: Ints = np.searchsorted(STRATA, n, side="right") - 1
    return found


def _kappa(unit: Ints, off: Floats, n_units: int) -> float:
    n = np.bincount(unit, minlength=n_units)
    several = n > 1
    if several.sum() < 5:
        return 2.0
    mean = np.bincount(unit, off, n_units) / np.maximum(n, 1)
    inside = several[unit]
    within = float(((off - mean[unit])[inside] ** 2).sum() / (n[several].sum() - several.sum()))
    between = max(float((off[inside] ** 2).mean()) - within, 0.05 * within, 1e-6)
    return float(np.clip(within / between, 0.3, 30.0))


def _lasting(ratio: Floats, over: Flags) -> tuple[Floats, Floats]:
    """The product-limit estimate at KNOTS places, so that the steps between them are about equal."""
    times, at = np.unique(ratio[over], return_inverse=True)
    if len(times) == 0:
        return np.linspace(-4.0, 4.0, KNOTS), np.linspace(1.0, 0.0, KNOTS)
    ended = np.bincount(at)
    at_risk = len(ratio) - np.searchsorted(np.sort(ratio), times, side="left")
    left = np.cumprod(1 - ended / at_risk)
    # Begins at 1 just before the shortest pause.
    times, left = np.r_[times[0] - 1e-6, times], np.r_[1.0, left]
    wanted = np.linspace(left[0], left[-1], KNOTS)
    place = np.minimum(np.searchsorted(-left, -wanted, side="left"), len(left) - 1)
    knots = times[place] + np.arange(KNOTS) * 1e-9
    return knots, left[place]
