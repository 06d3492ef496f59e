"""What happens with an order once it is placed: late parcels, parts that do not fit, broken ones, refunds."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from rapport.demo import answering
from rapport.demo.draw import Columns, Flags, Floats, Ints
from rapport.demo.persons import People
from rapport.demo.span import DAY_S, Span
from rapport.demo.world import CHANNELS, World

PROMISED_DAYS = 2
DEFECT = 0.015  # share of parts that are broken, apart from incidents
LEAVES = {"late": 0.18, "misfit": 0.12, "defect": 0.22}  # probability of leaving for good after it
REASONS = ("wrong_part", "defective", "changed_mind")


@dataclass(frozen=True, slots=True)
class Orders(Columns):
    """One row per order, by person and time; those after the present are the truth about the future."""

    person: Ints
    at_s: Ints
    category: Ints
    channel: Ints  # position in CHANNELS
    mailing: Ints  # the one that caused it, or -1
    late_days: Ints  # 0 where it came in time
    misfit: Flags
    defect: Flags
    refund: Ints  # position in REASONS, or -1
    leaves: Flags  # would leave for good after it, if nobody answered
    trouble: Ints  # the aspect that went wrong, or -1
    complains: Flags
    complained_s: Ints
    answer_hours: Floats  # from the complaint to our answer; infinite where there is none
    kept: Flags  # would have left, had nobody answered

    def __len__(self) -> int:
        return len(self.person)

    @property
    def troubled(self) -> Flags:
        return (self.late_days > 0) | self.misfit | self.defect


def experienced(
    rng: np.random.Generator,
    world: World,
    when: Span,
    p: People,
    *,
    person: Ints,
    at_s: Ints,
    category: Ints,
    channel: Ints,
    mailing: Ints,
    desk: np.random.Generator,
) -> Orders:
    """What happened with each order, in order of person and time; `desk` draws who complains and is answered."""
    order = np.lexsort((at_s, person))
    person, at_s, category, channel, mailing = (a[order] for a in (person, at_s, category, channel, mailing))
    n = len(person)
    day = (at_s // DAY_S).clip(0, when.n_days - 1)
    sent = channel != CHANNELS.index("shop")
    late = sent & (rng.random(n) < late_share(world, when, p.country[person], day))
    misfit = rng.random(n) < misfit_share(world, p.country[person], p.car[person], category, sent)
    defect = rng.random(n) < (DEFECT * when.defect_factor[category, day]).clip(0, 0.5)
    refund = np.select(
        [misfit & (rng.random(n) < 0.75), defect & (rng.random(n) < 0.7), rng.random(n) < 0.012],
        [0, 1, 2],
        -1,
    )
    leaves = late & (rng.random(n) < LEAVES["late"])
    leaves |= misfit & (rng.random(n) < LEAVES["misfit"])
    leaves |= defect & (rng.random(n) < LEAVES["defect"])
    late_days = np.where(late, 1 + rng.geometric(0.3, n), 0).clip(0, 30)
    trouble = answering.trouble_of(desk, late, misfit, defect, refund >= 0)
    complains = answering.complain(desk, trouble)
    answered = np.where(complains, answering.answer_hours(desk, world, p.country[person]), np.inf)
    return Orders(
        person=person,
        at_s=at_s,
        category=category,
        channel=channel,
        mailing=mailing,
        late_days=late_days,
        misfit=misfit,
        defect=defect,
        refund=refund,
        leaves=leaves,
        trouble=trouble,
        complains=complains,
        complained_s=answering.complained_s(at_s, late_days, PROMISED_DAYS, desk.uniform(0.2, 3, n)),
        answer_hours=answered,
        kept=leaves & (desk.random(n) < answering.keep_probability(answered)),
    )


def late_share(world: World, when: Span, country: Ints, day: Ints) -> Floats:
    """Probability that a parcel sent on a day misses the promise."""
    chance: Floats = (world.countries.late[country] * when.late_factor[country, day]).clip(0, 0.85)
    return chance


def misfit_share(world: World, country: Ints, car: Ints, category: Ints, sent: Flags) -> Floats:
    """Probability that a part does not fit; at the counter somebody looks first."""
    chance = world.countries.misfit[country] + world.cars.misfit[car]
    share: Floats = np.where(world.categories.fits[category], chance, 0.0) * np.where(sent, 1.0, 0.3)
    return share
