"""Days as the firm means them: from a period to moments, from moments to whole days, weeks and months."""

from __future__ import annotations

import datetime as dt
import functools
import zoneinfo
from dataclasses import dataclass

from rapport.explore.rules.question import Grain, Period, Unit
from rapport.kit import clock
from rapport.kit.errors import Invalid

DAY = dt.timedelta(days=1)
DAY_US = 86_400_000_000
FIRST = dt.date(1990, 1, 1)  # nothing in the log is older
BUCKETS_MOST = 2_000


@dataclass(frozen=True, slots=True)
class Span:
    """Whole days of the firm, from the first to the last; without an end, until now."""

    first: dt.date
    last: dt.date

    @property
    def n_days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Spans:
    """What is asked about, and the period before it where there is one."""

    now: Span
    before: Span | None
    is_ever: bool = False


def spans(period: Period, today: dt.date) -> Spans:
    """The days of a period, and those just before it."""
    if period.first_day is not None:
        last = period.last_day or today
        now = Span(period.first_day, max(last, period.first_day))
        first = now.first - now.n_days * DAY
        return Spans(now, Span(first, now.first - DAY) if first >= FIRST else None)
    if not period.last and not period.with_current:
        return Spans(Span(FIRST, today + DAY), None, is_ever=True)
    begins = floor_of(today, period.unit)
    first = moved(begins, period.unit, -period.last)
    n = period.last + period.with_current
    earlier = moved(first, period.unit, -n)
    if earlier < FIRST:
        raise Invalid("the period begins before 1990", "Choose a shorter one.")
    if not period.with_current:
        return Spans(Span(first, begins - DAY), Span(earlier, first - DAY))
    # What still runs is compared with as much of what ran then.
    until = moved(begins, period.unit, -n) + (today - begins)
    return Spans(Span(first, today), Span(earlier, min(until, first - DAY)))


def floor_of(day: dt.date, unit: Unit | Grain) -> dt.date:
    """The first day of the unit that a day lies in."""
    if unit == "week":
        return day - day.weekday() * DAY
    if unit == "month":
        return day.replace(day=1)
    if unit == "year":
        return day.replace(month=1, day=1)
    return day


def moved(day: dt.date, unit: Unit | Grain, by: int) -> dt.date:
    """The first day of a unit, so many units later."""
    if unit == "day":
        return day + by * DAY
    if unit == "week":
        return day + 7 * by * DAY
    months = 12 * day.year + day.month - 1 + by * (12 if unit == "year" else 1)
    return dt.date(months // 12, months % 12 + 1, 1)


def buckets(span: Span, grain: Grain) -> list[dt.date]:
    """The first days of the units that cover a span. Raises Invalid for more than can be shown."""
    if not grain:
        return []
    found, day = [], floor_of(span.first, grain)
    while day <= span.last:
        found.append(day)
        if len(found) > BUCKETS_MOST:
            raise Invalid(
                f"the period holds more than {BUCKETS_MOST} {grain}s",
                "Choose a longer grain or a shorter period.",
            )
        day = moved(day, grain, 1)
    return found


def begins_us(day: dt.date, zone: str) -> int:
    """The moment a day begins in a zone, in microseconds since 1970."""
    at = dt.datetime.combine(day, dt.time.min, zoneinfo.ZoneInfo(zone))
    return clock.to_us(at.astimezone(dt.UTC))


def ends_us(day: dt.date, zone: str) -> int:
    """The moment after a day's last."""
    return begins_us(day + DAY, zone)


@functools.lru_cache(maxsize=64)
def offsets(zone: str, first: dt.date, last: dt.date) -> tuple[tuple[int, int], ...]:
    """(from when in microseconds since 1970, offset from UTC in microseconds) over a stretch of days.

    The first entry holds from ever. Worked out once a question: asking the zone for each row would cost
    more than all the rest.
    """
    where = zoneinfo.ZoneInfo(zone)

    def offset_s(at: dt.datetime) -> int:
        shift = at.astimezone(where).utcoffset()
        assert shift is not None
        return round(shift.total_seconds())

    begin = dt.datetime.combine(first - DAY, dt.time.min, dt.UTC)
    end = dt.datetime.combine(last + 2 * DAY, dt.time.min, dt.UTC)
    found = [(0, offset_s(begin) * 1_000_000)]
    at, present = begin, offset_s(begin)
    while at < end:
        later = at + DAY
        then = offset_s(later)
        if then != present:
            low, high = at, later
            while high - low > dt.timedelta(seconds=1):
                middle = low + (high - low) // 2
                middle = middle.replace(microsecond=0)
                low, high = (middle, high) if offset_s(middle) == present else (low, middle)
            found.append((clock.to_us(high), then * 1_000_000))
            present = then
        at = later
    return tuple(found)


def today_in(zone: str) -> dt.date:
    """The date in a zone."""
    return clock.now().astimezone(zoneinfo.ZoneInfo(zone)).date()
