"""Leave to read for a purpose, asked for once a day by each member of staff and not at every key they press."""

from __future__ import annotations

import datetime as dt
import functools

from rapport.consent import services as consent
from rapport.consent.services import Warrant
from rapport.kit import clock, home

PURPOSE = "profiling"  # what a segment serves unless it says otherwise


def leave(by: str, purpose: str = PURPOSE) -> Warrant:
    """A warrant to count and to show people by rules; what it shows is decided at each use.

    Raises NotFound for a purpose that the firm has not, Denied for one that it has switched off.
    """
    return _of_the_day(by, purpose, clock.now().date(), str(home.root()))


@functools.lru_cache(maxsize=256)
def _of_the_day(by: str, purpose: str, day: dt.date, root: str) -> Warrant:
    del day, root
    return consent.warrant(purpose, by=by, why="segments")
