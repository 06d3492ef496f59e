"""How segments moved: sizes, who entered and left, since when somebody is in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

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


def moved(history: Sequence[selectors.SizeOn], days: int = CHANGE_DAYS) -> tuple[int, int, int]:
    """Its size before the last days, and how many entered and left in them."""
    since = clock.now().date() - dt.timedelta(days=days - 1)
    late = [s for s in history if s.day >= since]
    entered, left = sum(s.n_entered for s in late), sum(s.n_left for s in late)
    now = history[-1].n_members if history else 0
    return now - entered + left, entered, left


def change_text(history: Sequence[selectors.SizeOn]) -> str:
    """What happened in the last days, with its sign; nothing where all of its life lies in them."""
    since = clock.now().date() - dt.timedelta(days=CHANGE_DAYS - 1)
    if not history or history[0].day >= since:
        return ""
    before, entered, left = moved(history)
    net = entered - left
    if not net:
        return _("unchanged")
    sign = "+" if net > 0 else "\u2212"
    text = f"{sign}{formats.number(abs(net))}"
    return f"{text} ({sign}{formats.percent(abs(net) / before)})" if before else text


def members(key: str) -> tuple[Subjects, Callable[[int], dt.datetime | None]]:
    """The persons in a segment, and a question since when one of them is."""
    found = selectors.members_arrow(key)
    persons = np.asarray(found["person"].to_numpy(zero_copy_only=False), dtype=np.int64)
    since = found["since"]

    def since_of(person: int) -> dt.datetime | None:
        place = int(np.searchsorted(persons, person))
        here = place < persons.size and persons[place] == person
        told: dt.datetime | None = since[place].as_py() if here else None
        return told

    return persons, since_of
