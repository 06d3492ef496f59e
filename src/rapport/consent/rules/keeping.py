"""How long events are kept: whole days, counted from midnight in UTC, so that no counter is cut in two. Pure."""

from __future__ import annotations

import datetime as dt

DAYS_MIN = 1
DAYS_MAX = 36_500

# What proves that we may, or that we did as asked; it goes when its person is erased, and not before.
PROOFS = ("consent_", "preference_stated", "subject_requested", "person_erased", "identity_")


def may_end(name: str) -> bool:
    """Whether events of this name may be kept for a time alone."""
    return not name.startswith(PROOFS)


def limit(days: int, now: dt.datetime) -> dt.datetime:
    """What is older goes: the midnight `days` days before today's."""
    midnight = now.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - dt.timedelta(days=days)
