"""Where a list goes on: the time and id of the last line shown, as one word of an address."""

from __future__ import annotations

import datetime as dt
import uuid

from django.utils.translation import gettext as _

from rapport.kit import clock
from rapport.kit.errors import Invalid


def write(at: dt.datetime, last: uuid.UUID) -> str:
    """The word for the place after a line."""
    return f"{clock.to_us(at)}.{last}"


def read(text: str) -> tuple[dt.datetime, uuid.UUID] | None:
    """Time and id that a word stands for; None for no word, Invalid for one that nobody here wrote."""
    if not text:
        return None
    us, _dot, last = text.partition(".")
    try:
        return clock.from_us(int(us)), uuid.UUID(last)
    except (ValueError, OverflowError):
        raise Invalid(_("the place in the list is damaged"), _("Begin at the top.")) from None
