"""What people may ask of us about their data, and by when they have a right to an answer. Pure."""

from __future__ import annotations

import datetime as dt
import math

ACCESS, PORTABILITY, CORRECTION = "access", "portability", "correction"
ERASURE, OBJECTION, RESTRICTION = "erasure", "objection", "restriction"
KINDS = (ACCESS, PORTABILITY, CORRECTION, ERASURE, OBJECTION, RESTRICTION)  # GDPR art. 15, 20, 16, 17, 21, 18

OPEN, RUNNING, DONE, REFUSED = "open", "running", "done", "refused"

ANSWER_DAYS = 30  # art. 12(3) gives one month; the shortest month that is not February
SOON_DAYS = 7  # from here on it is something that needs somebody today


def due_at(opened_at: dt.datetime) -> dt.datetime:
    """When the answer is due."""
    return opened_at + dt.timedelta(days=ANSWER_DAYS)


def days_left(due: dt.datetime, now: dt.datetime) -> int:
    """Days until the answer is due, begun ones counted; negative where it is overdue."""
    left = (due - now) / dt.timedelta(days=1)
    return math.ceil(left) if left >= 0 else math.floor(left)
