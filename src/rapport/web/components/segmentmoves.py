"""How segments moved: sizes, who entered and left, since when somebody is in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.consent.services import Warrant
from rapport.kit import clock
from rapport.people.rules.graph import Subjects
from rapport.segments import selectors, uses
from rapport.web.components import formats, segmentwords, sparks
from rapport.web.components.segmentcontrols import Offer
from rapport.web.components.sparks import Spark

CHANGE_DAYS = 7


@dataclass(frozen=True, slots=True)
class Line:
    """One segment in the list."""

    key: str
    title: str
    meaning: str
    n: int | None
    people_url: str
    change: str
    spark: Spark | None
    used_by: str
    refreshed_at: dt.datetime | None
    problem: str


def lines(found: Sequence[selectors.SegmentView], offered: Offer, *, sees_people: bool) -> list[Line]:
    """Every segment with its size and how it moved."""
    return [_line(one, offered, sees_people=sees_people) for one in found]


def _line(one: selectors.SegmentView, offered: Offer, *, sees_people: bool) -> Line:
    history = selectors.history(one.key)
    return Line(
        key=one.key,
        title=one.title,
        meaning=one.meaning or segmentwords.sentence(one.rule, offered.catalogue, offered.currency),
        n=one.n_members if one.refreshed_at else None,
        people_url=people_url(one.key) if sees_people else reverse("segment", args=[one.key]),
        change=change_text(history),
        spark=sparks.spark([(s.day, s.n_members) for s in history]),
        used_by=", ".join(uses.of(one.key)),
        refreshed_at=one.refreshed_at,
        problem=one.error,
    )


def people_url(key: str) -> str:
    """The page People, narrowed to a segment."""
    return f"{reverse('people')}?{urlencode({'segment': key})}"


@dataclass(frozen=True, slots=True)
class Moved:
    """What happened to a segment in the last days: its size before them and now, who came and who went."""

    before: int
    now: int
    entered: int
    left: int

    @property
    def net(self) -> int:
        return self.entered - self.left


def moved(history: Sequence[selectors.SizeOn], days: int = CHANGE_DAYS) -> Moved | None:
    """How it moved in the last days; None where all of its life lies in them."""
    since = clock.now().date() - dt.timedelta(days=days - 1)
    early = [s for s in history if s.day < since]
    late = [s for s in history if s.day >= since]
    if not early:
        return None
    entered, left = sum(s.n_entered for s in late), sum(s.n_left for s in late)
    return Moved(early[-1].n_members, history[-1].n_members, entered, left)


def change_text(history: Sequence[selectors.SizeOn]) -> str:
    """By how much it is larger or smaller than before the last days."""
    found = moved(history)
    if found is None:
        return ""
    net = found.now - found.before
    if not net:
        return _("unchanged")
    sign = "+" if net > 0 else "\u2212"
    text = f"{sign}{formats.number(abs(net))}"
    if not found.before:
        return text
    ratio = abs(net) / found.before
    return f"{text} ({sign}{formats.percent(ratio, 1 if ratio < 0.01 else 0)})"


def members(key: str, leave: Warrant) -> tuple[Subjects, Callable[[int], dt.datetime | None]]:
    """The persons in a segment who may be seen, and a question since when one of them is."""
    found = selectors.members_arrow(key, leave)
    persons = np.asarray(found["person"].to_numpy(zero_copy_only=False), dtype=np.int64)
    since = found["since"]

    def since_of(person: int) -> dt.datetime | None:
        place = int(np.searchsorted(persons, person))
        here = place < persons.size and persons[place] == person
        told: dt.datetime | None = since[place].as_py() if here else None
        return told

    return persons, since_of


@dataclass(frozen=True, slots=True)
class Membership:
    """One segment that somebody is in, and since when."""

    title: str
    since: dt.datetime
    url: str


def memberships(person: int) -> list[Membership]:
    """The segments that a person is in; each opens why."""
    titles = selectors.titles()
    return [
        Membership(
            titles.get(key, key),
            since,
            f"{reverse('segment', args=[key])}?{urlencode({'who': person})}#why-title",
        )
        for key, since in selectors.segments_of(person).items()
    ]
