"""When a message that was turned away for now is tried again. Pure."""

from __future__ import annotations

import datetime as dt

# RFC 5321, 4.5.4.1: wait at least half an hour between tries after the first few, give up after four or five
# days. The first tries come quickly, since greylisting lets a second one pass after minutes.
PAUSES = (
    dt.timedelta(minutes=1),
    dt.timedelta(minutes=5),
    dt.timedelta(minutes=15),
    dt.timedelta(minutes=30),
    dt.timedelta(hours=1),
    dt.timedelta(hours=2),
    dt.timedelta(hours=4),
    dt.timedelta(hours=8),
    *[dt.timedelta(hours=12)] * 8,
)
CHANNEL_PAUSES_S = (1, 2, 5, 15, 60, 300)  # when the way itself is broken


def next_try(tries: int, now: dt.datetime, expires_at: dt.datetime | None) -> dt.datetime | None:
    """When to try again after `tries` tries; None where it is time to give up."""
    if tries > len(PAUSES):
        return None
    again = now + PAUSES[max(tries, 1) - 1]
    return None if expires_at is not None and again >= expires_at else again


def channel_pause_s(failures: int) -> int:
    """Seconds to wait after the way out failed that many times in a row."""
    return CHANNEL_PAUSES_S[min(failures, len(CHANNEL_PAUSES_S)) - 1]
