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
from rapport.consent.services.erasing import (
    Certificate,
    Extent,
    certificate,
    erase,
    extent,
    finish_erasures,
    replay,
)
from rapport.consent.services.exporting import COLUMNS as EXPORT_COLUMNS
from rapport.consent.services.exporting import TakenOut, take_out, take_out_rows, traced
from rapport.consent.services.recipients import end_recipient, register_recipient
from rapport.consent.services.requests import BY_PERSON, begin, carry_out, close, open_request, reopen
from rapport.consent.services.retaining import carry_out as carry_out_retention
from rapport.consent.services.retaining import carry_out_if_due as retention_if_due
from rapport.consent.services.retaining import check_keep_for, keep_for
from rapport.consent.services.suppressing import lift, restrict, suppress, unrestrict
from rapport.consent.services.telling import everything
from rapport.consent.services.warrants import Warrant, warrant

__all__ = [
    "BY_PERSON",
    "CHANNELS",
    "EXPORT_COLUMNS",
    "HOWS",
    "Certificate",
    "Extent",
    "TakenOut",
    "Warrant",
    "add_wording",
    "begin",
    "carry_out",
    "carry_out_retention",
    "certificate",
    "change_purpose",
    "check_keep_for",
    "close",
    "define_purpose",
    "deny",
    "end_recipient",
    "erase",
    "everything",
    "extent",
    "finish_erasures",
    "grant",
    "is_suppressed",
    "keep_for",
    "lift",
    "open_request",
    "preferences",
    "register_recipient",
    "reopen",
    "replay",
    "restrict",
    "retention_if_due",
    "set_topic",
    "state_preference",
    "suppress",
    "take_out",
    "take_out_rows",
    "traced",
    "unrestrict",
    "warrant",
    "withdraw",
]
