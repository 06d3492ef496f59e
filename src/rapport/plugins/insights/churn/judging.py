"""The back-test: what both models said before the cut, beside what happened after it and what simple rules say."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rapport.insights.contract import Backtest, Context, Curve, Metric
from rapport.kit import chances
from rapport.plugins.insights.churn import calibration, displeasure, histories, silence
from rapport.plugins.insights.churn.histories import Floats

ANSWERS_LEAST = 30  # with fewer after the cut nothing is said of dissatisfaction
AT_STAKE_DAYS = 365.0


def judged(
    leaving: silence.Learnt, displeased: displeasure.Learnt, table: pa.Table, context: Context, at_once: int
) -> Backtest:
    """Every figure there can be on these rows."""
    said, asked = [], []
    for begin in range(0, table.num_rows, at_once):
        people = histories.read(table.slice(begin, at_once), leaving.answers_known)
        said.append(_leaving(leaving, people))
        asked.append(_displeased(displeased, people, context.horizon_days))
    chance, silent, last, spent = (_joined([part[k] for part in said]) for k in range(4))
    answered, low, recent = (_joined([part[k] for part in asked]) for k in range(3))
    split = (
        f"learnt from cut-offs whose {context.horizon_days} days end before {context.now:%Y-%m-%d}, judged on"
        f" the {context.horizon_days} days after it"
    )
    metrics: list[Metric] = []
    curves: list[Curve] = []
    notes = []
    if len(silent) and 0 < silent.sum() < len(silent):
        metrics += _of_leaving(leaving, chance, silent, last, spent)
        curves.append(calibration.curve("churn_risk", chance, silent, "everybody who had ordered"))
    else:
        notes.append("Nothing to tell apart: nobody, or everybody, ordered again.")
    if len(low) >= ANSWERS_LEAST and 0 < low.sum() < len(low):
        metrics += _of_displeasure(displeased, answered, low, recent)
        curves.append(calibration.curve("dissatisfaction", answered, low, "answers given after the cut"))
    else:
        notes.append(f"{len(low)} ratings after the cut: too few to judge dissatisfaction on.")
    if not leaving.n:
        notes.append("The log is shorter than twice the horizon: only the rule of rhythm speaks.")
    return Backtest(tuple(metrics), len(silent), split, " ".join(notes), tuple(curves))


def _joined(parts: list[Floats]) -> Floats:
    return np.concatenate(parts) if parts else np.zeros(0)


def _leaving(model: silence.Learnt, people: histories.Histories) -> tuple[Floats, Floats, Floats, Floats]:
    """Chance, whether silent, days since the last order, and money spent in the year before."""
    row = people.buyers(0.0)
    seen = silence.seen_at(people, row, 0.0, model.subjects, model.typical_minor, model.horizon_days)
    recent = (people.orders.at < 0) & (people.orders.at >= -AT_STAKE_DAYS)
    spent = np.bincount(people.orders.row[recent], people.minor[recent], minlength=people.n)[row]
    # Money of two currencies is not added: that of another counts in orders of usual size.
    usual = (
        np.array([model.typical_minor.get(str(c), 1.0) for c in people.currency])[row] if people.n else spent
    )
    return silence.say(model, seen).chance, seen.silent, seen.rhythm.last, spent / np.maximum(usual, 1.0)


def _displeased(
    model: displeasure.Learnt, people: histories.Histories, horizon_days: int
) -> tuple[Floats, Floats, Floats]:
    """Chance, whether low, and the naive rule's chance, for each answer after the cut."""
    asked = displeasure.answers(people, 0.0, float(horizon_days))
    moment = asked.at - displeasure.BEFORE_DAYS
    known = displeasure.seen_at(people, asked.row, moment)
    recent = displeasure.is_recent(people, asked.row, moment)
    return displeasure.say(model, known).chance, asked.low, np.where(recent, model.recent, model.calm)


def _of_leaving(
    model: silence.Learnt, chance: Floats, silent: Floats, last: Floats, spent: Floats
) -> list[Metric]:
    rule = np.where(last > model.split_days, model.above, model.below)
    recency = f"one chance for those silent over {model.split_days:.0f} days, one for the others"
    found = [
        _metric(
            "ranking of who falls silent (AUC)",
            chances.auc(chance, silent > 0),
            "the longest silent first",
            chances.auc(last, silent > 0).value,
            "How often one who did not order again ranks above one who did; 0.5 is chance.",
            unit="probability",
        ),
        *_probabilities("", chance, silent, model.share, rule, recency),
    ]
    lost = spent * silent
    if lost.sum() > 0:
        found.append(
            _metric(
                "lost money found among the tenth with most at stake",
                chances.held_by_top(lost, chance * spent),
                "the same with the simple rule's chance",
                chances.held_by_top(lost, rule * spent).value,
                "Of what was spent in the year before by people who then fell silent, the share held by the tenth of "
                "people for whom chance times money is highest.",
            )
        )
    return found


def _of_displeasure(model: displeasure.Learnt, chance: Floats, low: Floats, rule: Floats) -> list[Metric]:
    recent = "one chance after a complaint, refund or low answer within 90 days, one otherwise"
    return [
        _metric(
            "dissatisfaction: ranking of who answers low (AUC)",
            chances.auc(chance, low > 0),
            "a complaint, refund or low answer within 90 days",
            chances.auc(rule, low > 0).value,
            "How often somebody about to give a low answer ranks above somebody about to give a good one; 0.5 is chance.",
            unit="probability",
        ),
        *_probabilities("dissatisfaction: ", chance, low, model.share, rule, recent),
    ]


def _probabilities(
    of: str, chance: Floats, happened: Floats, share: float, rule: Floats, rule_words: str
) -> list[Metric]:
    everybody = np.full(len(chance), share)
    score, slope = chances.brier(chance, happened), chances.slope(chance, happened)
    rule_slope = chances.slope(rule, happened).value
    meaning = "Mean squared difference of what was said and what happened; 0 is perfect."
    name = "Brier score" if not of else f"{of}Brier score"
    return [
        _metric(
            name, score, f"everybody at {share:.0%}, the share of the time before",
            chances.brier(everybody, happened).value, meaning, unit="none", higher_is_better=False,
        ),
        _metric(
            f"{name} beside the simple rule", score, rule_words, chances.brier(rule, happened).value, meaning,
            unit="none", higher_is_better=False,
        ),
        _metric(
            f"{of}calibration slope", slope, rule_words, rule_slope,
            "1 is right: below it chances are too extreme, above it too timid.",
            unit="none",
            higher_is_better=chances.higher_is_better(slope.value, rule_slope),
        ),
    ]  # fmt: skip


def _metric(
    name: str,
    found: chances.Estimate,
    baseline: str,
    baseline_value: float,
    meaning: str,
    *,
    unit: str = "ratio",
    higher_is_better: bool = True,
) -> Metric:
    return Metric(
        name, found.value, baseline, baseline_value, unit, higher_is_better, found.low, found.high, meaning
    )
