"""How far somebody's posts travel, apart from how many they are: people reached and replies drawn, a post.

Both as logarithms against the usual post of the same network. What little is known of somebody is drawn toward the
usual (normal-normal empirical Bayes; Efron and Morris 1973).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rapport.plugins.insights.participation.places import Flags, Floats, Places

Z = 1.959964
USUAL_VAR = 1.0  # of the logarithm of reach, among the posts of one person, where it cannot be told
REPLIES_HELD = 2.0  # posts with the usual replies that everybody is held to have


@dataclass(frozen=True, slots=True)
class Usual:
    """Of one network: the usual logarithm of reach, its spread among and within people, replies a post."""

    log_reach: float
    among_var: float
    within_var: float
    replies: float


@dataclass(frozen=True, slots=True)
class Travel:
    """Of each person: how many times as far as usual their posts travel, its ends; reach and replies a post."""

    value: Floats
    low: Floats
    high: Floats
    reach: Floats  # people a post, NaN where no post states it
    replies: Floats  # a post
    known: Flags  # anything is known at all


def learn(places: Places) -> dict[str, Usual]:
    """What is usual on each network where anybody posted."""
    return {
        str(name): _usual(places, np.flatnonzero((places.network == name) & (places.n > 0)))
        for name in np.unique(places.network[places.n > 0].astype(str))
    }


def as_json(usual: Mapping[str, Usual]) -> dict[str, Any]:
    return {name: asdict(one) for name, one in usual.items()}


def from_json(given: Mapping[str, Any]) -> dict[str, Usual]:
    return {name: Usual(**one) for name, one in given.items()}


def travel(usual: Mapping[str, Usual], places: Places) -> Travel:
    """What each person's posts say; networks count by how much they tell."""
    told = np.zeros(places.n_persons)
    precision = np.zeros(places.n_persons)
    reach_sum, reach_n, replies, posts = (np.zeros(places.n_persons) for _ in range(4))
    among = []
    for name, one in usual.items():
        at = np.flatnonzero((places.network == name) & (places.n > 0))
        who = places.owner[at]
        among.append(one.among_var)
        for log_ratio, var in _evidence(one, places, at):
            np.add.at(told, who, log_ratio / var)
            np.add.at(precision, who, 1 / var)
        np.add.at(reach_sum, who, places.log_reach[at])
        np.add.at(reach_n, who, places.n_reach[at])
        np.add.at(replies, who, places.n_replies[at])
        np.add.at(posts, who, places.n[at])
    prior = 1 / max(float(np.mean(among)) if among else USUAL_VAR, 1e-3)
    middle, error = told / (precision + prior), np.sqrt(1 / (precision + prior))
    with np.errstate(invalid="ignore", divide="ignore"):
        reach = np.expm1(reach_sum / reach_n)
        each = replies / posts
    return Travel(
        np.exp(middle), np.exp(middle - Z * error), np.exp(middle + Z * error), reach, each, posts > 0
    )


def _usual(places: Places, at: Any) -> Usual:
    n, n_reach = places.n[at], places.n_reach[at]
    replies = float((places.n_replies[at].sum() + 0.5) / (n.sum() + 1))
    known = n_reach > 0
    if not known.any():
        return Usual(0.0, USUAL_VAR, USUAL_VAR, replies)
    each = places.log_reach[at][known] / n_reach[known]
    middle = float(np.average(each, weights=n_reach[known]))
    several = n_reach[known] >= 2
    if several.sum() < 10:
        return Usual(middle, USUAL_VAR, USUAL_VAR, replies)
    # Means of many posts vary by what parts people; means of few by the posts as well (least squares on 1/n).
    square, share = (each - middle) ** 2, 1 / n_reach[known]
    slope, level = np.polyfit(share, square, 1)
    within = float(np.clip(slope, 0.05, 4.0))
    return Usual(middle, float(np.clip(level, 0.02, 4.0)), within, replies)


def _evidence(one: Usual, places: Places, at: Any) -> list[tuple[Floats, Floats]]:
    """Logarithms of a ratio to the usual, each with its variance; without reach, what says nothing."""
    n_reach = np.maximum(places.n_reach[at], 1e-9)
    by_reach = places.log_reach[at] / n_reach - one.log_reach
    by_reach = np.where(places.n_reach[at] > 0, by_reach, 0.0)
    held = REPLIES_HELD * one.replies
    expected = places.n[at] * one.replies
    by_replies = np.log((places.n_replies[at] + held) / (expected + held))
    return [(by_reach, one.within_var / n_reach), (by_replies, 1 + 1 / (expected + held))]
