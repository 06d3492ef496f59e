"""Who is answered next.

Whatever touches safety, a refund or a declared need comes first. Of the others, one may be taken out of turn
because answering it saves more, as long as everybody who waited longer is still answered within the firm's
stated maximum with the minutes that are left once the floor is held back. Where that is not so, turns are
taken as people came.

With one deadline for all, first come first served meets every deadline that any order can meet (Jackson 1955,
"Scheduling a production line to minimize maximum tardiness"), so nobody is answered too late under this rule
who would have been in time under it: a turn is given away only where it costs no one theirs.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rapport.portfolio.rules.policy import FIRST, Policy

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
NDStrings = NDArray[np.str_]
Why = Literal["safety", "refund", "vulnerable", "due", "saving", "turn", "short"]
NOT_FIRST = len(FIRST)
ROUNDING = 1e-6  # minutes


@dataclass(frozen=True, slots=True)
class Standing:
    """What the models say of a person, as far as service goes. Nothing here says who somebody is."""

    tier: str = ""  # A, B, C; empty where nothing is known
    saving_minor: float = 0.0  # expected to be saved per minute of answering
    worth_ratio: float = (
        1.0  # the same, beside the mean of all who buy in that currency; the mean where unknown
    )
    currency: str = ""
    low_ratio: float = 0.0  # ends of the interval of worth_ratio
    high_ratio: float = 0.0


@dataclass(frozen=True, slots=True)
class Matter:
    """Something that somebody waits to be answered."""

    key: str
    since: dt.datetime
    kind: str = "message_received"
    minutes: float = 8.0
    first: str = ""  # safety, refund or vulnerable
    standing: Standing = Standing()
    person: int | None = None
    channel: str = ""


@dataclass(frozen=True, slots=True)
class Priority:
    """The place of a matter among those that wait, and why it has it."""

    rank: int  # 1 is next
    reason: str
    why: Why = "turn"
    key: str = ""
    answered_by: dt.datetime | None = None  # at the firm's pace, if nothing else arrives


@dataclass(frozen=True, slots=True)
class Pace:
    """The policy's figures in minutes."""

    longest_wait: float
    capacity: float  # minutes of service in one minute of the clock
    floor_ratio: float

    @classmethod
    def of(cls, policy: Policy) -> Pace:
        return cls(policy.longest_wait_hours * 60, policy.minutes_per_day / 1440, policy.floor_ratio)


def next_of(
    since: Floats, minutes: Floats, worth: Floats, first: Ints, now: float, pace: Pace
) -> tuple[int, Why]:
    """The position of whoever is answered next, and why.

    Arrays over those who wait, the longest waiting first: since when (minutes), minutes of answering, worth
    per minute, and place in FIRST (NOT_FIRST for none).
    """
    if first.min() < NOT_FIRST:
        at = int(np.lexsort((since, first))[0])
        return at, FIRST[first[at]]  # type: ignore[return-value]
    slack = _slack(since, minutes, now, pace)
    if slack.min() < -ROUNDING:
        is_short = _slack(since, minutes, now, pace, floor_ratio=0.0).min() < -ROUNDING
        return 0, "short" if is_short else "due"
    # Whoever is taken out of turn uses up the slack of all who waited longer.
    spare = np.concatenate([[np.inf], np.minimum.accumulate(slack)[:-1]])
    may = minutes <= spare + ROUNDING
    best = int(np.argmax(np.where(may, worth, -np.inf)))
    if best == 0:
        return 0, "due" if worth.max() > worth[0] else "turn"
    return best, "saving"


def _slack(
    since: Floats, minutes: Floats, now: float, pace: Pace, floor_ratio: float | None = None
) -> Floats:
    """Minutes of service to spare for each, if all are answered in turn; negative: too late."""
    held = pace.floor_ratio if floor_ratio is None else floor_ratio
    left = np.maximum(since + pace.longest_wait - now, 0.0) * pace.capacity * (1 - held)
    spare: Floats = left - np.cumsum(minutes)
    return spare


def shortfall_minutes(matters: Sequence[Matter], policy: Policy, now: dt.datetime) -> float:
    """Minutes of service that are missing to answer everybody who waits within the maximum; 0 where none are."""
    if not matters:
        return 0.0
    since, minutes, _, first = _columns(matters, policy)
    turn = np.lexsort((since, first))
    left = np.maximum(since[turn] + policy.longest_wait_hours * 60 - now.timestamp() / 60, 0.0)
    done = np.cumsum(minutes[turn])
    return max(0.0, float((done - left * policy.minutes_per_day / 1440).max()))


def order(matters: Sequence[Matter], policy: Policy, now: dt.datetime) -> list[Priority]:
    """Everybody who waits, in the order of being answered: one for each matter, none left out.

    With the policy off, as people came, after what comes first.
    """
    if not matters:
        return []
    since, minutes, worth, first = _columns(matters, policy)
    waiting = np.lexsort((np.array([m.key for m in matters]), since))
    pace = Pace.of(policy)
    clock = now.timestamp() / 60
    found: list[Priority] = []
    while len(waiting):
        if policy.is_on:
            at, why = next_of(since[waiting], minutes[waiting], worth[waiting], first[waiting], clock, pace)
        else:
            at = int(np.argmin(first[waiting]))
            why = FIRST[first[waiting][at]] if first[waiting][at] < NOT_FIRST else "turn"  # type: ignore[assignment]
        number = int(waiting[at])
        clock += minutes[number] / pace.capacity
        done = dt.datetime.fromtimestamp(clock * 60, tz=dt.UTC)
        matter = matters[number]
        found.append(Priority(len(found) + 1, reason(matter, why, policy, now), why, matter.key, done))
        waiting = np.delete(waiting, at)
    return found


def per_minute(worth_ratio: Floats, minutes: Floats, policy: Policy) -> Floats:
    """What a minute of answering is worth, where an answer takes so long.

    An answer saves the same whether it takes long or not: per minute, a short one is worth more.
    """
    worth: Floats = worth_ratio * policy.costs.message_minutes / np.maximum(minutes, 1e-9)
    return worth


def _columns(matters: Sequence[Matter], policy: Policy) -> tuple[Floats, Floats, Floats, Ints]:
    places = {name: place for place, name in enumerate(FIRST)}
    minutes = np.array([m.minutes for m in matters])
    return (
        np.array([m.since.timestamp() / 60 for m in matters]),
        minutes,
        per_minute(np.array([m.standing.worth_ratio for m in matters]), minutes, policy),
        np.array([places.get(m.first, NOT_FIRST) for m in matters]),
    )


def reason(matter: Matter, why: Why, policy: Policy, now: dt.datetime) -> str:
    """One sentence for whoever answers."""
    waited = max(0.0, (now - matter.since).total_seconds() / 3600)
    longest = f"{policy.longest_wait_hours:g}"
    said: dict[Why, str] = {
        "safety": "Safety comes first.",
        "refund": "Somebody waits for their money back, and that comes first.",
        "vulnerable": "They told us that they need more help, and that comes first.",
        "due": (
            f"Has waited {waited:.1f} of the {longest} hours within which everybody is answered,"
            " and there is no time to take somebody else first."
        ),
        "short": (
            f"Has waited {waited:.1f} hours; there is more to answer than can be within {longest} hours,"
            " so turns are taken as people came."
        ),
        "saving": "Answering it saves the most, and nobody who waited longer is answered too late for it.",
        "turn": "Its turn, as people came.",
    }
    return said[why]
