"""Days and moments as the reader means them: from midnight to midnight in their zone."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone
from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.kit.errors import Invalid

FIRST_YEAR, LAST_YEAR = 1970, 2999  # beyond, a day's ends or what is counted from them is no moment


def today() -> dt.date:
    """The date where the reader is."""
    return timezone.localtime(clock.now()).date()


def begins(day: dt.date) -> dt.datetime:
    """The moment a day begins where the reader is."""
    return dt.datetime.combine(day, dt.time.min, timezone.get_current_timezone()).astimezone(dt.UTC)


def ends(day: dt.date) -> dt.datetime:
    """The moment after a day's last."""
    return begins(day + dt.timedelta(days=1))


def read(text: str) -> dt.date | None:
    """A date from an address or a form: 2026-03-01."""
    if not text:
        return None
    try:
        day = dt.date.fromisoformat(text)
        if not FIRST_YEAR <= day.year <= LAST_YEAR:
            raise ValueError
        return day
    except ValueError:
        raise Invalid(_("“%(value)s” is no date") % {"value": text}, _("Write it like 2026-03-01.")) from None


def read_moment(text: str, zone: dt.tzinfo | None = None) -> dt.datetime | None:
    """A moment of a form, in the reader's zone unless another is given; None where no moment is given."""
    if not text.strip():
        return None
    try:
        found = dt.datetime.fromisoformat(text.strip())
        if not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise ValueError
    except ValueError:
        raise Invalid(_("%(time)s is no time") % {"time": text}, _("Write it as 2027-01-31T18:00.")) from None
    if found.tzinfo is None:
        found = found.replace(tzinfo=zone or timezone.get_current_timezone())
    return found.astimezone(dt.UTC)


def written_moment(at: dt.datetime | None, zone: dt.tzinfo | None = None) -> str:
    """A moment as a form takes it, in the same zone as it is read in."""
    return timezone.localtime(at, zone).strftime("%Y-%m-%dT%H:%M") if at else ""
