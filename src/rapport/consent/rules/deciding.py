"""May data of somebody be used for a purpose, on a channel, at a time? The latest word decides.

The legal grounds are those of GDPR article 6(1) that a firm's marketing can stand on, withdrawal is
article 7(3), objection article 21, restriction article 18.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

CONSENT = "consent"
CONTRACT = "contract"
LEGITIMATE_INTEREST = "legitimate_interest"
LEGAL_OBLIGATION = "legal_obligation"
BASES = (CONSENT, CONTRACT, LEGITIMATE_INTEREST, LEGAL_OBLIGATION)

GRANTED, DENIED, WITHDRAWN = "granted", "denied", "withdrawn"
EXPIRED = "expired"  # a grant whose time is over; nobody states it
STATES = (GRANTED, DENIED, WITHDRAWN)

# Of words spoken at the same instant the highest counts, so that no order of arrival can loosen anything.
RANK = {GRANTED: 0, EXPIRED: 1, DENIED: 2, WITHDRAWN: 3}


@dataclass(frozen=True, slots=True)
class Purpose:
    """What an answer needs to know of a purpose."""

    key: str
    legal_basis: str
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class Stated:
    """One row of the ledger, of one purpose."""

    channel: str
    state: str
    at: dt.datetime
    expires_at: dt.datetime | None = None
    record: str = ""  # the id of the row, for whoever wants to show it


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether it is allowed, and why: `reason` is a stable code, `state` the latest word since `since`."""

    allowed: bool
    reason: str
    state: str = ""
    since: dt.datetime | None = None
    basis: str = ""

    def __bool__(self) -> bool:
        return self.allowed


def state_at(row: Stated, at: dt.datetime) -> str:
    """What a row says at a time: a grant whose time is over is expired."""
    is_over = row.state == GRANTED and row.expires_at is not None and row.expires_at <= at
    return EXPIRED if is_over else row.state


def decisive(rows: Iterable[Stated], channel: str, at: dt.datetime) -> Stated | None:
    """The row that holds at `at` on a channel, if anything was said of it."""
    heard = [row for row in rows if row.at <= at and row.channel in ("", channel)]
    return max(heard, key=lambda row: (row.at, RANK[state_at(row, at)]), default=None)


def standing(rows: Iterable[Stated], channel: str, at: dt.datetime) -> tuple[str, dt.datetime | None]:
    """The state that holds at `at` on a channel and since when; empty where nothing was said."""
    row = decisive(rows, channel, at)
    return (state_at(row, at), row.at) if row else ("", None)


def answer(
    purpose: Purpose | None,
    rows: Iterable[Stated],
    channel: str,
    at: dt.datetime,
    *,
    is_known: bool = True,
    is_restricted: bool = False,
) -> Answer:
    """What the ledger rows of one core say of a purpose; `purpose` is None where the firm defined none."""
    state, since = standing(rows, channel, at)
    basis = purpose.legal_basis if purpose else ""

    def verdict(allowed: bool, reason: str) -> Answer:
        return Answer(allowed, reason, state, since, basis)

    if purpose is None or not purpose.is_active:
        return verdict(False, "inactive_purpose")
    if basis in (CONTRACT, LEGAL_OBLIGATION):
        return verdict(True, f"basis_{basis}")
    if is_restricted:
        return verdict(False, "restricted")
    if basis == CONSENT:
        if state == GRANTED:
            return verdict(True, GRANTED)
        return verdict(False, state or ("no_consent" if is_known else "unknown_person"))
    if not is_known:
        return verdict(False, "unknown_person")
    if state in (DENIED, WITHDRAWN):
        return verdict(False, "objected")
    return verdict(True, f"basis_{basis}")
