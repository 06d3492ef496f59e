"""What a rule card says, and whether a draft keeps to it. Pure: no Django, no network, no database."""

from __future__ import annotations

from rapport.venues.rules.cards import Finding, Hours, RuleCard, Tick, VenueDraft, venue_of
from rapport.venues.rules.checking import check, is_promoting, ticks
from rapport.venues.rules.disclosing import disclosed

__all__ = [
    "Finding",
    "Hours",
    "RuleCard",
    "Tick",
    "VenueDraft",
    "check",
    "disclosed",
    "is_promoting",
    "ticks",
    "venue_of",
]
