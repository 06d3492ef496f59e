"""Where people stood at the cut beside the tone of what they said after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from rapport.insights.contract import Backtest, Context, Curve, Metric, Point
from rapport.kit import chances
from rapport.plugins.insights.advocacy.saying import Floats, Ints, Said, Texts
from rapport.plugins.insights.advocacy.standing import Standing

GROUPS = 8  # of a calibration curve
JUDGES = 0.5  # a text is looked at where its tone is likelier either than neutral


def judged(said: Said, at_cut: tuple[Ints, Any, Standing], context: Context) -> Backtest:
    """Each later text that judges is one case; its writer had said something on that network before."""
    split = f"standing at {context.now:%Y-%m-%d}, judged on what was said in the {context.horizon_days} days after it"
    owner, network, stand = at_cut
    later = said.later.only(said.later.positive + said.later.negative > JUDGES)
    place = _place(owner, network, later)
    later, place = later.only(place >= 0), place[place >= 0]
    good = later.positive > later.negative
    n = len(good)
    if not n or good.all() or not good.any():
        return Backtest((), n, split, "Too little was said after the cut by people who had spoken before.")
    chance, naive = (stand.value[place] + 1) / 2, (_mean_tone(said.texts, owner, network)[place] + 1) / 2
    happened = good.astype(np.float64)
    ranked, squares = chances.auc(chance, good), chances.brier(chance, happened)
    return Backtest(
        (
            Metric(
                "ranking of good words above bad ones (AUC)", ranked.value, "the mean tone of what each said so far",
                chances.auc(naive, good).value, "probability", low=ranked.low, high=ranked.high,
                meaning="How often who then speaks well stood above who then speaks ill; 0.5 is chance.",
            ),
            Metric(
                "Brier score of speaking well", squares.value, "the mean tone of what each said so far",
                chances.brier(naive, happened).value, "squared probability", higher_is_better=False,
                low=squares.low, high=squares.high,
                meaning="The mean squared difference of the chance and what came; 0 is perfect.",
            ),
        ),
        n,
        split,
        "The tone of what came is itself read by the model of sentiment, with its errors.",
        (_curve(chance, happened),),
    )  # fmt: skip


def _place(owner: Ints, network: Any, later: Texts) -> Ints:
    """Of each text, the row of its writer on that network; -1 for none."""
    names, code = np.unique(np.concatenate([network, later.network]).astype(str), return_inverse=True)
    many = max(len(names), 1)
    known = owner * many + code[: len(owner)]
    asked = later.owner * many + code[len(owner) :]
    order = np.argsort(known)
    at = np.searchsorted(known[order], asked).clip(max=max(len(known) - 1, 0))
    if not len(known):
        return np.full(len(asked), -1, np.int64)
    found = order[at]
    return np.where(known[found] == asked, found, -1)


def _mean_tone(texts: Texts, owner: Ints, network: Any) -> Floats:
    """(cases,): the mean of positive less negative."""
    place = _place(owner, network, texts)
    n = np.maximum(np.bincount(place, minlength=len(owner)), 1)
    tone: Floats = np.bincount(place, texts.positive - texts.negative, minlength=len(owner)) / n
    return tone


def _curve(chance: Floats, happened: Floats) -> Curve:
    order = np.argsort(chance, kind="stable")
    points = []
    for part in np.array_split(order, min(GROUPS, len(order))):
        seen = chances.share(float(happened[part].sum()), len(part))
        points.append(Point(float(chance[part].mean()), seen.value, len(part), seen.low, seen.high))
    return Curve(
        "advocacy", "probability", tuple(points),
        f"Speaking well was expected of {chance.mean():.0%} of what judged us, and {happened.mean():.0%} did.",
    )  # fmt: skip
