"""The tables of consent: what may be done for which purpose, and everything that a person asked of us."""

from __future__ import annotations

from rapport.consent.models.ledger import (
    Preference,
    Purpose,
    Record,
    Restriction,
    Suppression,
    Topic,
    Warranted,
    Watermark,
    Wording,
)
from rapport.consent.models.recipients import Recipient
from rapport.consent.models.requests import Erasure, Export, Retention, SubjectRequest

__all__ = [
    "Erasure",
    "Export",
    "Preference",
    "Purpose",
    "Recipient",
    "Record",
    "Restriction",
    "Retention",
    "SubjectRequest",
    "Suppression",
    "Topic",
    "Warranted",
    "Watermark",
    "Wording",
]
