"""Figures that more than one page shows, asked of the lake by name."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

from rapport.events import lake
from rapport.kit import clock, query
from rapport.people import selectors as people

PACKAGE = "rapport.web"
WATCHED_DAYS = 28
USUAL_DAYS = 14  # a source that reported on so many of the watched days is expected to go on
SILENT_DAYS = 3


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who first ordered in one month, and how many did so again."""

    month: dt.date
    n: int
    n_again: int


@dataclass(frozen=True, slots=True)
class Share:
    """One value that an event is counted by."""

    label: str
    n: int
    n_subjects: int


@dataclass(frozen=True, slots=True)
class SilentSource:
    """A source that used to report and does not."""

    name: str
    n_days: int
    last_ts: dt.datetime


def repeat_by_cohort(first_day: dt.date, last_day: dt.date, horizon_days: int) -> list[Cohort]:
    """Months of first orders whose people have all had `horizon_days` to order again."""
    asked = {"first_day": first_day, "last_day": last_day, "horizon_days": horizon_days}
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "identity", people.identity_arrow())
            rows = query.run(con, query.load(PACKAGE, "repeat_by_cohort"), asked).fetchall()
    finally:
        con.close()
    return [Cohort(*row) for row in rows]


def by_dimension(name: str, first_day: dt.date, last_day: dt.date, limit: int) -> list[Share]:
    """What an event is counted by in these days, most frequent first."""
    rows = _rows("by_dimension", name=name, first_day=first_day, last_day=last_day, limit=limit)
    return [Share(*row) for row in rows]


def silent_sources() -> list[SilentSource]:
    """Sources that reported on most days of the last four weeks, and nothing of late."""
    now = clock.now()
    rows = _rows(
        "silent_sources",
        since=now - dt.timedelta(days=WATCHED_DAYS),
        now=now,
        usual_days=USUAL_DAYS,
        silent_days=SILENT_DAYS,
    )
    return [SilentSource(*row) for row in rows]


def _rows(named: str, **asked: Any) -> list[Any]:
    con = lake.connect()
    try:
        return query.run(con, query.load(PACKAGE, named), asked).fetchall()
    finally:
        con.close()
