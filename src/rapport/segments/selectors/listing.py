"""The segments there are, and how each has grown."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace

from rapport.kit.errors import NotFound
from rapport.segments import rules
from rapport.segments.models import Refresh, Segment, Size, Version
from rapport.segments.selectors import columns


@dataclass(frozen=True, slots=True)
class SegmentView:
    """One segment: its rule, and how its members stand."""

    key: str
    title: str
    meaning: str
    purpose: str
    rule: rules.Rule
    version: int
    created_at: dt.datetime
    created_by: str
    changed_at: dt.datetime
    changed_by: str
    refreshed_at: dt.datetime | None
    n_members: int
    is_stale: bool  # its rule was changed since, or its members were never worked out
    error: str
    failed_at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class SizeOn:
    """How many were in at the end of a day, and how many came and went on it."""

    day: dt.date
    n_members: int
    n_entered: int
    n_left: int


@dataclass(frozen=True, slots=True)
class VersionView:
    """The rule as it was from then on."""

    number: int
    rule: rules.Rule
    at: dt.datetime
    by: str


@dataclass(frozen=True, slots=True)
class RefreshView:
    """One refresh, and what it changed."""

    number: int
    version: int
    at: dt.datetime
    n_members: int
    n_entered: int
    n_left: int
    duration_s: float


def segments() -> list[SegmentView]:
    """Every segment, by title."""
    return [view(row) for row in Segment.objects.order_by("title", "key")]


def titles() -> dict[str, str]:
    """What every segment is called, by key, in the order of the titles."""
    return dict(Segment.objects.order_by("title", "key").values_list("key", "title"))


def segment(key: str) -> SegmentView:
    """One segment, or NotFound."""
    return view(row(key))


def row(key: str, *, locked: bool = False) -> Segment:
    """The record of a segment, or NotFound; for this domain alone, `locked` for the rest of a transaction."""
    rows = Segment.objects.select_for_update() if locked else Segment.objects
    found = rows.filter(key=key).first()
    if found is None:
        raise NotFound(f"there is no segment {key!r}", "The page Segments lists them.")
    return found


def view(row: Segment) -> SegmentView:
    return SegmentView(
        row.key,
        row.title,
        row.meaning,
        row.purpose,
        rules.parse(row.rule),
        row.version,
        row.created_at,
        row.created_by,
        row.changed_at,
        row.changed_by,
        row.refreshed_at,
        row.n_members,
        row.refreshed_version != row.version,
        row.error,
        row.failed_at,
    )


def built() -> dict[str, frozenset[str]]:
    """Which segments each segment's rule asks about, by key."""
    found = Segment.objects.values_list("key", "rule")
    return {key: rules.segments_in(rules.parse(rule)) for key, rule in found}


def asking_about(key: str) -> list[SegmentView]:
    """The segments whose rules ask about this one."""
    return [one for one in segments() if key in rules.segments_in(one.rule)]


def history(key: str, *, days: int = 365, until: dt.date | None = None) -> list[SizeOn]:
    """Its size on each day on which it was refreshed, oldest first."""
    found = Size.objects.filter(segment=row(key).id).order_by("-day")
    if until is not None:
        found = found.filter(day__lte=until, day__gt=until - dt.timedelta(days=days))
    return [SizeOn(s.day, s.n_members, s.n_entered, s.n_left) for s in reversed(found[:days])]


def versions(key: str) -> list[VersionView]:
    """Its rules, newest first."""
    found = Version.objects.filter(segment=row(key).id).order_by("-number")
    return [VersionView(v.number, rules.parse(v.rule), v.created_at, v.created_by) for v in found]


def refreshes(key: str, limit: int = 50) -> list[RefreshView]:
    """What its last refreshes changed, newest first."""
    found = Refresh.objects.filter(segment=row(key).id, state=Refresh.State.DONE).order_by("-number")
    return [
        RefreshView(r.number, r.version, r.as_of, r.n_members, r.n_entered, r.n_left, r.duration_s)
        for r in found[:limit]
    ]


def catalogue() -> rules.Catalogue:
    """What a rule may ask for here, the segments there are among it."""
    return replace(columns.catalogue(), segments=titles())
