"""Verbs of consent."""

from __future__ import annotations

from rapport.consent.selectors import is_suppressed, preferences
from rapport.consent.services.answering import HOWS, deny, grant, state_preference, withdraw
from rapport.consent.services.defining import (
    CHANNELS,
    add_wording,
    change_purpose,
    define_purpose,
    set_topic,
)
from rapport.consent.services.recipients import end_recipient, register_recipient
from rapport.consent.services.suppressing import lift, restrict, suppress, unrestrict
from rapport.consent.services.warrants import Warrant, warrant

__all__ = [
    "CHANNELS",
    "HOWS",
    "Warrant",
    "add_wording",
    "change_purpose",
    "define_purpose",
    "deny",
    "end_recipient",
    "grant",
    "is_suppressed",
    "lift",
    "preferences",
    "register_recipient",
    "restrict",
    "set_topic",
    "state_preference",
    "suppress",
    "unrestrict",
    "warrant",
    "withdraw",
]
