"""What a policy would have changed: the firm's own past contacts, answered once in turn and once by the policy.

Both ways have the same minutes a day, spread evenly over the day; one answer is given at a time. An answer is
there as soon as it is written; the next is begun once the day's minutes have caught up with it. What is replayed
is what arrived and when; nobody's later behaviour is changed by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapport.portfolio.rules.policy import Policy
from rapport.portfolio.rules.queue import NOT_FIRST, Floats, Ints, NDStrings, Pace, next_of

TIERS = ("A", "B", "C", "")
LONGER_HOURS = 0.25  # below which nobody minds
DRAWS = 400  # of the interval


@dataclass(frozen=True, slots=True)
class Matters:
    """Columns over past contacts, the earliest first."""

    person: Ints
    since: Floats  # minutes
    minutes: Floats
    first: Ints  # place in FIRST, NOT_FIRST for none
    tier: Ints  # place in TIERS
    worth: Floats  # per minute of answering, beside the mean of the currency; of the mean where unknown
    saving_minor: Floats  # expected to be saved by an answer at once, in minor units
    currency: NDStrings  # of it
    low_ratio: float = 1.0  # ends of the interval of what an answer helps, beside its middle
    high_ratio: float = 1.0

    def __len__(self) -> int:
        return len(self.since)


@dataclass(frozen=True, slots=True)
class Waits:
    """How long one group waited, one way."""

    n: int
    median_hours: float
    ninetieth_hours: float
    beyond_ratio: float  # answered later than the firm's maximum


@dataclass(frozen=True, slots=True)
class Way:
    """One way of taking turns."""

    by_tier: dict[str, Waits]
    first: Waits  # safety, refunds and the vulnerable
    everybody: Waits


@dataclass(frozen=True, slots=True)
class Outcome:
    """Money expected to be saved beyond the present way, in one currency, with its 95 % interval."""

    currency: str
    present_minor: float
    policy_minor: float
    gain_minor: float
    low_minor: float
    high_minor: float


@dataclass(frozen=True, slots=True)
class Replay:
    """The present way beside the policy."""

    n: int
    days: float
    minutes_needed_per_day: float
    present: Way
    policy: Way
    outcomes: tuple[Outcome, ...]
    n_longer: int  # contacts that would have waited longer than before, by more than a quarter of an hour
    n_longer_people: int
    longer_median_hours: float  # how much longer, among them
    longer_most_hours: float
    longer_by_tier: dict[str, int]
    is_short: bool  # even in turn, somebody waits longer than the maximum
    short_ratio: float  # of contacts that no order could answer in time
    present_hours: Floats
    policy_hours: Floats
    whys: dict[str, int]  # by why each was answered when it was, under the policy


def in_turn(since: Floats, minutes: Floats, capacity: float) -> Floats:
    """When each is answered, first come first served, in minutes (the recursion of Lindley 1952 in closed form)."""
    work = minutes / capacity
    before = np.concatenate([[0.0], np.cumsum(work)[:-1]])
    done: Floats = np.maximum.accumulate(since - before) + before + work
    return done


def by_policy(matters: Matters, pace: Pace) -> tuple[Floats, list[str]]:
    """When each is answered under the policy, in minutes, and why then."""
    n = len(matters)
    since, minutes, worth, first = matters.since, matters.minutes, matters.worth, matters.first
    done = np.zeros(n)
    whys = [""] * n
    waiting = np.zeros(0, np.int64)
    clock, arrived = 0.0, 0
    for _ in range(n):
        if not len(waiting):
            clock = max(clock, float(since[arrived]))
        upto = int(np.searchsorted(since, clock, side="right"))
        if upto > arrived:
            waiting = np.concatenate([waiting, np.arange(arrived, upto)])
            arrived = upto
        at, why = next_of(since[waiting], minutes[waiting], worth[waiting], first[waiting], clock, pace)
        number = int(waiting[at])
        clock += float(minutes[number]) / pace.capacity
        done[number], whys[number] = clock, why
        waiting = np.delete(waiting, at)
    return done, whys


def replay(matters: Matters, policy: Policy, rng: np.random.Generator) -> Replay:
    """Answer the contacts both ways. There must be at least one."""
    pace = Pace.of(policy)
    # Of the time that a share of the day needs for an answer, what comes after it is written is no wait.
    paced = matters.minutes / pace.capacity
    spare = paced - np.minimum(matters.minutes, paced)
    present = (in_turn(matters.since, matters.minutes, pace.capacity) - spare - matters.since) / 60
    done, whys = by_policy(matters, pace)
    after = (done - spare - matters.since) / 60
    longest = policy.longest_wait_hours
    longer = after - present
    grown = longer > LONGER_HOURS
    days = max(1.0, float(matters.since[-1] - matters.since[0]) / 1440)
    names, counts = np.unique(np.array(whys), return_counts=True)
    return Replay(
        n=len(matters),
        days=days,
        minutes_needed_per_day=float(matters.minutes.sum()) / days,
        present=_way(matters, present, longest),
        policy=_way(matters, after, longest),
        outcomes=_outcomes(matters, present, after, policy.half_life_hours, rng),
        n_longer=int(grown.sum()),
        n_longer_people=len(np.unique(matters.person[grown])),
        longer_median_hours=float(np.median(longer[grown])) if grown.any() else 0.0,
        longer_most_hours=float(longer.max()) if grown.any() else 0.0,
        longer_by_tier={t: int((grown & (matters.tier == k)).sum()) for k, t in enumerate(TIERS)},
        is_short=bool((present > longest).any()),
        short_ratio=float((present > longest).mean()),
        present_hours=present,
        policy_hours=after,
        whys=dict(zip(names.tolist(), counts.tolist(), strict=True)),
    )


def _way(matters: Matters, hours: Floats, longest: float) -> Way:
    return Way(
        by_tier={t: _waits(hours[matters.tier == k], longest) for k, t in enumerate(TIERS)},
        first=_waits(hours[matters.first < NOT_FIRST], longest),
        everybody=_waits(hours, longest),
    )


def _waits(hours: Floats, longest: float) -> Waits:
    if not len(hours):
        return Waits(0, 0.0, 0.0, 0.0)
    median, ninetieth = np.quantile(hours, [0.5, 0.9]).tolist()
    return Waits(len(hours), median, ninetieth, float((hours > longest + 1e-9).mean()))


def _outcomes(
    matters: Matters, present: Floats, after: Floats, half_life_hours: float, rng: np.random.Generator
) -> tuple[Outcome, ...]:
    """An answer's help halves with every half-life of waiting.

    The interval draws contacts anew, and how much an answer helps from the model's own interval.
    """
    found = []
    middle, spread = 1.0, (matters.high_ratio - matters.low_ratio) / (2 * 1.96)
    for currency in np.unique(matters.currency).tolist():
        there = np.flatnonzero((matters.currency == currency) & (matters.saving_minor > 0))
        if not len(there):
            continue
        saving = matters.saving_minor[there]
        before = saving * 0.5 ** (present[there] / half_life_hours)
        then = saving * 0.5 ** (after[there] / half_life_hours)
        gain = then - before
        drawn = rng.integers(0, len(there), (DRAWS, len(there))) if len(there) <= 5000 else None
        if drawn is None:  # many enough for the normal law
            means = len(there) * rng.normal(gain.mean(), gain.std() / np.sqrt(len(there)), DRAWS)
        else:
            means = gain[drawn].sum(axis=1)
        means = means * np.maximum(rng.normal(middle, spread, DRAWS), 0.0)
        low, high = np.quantile(means, [0.025, 0.975]).tolist()
        found.append(
            Outcome(str(currency), float(before.sum()), float(then.sum()), float(gain.sum()), low, high)
        )
    return tuple(sorted(found, key=lambda o: -o.policy_minor))


def tier_places(labels: Sequence[str]) -> Ints:
    """Places in TIERS; what is none of them is unknown."""
    places = {name: place for place, name in enumerate(TIERS)}
    return np.array([places.get(label, len(TIERS) - 1) for label in labels], np.int64)
