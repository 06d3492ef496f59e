"""Who is dissatisfied now: the chance of a low answer if one asked today.

Each answer to a rating question of the firm is a case, known by what lay before it. What it starts from, and
stays at where few were asked, is a rule of thumb: the share of low answers, moved by what people complained of.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from rapport.kit.chances import logit, sigmoid
from rapport.plugins.insights.churn import additive, figures
from rapport.plugins.insights.churn.additive import Bends, Cases, Weights
from rapport.plugins.insights.churn.histories import Floats, Histories, Ints
from rapport.plugins.insights.churn.rhythm import Rhythm
from rapport.plugins.insights.churn.silence import Said

SUBJECTS = ("refund", "stop", "complaint", "letter", "answer", "text", "return")
CASES_MOST = 100_000
RIDGE = 30.0
LEVEL_HOLD = 2.0  # the information in some ten answers
USUAL_SHARE, USUAL_CASES = 0.15, 10.0  # of low answers, before any is known, as if so many had been asked
BEFORE_DAYS = 0.02  # half an hour: what was said with an answer is part of it
RECENT_DAYS = 90.0  # of the naive rule: a complaint, refund or low answer within these

# Log-odds per unit of the figure, by judgement: nobody's data; learning moves away from them.
RULE = {
    "visits after the last order": 0.3,
    "refund since the last order": 0.7,
    "asked for no more": 0.3,
    "complaints in a year": 0.7,
    "complaint since the last order": 1.0,
    "complaint without an answer": 0.5,
    "last answer was low": 1.2,
    "low answers in a year": 0.6,
    "good answers in a year": -0.8,
    "negative texts in a quarter": 0.8,
    "negative texts in a year": 0.4,
    "positive texts in a year": -0.5,
}


@dataclass(frozen=True, slots=True)
class Learnt:
    """A fitted model; `evidence` is whether anything in the log could show displeasure at all."""

    evidence: bool
    share: float  # of low answers before now
    recent: float  # of low answers among those with a recent complaint, refund or low answer
    calm: float  # among the others
    bends: Bends
    weights: Weights
    n: int

    def as_json(self) -> dict[str, Any]:
        return {
            **{name: getattr(self, name) for name in ("evidence", "share", "recent", "calm", "n")},
            "model": additive.as_json(self.bends, self.weights),
        }

    @classmethod
    def from_json(cls, given: dict[str, Any]) -> Learnt:
        bends, weights = additive.from_json(given["model"])
        return cls(**{k: v for k, v in given.items() if k != "model"}, bends=bends, weights=weights)


@dataclass(frozen=True, slots=True)
class Answers:
    """Answers to rating questions: who, when, and whether it was low."""

    row: Ints
    at: Floats
    low: Floats


def answers(people: Histories, begin: float, end: float) -> Answers:
    """Those from `begin` to before `end`."""
    low, good = people["low_answers"], people["good_answers"]
    row, at = np.concatenate([low.row, good.row]), np.concatenate([low.at, good.at])
    is_low = np.repeat([1.0, 0.0], [len(low.at), len(good.at)])
    inside = (at >= begin) & (at < end)
    return Answers(row[inside], at[inside], is_low[inside])


def seen_at(people: Histories, row: Ints, at: Floats) -> Floats:
    rhythm = Rhythm.of(people, row, at)
    return figures.at_moments(people, row, at, rhythm, RECENT_DAYS, np.zeros(people.n)).of(SUBJECTS)


def learn(people: Histories, rng: np.random.Generator) -> Learnt:
    """Fit on the answers before now."""
    told = ("complaints", "low_answers", "good_answers", "negative_texts")
    evidence = any(bool((people[kind].at < 0).any()) for kind in told)
    asked = answers(people, -np.inf, 0.0)
    if len(asked.low) > CASES_MOST:
        some = np.sort(rng.choice(len(asked.low), CASES_MOST, replace=False))
        asked = Answers(asked.row[some], asked.at[some], asked.low[some])
    n = len(asked.low)
    share = (asked.low.sum() + USUAL_SHARE * USUAL_CASES) / (n + USUAL_CASES)
    names = figures.names_of(SUBJECTS)
    if n == 0:
        bends, weights = additive.nothing(len(names))
        return Learnt(evidence, share, share, share, bends, weights, 0)
    moment = asked.at - BEFORE_DAYS
    known = seen_at(people, asked.row, moment)
    recent = is_recent(people, asked.row, moment)
    bends = additive.bends(known, [False] * len(names))
    cases = Cases(
        bends.columns(known), _rule(known, share), asked.low, np.zeros(n, np.int64), 1.0, LEVEL_HOLD
    )
    recently, calm = (
        float((asked.low[f].sum() + share * USUAL_CASES) / (f.sum() + USUAL_CASES)) for f in (recent, ~recent)
    )
    weights = additive.fit(cases, RIDGE)
    return Learnt(evidence, float(share), recently, calm, bends, weights, n)


def say(learnt: Learnt, known: Floats) -> Said:
    """Chance of a low answer, and what each subject adds to its log-odds over nothing having been said."""
    names = figures.names_of(SUBJECTS)
    columns = learnt.bends.columns(known)
    rule = _rule(known, learnt.share)
    log_odds = learnt.weights.levels[0] + learnt.weights.log_odds(rule, columns)
    stretch = 1 + learnt.weights.stretch
    per_unit = np.array([RULE.get(name, 0.0) for name in names]) * stretch
    per_unit = per_unit + learnt.weights.weight / learnt.bends.width
    added = known * per_unit
    subject = np.repeat(np.arange(len(SUBJECTS)), [len(figures.SUBJECTS[s]) for s in SUBJECTS])
    by_subject = {s: added[:, subject == k].sum(axis=1) for k, s in enumerate(SUBJECTS)}
    return Said(sigmoid(log_odds).clip(1e-6, 1 - 1e-6), by_subject)


def is_recent(people: Histories, row: Ints, at: Floats) -> Any:
    """The naive rule: a complaint, refund or low answer of late."""
    kinds = ("complaints", "refunds", "low_answers")
    return np.any([people[kind].n(row, at, RECENT_DAYS) > 0 for kind in kinds], axis=0)


def _rule(known: Floats, share: float) -> Floats:
    per_unit = np.array([RULE.get(name, 0.0) for name in figures.names_of(SUBJECTS)])
    odds: Floats = float(logit(np.array(share))) + (known * per_unit).sum(axis=1)
    return odds
