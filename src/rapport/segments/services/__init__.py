"""Verbs of segments: create, change, remove, and refresh who is in them."""

from __future__ import annotations

from rapport.segments.services.defining import change, create, remove
from rapport.segments.services.leaves import PURPOSE, leave
from rapport.segments.services.refreshing import (
    Refreshed,
    bring_up_to_date,
    is_due,
    refresh,
    rests_on_models,
)

__all__ = [
    "PURPOSE",
    "Refreshed",
    "bring_up_to_date",
    "change",
    "create",
    "is_due",
    "leave",
    "refresh",
    "remove",
    "rests_on_models",
]
