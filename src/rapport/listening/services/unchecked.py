"""What is kept of a source that cannot be asked about it any more: after a while its words go.

While a source is on, all that is kept of it is asked for again and again, so that what its authors delete is
noticed. One that was switched off is still asked, as long as its log-in works. Once it does not, nobody would
ever hear of a deletion: then the words go, unless somebody mends the log-in in time.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from rapport.kit import clock, home
from rapport.kit.errors import NotFound
from rapport.listening.contract import Rechecks
from rapport.listening.models import Source
from rapport.listening.services import sources

GRACE = dt.timedelta(days=7)  # at least, because a log-in may end on the first day of somebody's holidays


def since(source: Source) -> dt.datetime | None:
    """Since when nobody could ask what of it was deleted; None while that works, or never did."""
    try:
        if not isinstance(sources.connector(source.connector), Rechecks):
            return None
    except NotFound:
        return None
    if source.state == Source.State.NEEDS_LOGIN:
        return source.trouble_since or source.changed_at
    return _noted(source.name) if source.state == Source.State.OFF else None


def forgets_at(source: Source) -> dt.datetime | None:
    """When the words of a source go because nobody can ask whether they still stand; None: they do not."""
    began = since(source)
    terms = sources.terms_of_row(source)
    if began is None or terms is None:
        return None
    return began + max(GRACE, dt.timedelta(hours=terms.deletes_within_h))


def keep_since(source: Source, now: dt.datetime) -> dt.datetime | None:
    """What is older is not kept, by the terms or because it cannot be checked any more; None: all is."""
    gone_at = forgets_at(source)
    if gone_at is not None and gone_at <= now:
        return now
    days = sources.keep_days(source)
    return None if days is None else now - dt.timedelta(days=days)


def note(name: str, *, works: bool) -> None:
    """Note whether a source could be asked just now; the first time that it could not counts."""
    marker = _marker(name)
    if works:
        marker.unlink(missing_ok=True)
    elif _noted(name) is None:
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.write_text(clock.now().isoformat(), encoding="ascii")


def _noted(name: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromisoformat(_marker(name).read_text(encoding="ascii"))
    except (FileNotFoundError, ValueError):
        return None


def _marker(name: str) -> Path:
    return home.path("listening", f"unchecked-{name}")
