"""Who entered a segment and who left it, as the log says."""

from __future__ import annotations

import datetime as dt

import numpy as np

from rapport.consent.services import Warrant
from rapport.events import lake
from rapport.kit import query
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.people.rules.graph import Subjects
from rapport.segments.selectors import membership

ENTERED, LEFT = "entered", "left"
EVENTS = {ENTERED: "segment_entered", LEFT: "segment_left"}


def moved(key: str, way: str, first: dt.date, last: dt.date, leave: Warrant) -> Subjects:
    """The persons who entered, or left, from the first to the last of these days in UTC, ascending.

    Only those who may be seen now. Raises Invalid for another way than these two.
    """
    if way not in EVENTS:
        raise Invalid(f"there is no way {way!r}", f"Choose one of {', '.join(EVENTS)}.")
    asked = {"name": EVENTS[way], "segment": key, "first_day": first, "last_day": last}
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "identity", people.identity_arrow())
            rows = query.run(con, query.load("rapport.segments", "moved_people"), asked).to_arrow_table()
    finally:
        con.close()
    rows = membership.seen(rows, leave)
    return np.asarray(rows["person"].to_numpy(zero_copy_only=False), dtype=np.int64)
