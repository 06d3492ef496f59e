"""The time the market covers, as tables by day: seasons, weekdays, local clocks, mailings, incidents."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from rapport.demo.draw import Floats, Ints
from rapport.demo.world import CHANNELS, World
from rapport.kit.errors import Invalid

DAY_S = 86_400
PAST_DAYS = 730
FUTURE_DAYS = 180
MAILING_EVERY_DAYS = 13
WEEKDAY = np.array([1.0, 0.95, 0.95, 1.0, 1.1, 1.35, 0.75])  # Monday first
# What is sent in which month: the category that the season makes useful.
MONTH_CATEGORY = {
    1: "battery", 2: "bulbs", 3: "wipers", 4: "summer_tyres", 5: "cabin_filter", 6: "roof_rack",
    7: "car_care", 8: "engine_oil", 9: "brake_pads", 10: "winter_tyres", 11: "antifreeze", 12: "battery",
}  # fmt: skip
# Weight of each local hour of the day, by channel; a shop is closed at night.
HOURS: Mapping[str, Sequence[float]] = {
    "shop": [0] * 8 + [2, 4, 5, 5, 4, 3, 4, 5, 6, 7, 5, 3] + [0] * 4,
    "web": [1, 0.5, 0.3, 0.2, 0.2, 0.4, 1, 2, 3, 3.5, 4, 4, 4.5, 4, 3.5, 3.5, 4, 4.5, 5, 6, 8, 8, 6, 3],
    "app": [1, 0.5, 0.3, 0.2, 0.2, 0.6, 2, 5, 4, 3, 3, 3, 5, 4, 3, 3, 4, 5, 5, 6, 7, 7, 6, 3],
    "phone": [0] * 8 + [4, 6, 6, 5, 3, 4, 5, 5, 4, 2] + [0] * 6,
}


@dataclass(frozen=True, slots=True)
class Mailings:
    """One row per mailing."""

    keys: list[str]
    day: Ints
    category: Ints


@dataclass(frozen=True, slots=True)
class Span:
    """Day 0 is a midnight UTC; seconds count from there. `end_s` is the present; beyond it lies the truth."""

    start: dt.datetime
    end: dt.datetime
    start_s: int
    end_s: int
    n_days: int
    season: Floats  # category x (n_days + 1): cumulated weight at the start of each day, one per average day
    even: Floats  # n_days + 1: the same without a season
    offset_s: Ints  # country x day: local time minus UTC
    weekday: Ints
    hours: Floats  # channel x 25: cumulated weight of local hours, from 0 to 1
    mailings: Mailings
    late_factor: Floats  # country x day
    defect_factor: Floats  # category x day

    def utc_s(self, day: Ints, local_s: Ints, country: Ints) -> Ints:
        """Seconds since day 0 of a local time of day in a country."""
        return day * DAY_S + local_s - self.offset_s[country, np.clip(day, 0, self.n_days - 1)]

    def time_of_day_s(self, rng: np.random.Generator, channel: Ints) -> Ints:
        """A local second of the day as the channel's hours have it."""
        u = rng.random(len(channel))
        at = np.empty(len(channel))
        for c in range(len(CHANNELS)):
            mine = channel == c
            at[mine] = np.interp(u[mine], self.hours[c], np.arange(25.0))
        return np.minimum(at * 3600, DAY_S - 1).astype(np.int64)

    def days_between(self, rng: np.random.Generator, cumulated: Floats, low: Floats, high: Floats) -> Ints:
        """A day for each row, drawn between two cumulated weights."""
        at = low + rng.random(len(low)) * (high - low)
        days = np.arange(self.n_days + 1.0)
        drawn: Ints = np.interp(at, cumulated, days).clip(max=self.n_days - 1e-6).astype(np.int64)
        return drawn

    def weight_at(self, cumulated: Floats, at_s: Floats | Ints) -> Floats:
        """The cumulated weight at a second."""
        days: Floats = np.asarray(at_s, dtype=np.float64) / DAY_S
        return np.interp(days, np.arange(self.n_days + 1.0), cumulated)


def span(world: World, end: dt.datetime) -> Span:
    """Two years up to `end` and half a year beyond it."""
    if end.tzinfo is None:
        raise Invalid(
            f"the end {end} has no time zone", "Give an aware datetime, such as rapport.kit.clock.now()."
        )
    end = end.astimezone(dt.UTC)
    first = end - dt.timedelta(days=PAST_DAYS)
    day0 = first.replace(hour=0, minute=0, second=0, microsecond=0)
    n_days = PAST_DAYS + FUTURE_DAYS + 2
    days = [day0 + dt.timedelta(days=d) for d in range(n_days)]
    weekday = np.array([d.weekday() for d in days])
    even = WEEKDAY[weekday] / WEEKDAY.mean()
    late_factor, defect_factor = _incidents(world, n_days)
    return Span(
        start=day0,
        end=end,
        start_s=int((first - day0).total_seconds()),
        end_s=int((end - day0).total_seconds()),
        n_days=n_days,
        season=_cumulated(_seasons(world, days) * even),
        even=_cumulated(even[None, :])[0],
        offset_s=_offsets(world, days),
        weekday=weekday,
        hours=np.stack([_share_by_hour(HOURS[name]) for name in CHANNELS]),
        mailings=_mailings(world, days),
        late_factor=late_factor,
        defect_factor=defect_factor,
    )


def _cumulated(weights: Floats) -> Floats:
    return np.concatenate([np.zeros((len(weights), 1)), np.cumsum(weights, axis=1)], axis=1)


def _share_by_hour(weights: Sequence[float]) -> Floats:
    return np.concatenate([[0.0], np.cumsum(weights) / np.sum(weights)])


def _seasons(world: World, days: list[dt.datetime]) -> Floats:
    day_of_year = np.array([d.timetuple().tm_yday for d in days])
    peak = (world.categories.peak_month - 1.0) * 30.44
    angle = 2 * np.pi * (day_of_year[None, :] - peak[:, None]) / 365.25
    whole = 2 * np.pi * (np.arange(365.25)[None, :] - peak[:, None]) / 365.25
    sharp = world.categories.sharpness[:, None]
    seasons: Floats = np.exp(sharp * np.cos(angle)) / np.exp(sharp * np.cos(whole)).mean(
        axis=1, keepdims=True
    )
    return seasons


def _offsets(world: World, days: list[dt.datetime]) -> Ints:
    rows = []
    for name in world.countries.timezone:
        zone = ZoneInfo(name)
        noons = (d.replace(hour=12).astimezone(zone).utcoffset() or dt.timedelta() for d in days)
        rows.append([int(offset.total_seconds()) for offset in noons])
    return np.array(rows)


def _mailings(world: World, days: list[dt.datetime]) -> Mailings:
    day = np.arange(17, PAST_DAYS - 3, MAILING_EVERY_DAYS)
    day = day + (1 - np.array([days[d].weekday() for d in day])) % 7  # on a Tuesday
    day = day[day < PAST_DAYS - 2]
    themes = [MONTH_CATEGORY[days[d].month] for d in day]
    return Mailings(
        keys=[f"{theme}_{days[d]:%Y_%m_%d}" for theme, d in zip(themes, day, strict=True)],
        day=day,
        category=np.array([world.categories.names.index(theme) for theme in themes]),
    )


def incident_days(incident: Mapping[str, Any]) -> tuple[int, int]:
    """First day of an incident, and the day after its last."""
    first = int(PAST_DAYS - incident["months_ago"] * 30.44)
    return first, first + incident["days"]


def _incidents(world: World, n_days: int) -> tuple[Floats, Floats]:
    late = np.ones((len(world.countries.codes), n_days))
    defect = np.ones((len(world.categories.names), n_days))
    for incident in world.incidents.values():
        days = slice(*incident_days(incident))
        if "late_factor" in incident:
            late[world.countries.codes.index(incident["country"]), days] = incident["late_factor"]
        if "defect_factor" in incident:
            defect[world.categories.names.index(incident["category"]), days] = incident["defect_factor"]
    return late, defect
