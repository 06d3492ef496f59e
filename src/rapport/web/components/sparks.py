"""A line without axes, as wide as a word: how a figure moved, with its ends said beside it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.translation import gettext as _

from rapport.web.components import formats

WIDTH, HEIGHT, EDGE = 100.0, 24.0, 2.0


@dataclass(frozen=True, slots=True)
class Spark:
    """The path of the line in a box of 100 by 24, and the same in words."""

    path: str
    alt: str
    ends: str


def spark(points: Sequence[tuple[dt.date, int]]) -> Spark | None:
    """The line of a figure over days; from two points on. Its base is zero, so that a little looks little."""
    if len(points) < 2:
        return None
    points = sorted(points)
    (first_day, first), (last_day, last) = points[0], points[-1]
    days = max(1, (last_day - first_day).days)
    most = max(1, *(n for _day, n in points))
    places = [
        (
            EDGE + (WIDTH - 2 * EDGE) * (day - first_day).days / days,
            HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * n / most,
        )
        for day, n in points
    ]
    said = {
        "first": formats.number(first),
        "day": formats.day_text(first_day),
        "last": formats.number(last),
        "least": formats.number(min(n for _day, n in points)),
        "most": formats.number(max(n for _day, n in points)),
    }
    return Spark(
        path="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in places),
        alt=_("%(first)s on %(day)s, %(last)s now; between %(least)s and %(most)s") % said,
        ends=_("%(first)s on %(day)s, %(last)s now") % said,
    )
