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
from rapport.consent.services.erasing import Certificate, Extent, erase, extent, replay
from rapport.consent.services.recipients import end_recipient, register_recipient
from rapport.consent.services.requests import begin, carry_out, close, open_request, reopen
from rapport.consent.services.suppressing import lift, restrict, suppress, unrestrict
from rapport.consent.services.telling import everything
from rapport.consent.services.warrants import Warrant, warrant

__all__ = [
    "CHANNELS",
    "HOWS",
    "Certificate",
    "Extent",
    "Warrant",
    "add_wording",
    "begin",
    "carry_out",
    "change_purpose",
    "close",
    "define_purpose",
    "deny",
    "end_recipient",
    "erase",
    "everything",
    "extent",
    "grant",
    "is_suppressed",
    "lift",
    "open_request",
    "preferences",
    "register_recipient",
    "reopen",
    "replay",
    "restrict",
    "set_topic",
    "state_preference",
    "suppress",
    "unrestrict",
    "warrant",
    "withdraw",
]
