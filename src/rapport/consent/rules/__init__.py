"""What follows from the ledger, before any store. Pure."""

from __future__ import annotations

from rapport.consent.rules.deciding import (
    BASES,
    CONSENT,
    CONTRACT,
    DENIED,
    EXPIRED,
    GRANTED,
    LEGAL_OBLIGATION,
    LEGITIMATE_INTEREST,
    RANK,
    STATES,
    WITHDRAWN,
    Answer,
    Purpose,
    Stated,
    answer,
    decisive,
    standing,
    state_at,
)
from rapport.consent.rules.starting import PURPOSES, TOPICS
from rapport.consent.rules.suppressing import REASONS, STOPS_SERVICE, strictest

__all__ = [
    "BASES",
    "CONSENT",
    "CONTRACT",
    "DENIED",
    "EXPIRED",
    "GRANTED",
    "LEGAL_OBLIGATION",
    "LEGITIMATE_INTEREST",
    "PURPOSES",
    "RANK",
    "REASONS",
    "STATES",
    "STOPS_SERVICE",
    "TOPICS",
    "WITHDRAWN",
    "Answer",
    "Purpose",
    "Stated",
    "answer",
    "decisive",
    "standing",
    "state_at",
    "strictest",
]
