"""When an answer is due: minutes of the firm's own hours, and a longest wait by the clock. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo, available_timezones

from rapport.kit.errors import Invalid

DAY_MIN = 24 * 60
LOOK_DAYS = 60  # a firm that is shut for longer than this answers when it opens
EVERY = ""  # the channel whose target holds where a channel has none of its own


@dataclass(frozen=True, slots=True)
class Target:
    """How soon a channel wants its first answer.

    answer_min : minutes within business hours
    wait_max_h : hours by the clock after which anybody goes before everybody who has not waited so long
    hours : from Monday, (first minute, last minute) of the day that the firm answers in; None: not at all
    stale_days : after so many days without a word an unanswered conversation closes by itself, and says so
    stars_max : a review with at most so many stars opens a conversation
    """

    answer_min: int
    wait_max_h: int
    timezone: str = "UTC"
    hours: tuple[tuple[int, int] | None, ...] = ((0, DAY_MIN),) * 7
    stale_days: int = 30
    stars_max: float = 2.0


_WEEK = ((8 * 60, 18 * 60),) * 5 + (None, None)
# What holds until the firm says otherwise: soon where people wait in front of a window.
STARTING: dict[str, Target] = {
    EVERY: Target(8 * 60, 48, hours=_WEEK),
    "chat": Target(5, 24, hours=_WEEK),
    "social": Target(120, 24, hours=_WEEK),
    "direct": Target(120, 24, hours=_WEEK),
    "phone": Target(120, 24, hours=_WEEK),
    "review": Target(16 * 60, 72, hours=_WEEK),
    "email": Target(8 * 60, 48, hours=_WEEK),
    "survey": Target(16 * 60, 96, hours=_WEEK),
}


def checked(target: Target) -> Target:
    """The target where it can be kept. Raises Invalid."""
    if target.timezone not in available_timezones():
        raise Invalid(f"{target.timezone!r} is no time zone", "Write one such as Europe/Madrid.")
    if target.answer_min < 1 or target.wait_max_h < 1 or target.stale_days < 1:
        raise Invalid("a target is at least one minute, hour or day", "Write a number above 0.")
    if len(target.hours) != 7 or not any(target.hours):
        raise Invalid("hours are seven days from Monday, and at least one of them is open", "Open a day.")
    for day in target.hours:
        if day is not None and not 0 <= day[0] < day[1] <= DAY_MIN:
            raise Invalid(f"{day} is no stretch of a day", "Begin before you end, within one day.")
    return target


def due(since: dt.datetime, target: Target, minutes: int | None = None) -> dt.datetime:
    """When the target's minutes of business hours since then are over."""
    left = dt.timedelta(minutes=target.answer_min if minutes is None else minutes)
    zone = ZoneInfo(target.timezone)
    here = since.astimezone(zone)
    day = here.date()
    for _ in range(LOOK_DAYS):
        span = target.hours[day.weekday()]
        if span is not None:
            # Through UTC, so that an hour that a clock change takes away or gives counts as it passes.
            begin = _at(day, span[0], zone)
            end = _at(day, span[1], zone)
            begin = max(begin, since)
            if begin < end:
                if left <= end - begin:
                    return begin + left
                left -= end - begin
        day += dt.timedelta(days=1)
    return since + dt.timedelta(days=LOOK_DAYS)


def is_open(now: dt.datetime, target: Target) -> bool:
    """Whether the firm answers at this moment."""
    here = now.astimezone(ZoneInfo(target.timezone))
    span = target.hours[here.weekday()]
    return span is not None and span[0] <= here.hour * 60 + here.minute < span[1]


def opens(now: dt.datetime, target: Target) -> dt.datetime:
    """When the firm next answers; now where it does."""
    return due(now, target, 0)


def _at(day: dt.date, minute: int, zone: ZoneInfo) -> dt.datetime:
    at = dt.datetime.combine(day, dt.time(), zone) + dt.timedelta(minutes=minute)
    return at.astimezone(dt.UTC)


def hours_from(given: Sequence[Sequence[int] | None]) -> tuple[tuple[int, int] | None, ...]:
    """Hours as they are kept in JSON."""
    return tuple(None if day is None else (int(day[0]), int(day[1])) for day in given)
