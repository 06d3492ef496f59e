"""Who complains, when the shop answers, and whom an answer keeps.

Three in four are answered, after a time whose median the country's desk has. Of those whom the bad experience
would drive away, an answer at once keeps most; what it keeps halves with every two days of waiting.
"""

from __future__ import annotations

import numpy as np
from scipy.special import ndtri

from rapport.demo.draw import Flags, Floats, Ints
from rapport.demo.span import DAY_S
from rapport.demo.world import ASPECTS, World

COMPLAINS = {"delivery": 0.20, "fit": 0.18, "quality": 0.30, "returns": 0.35}
ANSWERED = 0.75  # share of complaints and letters that are answered at all
SPREAD = 0.8  # of the logarithm of the hours to an answer
KEEPS = 0.7  # of those about to leave, by an answer at once
HALF_LIFE_HOURS = 48.0
HOUR_S = 3600.0


def trouble_of(rng: np.random.Generator, late: Flags, misfit: Flags, defect: Flags, refunded: Flags) -> Ints:
    """The aspect that went wrong with each order, or -1; a slow refund is one more."""
    slow = refunded & (rng.random(len(late)) < 0.2)
    names = ("delivery", "fit", "quality", "returns")
    return np.select([late, misfit, defect, slow], [ASPECTS.index(a) for a in names], -1)


def complain(rng: np.random.Generator, trouble: Ints) -> Flags:
    """Who complains of it."""
    odds = np.array([COMPLAINS.get(name, 0.0) for name in ASPECTS] + [0.0])
    flags: Flags = rng.random(len(trouble)) < odds[trouble]
    return flags


def answer_hours(rng: np.random.Generator, world: World, country: Ints) -> Floats:
    """Hours to the answer of each; infinite where there is none."""
    n = len(country)
    hours = world.countries.answer_hours[country] * np.exp(SPREAD * rng.standard_normal(n))
    return np.where(rng.random(n) < ANSWERED, hours, np.inf)


def keep_probability(hours: Floats) -> Floats:
    """That an answer after so many hours keeps somebody who would else leave."""
    chance: Floats = KEEPS * 0.5 ** (hours / HALF_LIFE_HOURS)
    return chance


def kept_share(world: World) -> Floats:
    """By country: of those about to leave who complain, the share that is kept, over all times to an answer."""
    steps = ndtri((np.arange(400) + 0.5) / 400)
    hours = world.countries.answer_hours[:, None] * np.exp(SPREAD * steps[None, :])
    share: Floats = ANSWERED * keep_probability(hours).mean(axis=1)
    return share


def complained_s(at_s: Ints, late_days: Ints, promised_days: int, wait_days: Floats) -> Ints:
    """The second of each complaint: some days after the parcel came, or should have."""
    return at_s + ((promised_days + late_days + wait_days) * DAY_S).astype(np.int64)
