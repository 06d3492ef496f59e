"""Who will not order within the horizon: learnt at earlier cut-offs from what happened in the horizon after each.

A discrete-time hazard: at each cut-off before now, everybody who had ordered is a case, known by what lay before
it and labelled by whether an order came in the horizon after it, which ends before now. The rule of `rhythm` is
where it starts, and what it stays at where there is little to learn from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rapport.insights.contract import Context
from rapport.kit.chances import logit, sigmoid
from rapport.plugins.insights.churn import additive, figures
from rapport.plugins.insights.churn import rhythm as rhythms
from rapport.plugins.insights.churn.additive import Bends, Cases, Weights
from rapport.plugins.insights.churn.histories import Floats, Histories, Ints
from rapport.plugins.insights.churn.rhythm import Rhythm

CUTS_MOST = 6
CUTS_A_HORIZON = 3
RIDGES = (30.0, 100.0, 300.0, 1_000.0, 3_000.0, 100_000.0)
RIDGE = 3_000.0  # where nothing can be held out to choose it on
FEW = 300  # cases; with fewer the rule stands alone
REACH_DAYS = 30.0  # a source must reach this far beyond the time learnt from
FRESH_DAYS = 90.0  # and must have told something within so many days
SHORT_DAYS = 14.0  # of a half of a short log, below which nothing can be learnt from it
SEASON_BEHIND_DAYS = 120.0  # that the log must reach back beyond last year's horizon

# Log-odds per unit of the figure, by judgement: nobody's data; learning moves away from them.
RULE = {
    "complaint since the last order": 0.3,
    "complaint without an answer": 0.3,
    "refund since the last order": 0.2,
    "last answer was low": 0.2,
    "asked for no more": 0.2,
}

_PER_UNIT = np.array(list(RULE.values()))
_THUMB_OF = np.array([next(s for s, names in figures.SUBJECTS.items() if name in names) for name in RULE])


@dataclass(frozen=True, slots=True)
class Learnt:
    """A fitted model: everything that scoring needs."""

    horizon_days: int
    subjects: tuple[str, ...]
    numbers: Floats  # of the rule
    bends: Bends
    weights: Weights
    level: float
    typical_gap_days: float  # between orders of those who order again
    typical_minor: dict[str, float]  # by currency
    share: float  # of people who fell silent in the horizon before now
    split_days: float  # the naive rule: longer silent than this, and it is `above`
    above: float
    below: float
    n: int  # cases learnt from
    answers_known: bool

    def as_json(self) -> dict[str, Any]:
        plain = ("horizon_days", "level", "typical_gap_days", "typical_minor", "share", "split_days", "above",
                 "below", "n", "answers_known")  # fmt: skip
        return {
            **{name: getattr(self, name) for name in plain},
            "subjects": list(self.subjects),
            "numbers": self.numbers.tolist(),
            "model": additive.as_json(self.bends, self.weights),
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Learnt:
        bends, weights = additive.from_json(given["model"])
        rest = {k: v for k, v in given.items() if k not in {"model", "subjects", "numbers"}}
        return cls(
            **rest,
            subjects=tuple(given["subjects"]),
            numbers=np.array(given["numbers"]),
            bends=bends,
            weights=weights,
        )


@dataclass(frozen=True, slots=True)
class Seen:
    """People at one moment, as the model sees them."""

    rhythm: Rhythm
    figures: Floats
    thumb: Floats  # (n, len(RULE)): what the rules of thumb look at
    silent: Floats  # 1 where no order came in the horizon after it


@dataclass(frozen=True, slots=True)
class Said:
    """What the model says of people at one moment."""

    chance: Floats
    by_subject: dict[str, Floats]  # log-odds that each subject adds, over what it adds on the whole


def seen_at(
    people: Histories, row: Ints, at: float, subjects: tuple[str, ...], typical: Mapping[str, float], horizon_days: int
) -> Seen:  # fmt: skip
    """People at one moment; `typical` is the usual order by currency."""
    moment = np.full(len(row), at)
    rhythm = Rhythm.of(people, row, moment)
    spelt, which = np.unique(people.currency, return_inverse=True)
    minor = np.array([typical.get(str(c), 0.0) for c in spelt])[which] if people.n else np.zeros(0)
    known = figures.at_moments(people, row, moment, rhythm, horizon_days, minor)
    later = people.orders.n_since(row, moment + horizon_days, moment)
    thumb = np.stack([known.values[name] for name in RULE], axis=1)
    return Seen(rhythm, known.of(subjects), thumb, (later == 0) * 1.0)


def learn(people: Histories, context: Context) -> Learnt:
    """Fit on these people's past; nothing from now on is looked at."""
    horizon, rng = context.horizon_days, context.rng()
    begin = _begin(people)
    cuts = [cut for cut in cuts_before_now(begin, horizon) if len(people.buyers(cut))]
    typical = _typical_minor(people)
    subjects = _subjects(people, min(cuts, default=-float(horizon)))
    parts = [seen_at(people, people.buyers(cut), cut, subjects, typical, horizon) for cut in cuts]
    if parts:
        numbers, bends, cases = _cases(parts, subjects, horizon, rng)
        weights = additive.fit(cases, _chosen_ridge(parts, cuts, subjects, horizon, rng))
    else:
        numbers = _numbers_of_short(people, begin, rng)
        bends, weights = additive.nothing(len(figures.names_of(subjects)))
    found = Learnt(
        horizon_days=horizon,
        subjects=subjects,
        numbers=numbers,
        bends=bends,
        weights=weights,
        level=float(weights.levels[0]),
        typical_gap_days=_typical_gap(people),
        typical_minor=typical,
        n=sum(len(part.silent) for part in parts),
        answers_known=people.answers_known,
        **_naive(parts[0] if parts else None),
    )
    return _in_season(found, people, begin)


def say(learnt: Learnt, seen: Seen) -> Said:
    rule = _rule(learnt.numbers, seen, learnt.horizon_days)
    columns = learnt.bends.columns(seen.figures)
    log_odds = learnt.level + learnt.weights.log_odds(rule, columns)
    added = columns * learnt.weights.weight
    by_rule = seen.thumb * _PER_UNIT * (1 + learnt.weights.stretch)
    of_figure = np.repeat(
        np.arange(len(learnt.subjects)), [len(figures.SUBJECTS[s]) for s in learnt.subjects]
    )
    of_column = of_figure[learnt.bends.figure]
    by_subject = {s: by_rule[:, s == _THUMB_OF].sum(axis=1) for s in figures.SUBJECTS}
    for k, name in enumerate(learnt.subjects):
        by_subject[name] = by_subject[name] + added[:, of_column == k].sum(axis=1)
    return Said(sigmoid(log_odds).clip(1e-6, 1 - 1e-6), by_subject)


def cuts_before_now(begin: float, horizon_days: int) -> list[float]:
    """Moments to learn at, newest first: each has its horizon before now and as much behind it."""
    step = max(1.0, horizon_days / CUTS_A_HORIZON)
    cuts = [-horizon_days - step * k for k in range(CUTS_MOST)]
    return [cut for cut in cuts if cut - begin >= max(0.95 * horizon_days, -begin / 4)]


def _numbers_of_short(people: Histories, begin: float, rng: np.random.Generator) -> Floats:
    """The rule's numbers from a log with no room for the horizon twice: its first half, by what came in its second.

    They are rates, and hold for a horizon of any length.
    """
    half = -begin / 2
    row = people.buyers(-half)
    at = np.full(len(row), -half)
    silent = people.orders.n_since(row, np.zeros(len(row)), at) == 0
    if half < SHORT_DAYS or not len(row):
        row = people.buyers(0.0)
        return rhythms.usual(Rhythm.of(people, row, np.zeros(len(row))))
    return rhythms.learn(Rhythm.of(people, row, at), silent, half, 1.0, rng)


def _begin(people: Histories) -> float:
    """When the log of orders begins; a slip of a date here and there does not count."""
    past = people.orders.at[people.orders.at < 0]
    return float(np.quantile(past, 0.002)) if len(past) else 0.0


def _subjects(people: Histories, oldest_cut: float) -> tuple[str, ...]:
    """What can be learnt about: subjects whose sources cover the time learnt from, and still flow."""
    kept = []
    for subject in figures.SUBJECTS:
        sources = figures.SOURCES.get(subject, ())
        moments = np.concatenate([people[s].at for s in sources]) if sources else np.zeros(1)
        moments = moments[moments < 0] if sources else moments
        if not sources:
            kept.append(subject)
        elif len(moments):
            first, last = np.quantile(moments, [0.005, 0.995])
            if first <= oldest_cut - REACH_DAYS and last >= -FRESH_DAYS:
                kept.append(subject)
    return tuple(kept)


def _typical_minor(people: Histories) -> dict[str, float]:
    known = (people.orders.at < 0) & (people.minor > 0)
    of = people.currency[people.orders.row[known]]
    minor = people.minor[known]
    return {str(c): float(np.median(minor[of == c])) for c in np.unique(of)}


def _typical_gap(people: Histories) -> float:
    row = people.buyers(0.0)
    rhythm = Rhythm.of(people, row, np.zeros(len(row)))
    gaps = figures.own_gap(rhythm)[rhythm.n > 1]
    return float(np.median(gaps)) if len(gaps) else 90.0


def _naive(newest: Seen | None) -> dict[str, float]:
    """The rules to compare with: one share for all, and one each for the longer and the shorter silent."""
    if newest is None:
        return {"share": 0.5, "split_days": 0.0, "above": 0.5, "below": 0.5}
    silent, days = newest.silent, newest.rhythm.last
    best = (np.inf, 0.0, 0.5, 0.5)
    for split in np.unique(np.quantile(days, np.linspace(0.05, 0.95, 19))):
        long = days > split
        above, below = ((silent[f].sum() + 0.5) / (f.sum() + 1) for f in (long, ~long))
        brier = float(((np.where(long, above, below) - silent) ** 2).mean())
        best = min(best, (brier, float(split), float(above), float(below)))
    share = (silent.sum() + 0.5) / (len(silent) + 1)
    return {"share": float(share), "split_days": best[1], "above": best[2], "below": best[3]}


def _rule(numbers: Floats, seen: Seen, horizon_days: int) -> Floats:
    """What the own rhythm and the rules of thumb say, as log-odds."""
    chance = rhythms.silence(numbers, seen.rhythm, horizon_days)
    odds: Floats = logit(chance) + (seen.thumb * _PER_UNIT).sum(axis=1)
    return odds


def _joined(parts: list[Seen]) -> Seen:
    rhythm = Rhythm(*(np.concatenate([getattr(p.rhythm, k) for p in parts]) for k in ("n", "first", "last")))
    stacked = [np.concatenate([getattr(p, k) for p in parts]) for k in ("figures", "thumb", "silent")]
    return Seen(rhythm, *stacked)


def _cases(
    parts: list[Seen], subjects: tuple[str, ...], horizon: int, rng: np.random.Generator
) -> tuple[Floats, Bends, Cases]:
    """The numbers of the rule, the columns, and the cases of these cut-offs."""
    whole = _joined(parts)
    weight = 1 / CUTS_A_HORIZON
    numbers = rhythms.learn(whole.rhythm, whole.silent > 0, horizon, weight, rng)
    bends = additive.bends(whole.figures, [name in figures.BENT for name in figures.names_of(subjects)])
    cases = Cases(
        columns=bends.columns(whole.figures),
        rule=_rule(numbers, whole, horizon),
        happened=whole.silent,
        cut=np.repeat(np.arange(len(parts)), [len(p.silent) for p in parts]),
        weight=weight,
    )
    return numbers, bends, cases


def _chosen_ridge(
    parts: list[Seen], cuts: list[float], subjects: tuple[str, ...], horizon: int, rng: np.random.Generator
) -> float:
    """How near to stay to the rule: the nearest that is within an error's breadth of the best on a held-out time.

    The newest cut-off is held out; what is learnt for it ends before its horizon begins.
    """
    if sum(len(part.silent) for part in parts) < FEW:
        return RIDGES[-1]
    newest = parts[0]
    older = [part for part, cut in zip(parts, cuts, strict=True) if cut <= cuts[0] - horizon + 1e-6]
    if not older or len(np.unique(newest.silent)) < 2:
        return RIDGE
    numbers, bends, cases = _cases(older, subjects, horizon, rng)
    rule = _rule(numbers, newest, horizon)
    columns = bends.columns(newest.figures)
    found = []
    for ridge in RIDGES:
        log_odds = additive.fit(cases, ridge).log_odds(rule, columns)
        found.append(additive.losses(log_odds + additive.level(log_odds, newest.silent), newest.silent))
    best = min(range(len(RIDGES)), key=lambda k: float(found[k].mean()))
    chosen = best
    for k in range(best, len(RIDGES)):
        apart = found[k] - found[best]
        if apart.mean() <= apart.std() / np.sqrt(len(apart)):
            chosen = k
    return RIDGES[chosen]


def _in_season(learnt: Learnt, people: Histories, begin: float) -> Learnt:
    """The level moved as it moved a year ago from the horizon before this day to the one after it."""
    year_ago = -figures.YEAR_DAYS
    if year_ago - learnt.horizon_days - begin < max(learnt.horizon_days, SEASON_BEHIND_DAYS):
        return learnt
    after, before = (_level_at(learnt, people, at) for at in (year_ago, year_ago - learnt.horizon_days))
    return replace(learnt, level=learnt.level + after - before)


def _level_at(learnt: Learnt, people: Histories, at: float) -> float:
    seen = seen_at(people, people.buyers(at), at, learnt.subjects, learnt.typical_minor, learnt.horizon_days)
    said = say(replace(learnt, level=0.0), seen)
    return additive.level(logit(said.chance), seen.silent)
