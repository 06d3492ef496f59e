"""Verbs of segments: create, change, remove, and refresh who is in them."""

from __future__ import annotations

from rapport.segments.services.defining import change, create, remove
from rapport.segments.services.leaves import PURPOSE, leave
from rapport.segments.services.refreshing import Refreshed, refresh

__all__ = ["PURPOSE", "Refreshed", "change", "create", "leave", "refresh", "remove"]
