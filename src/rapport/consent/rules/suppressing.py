"""Why we do not send to an identifier, from the strictest reason to the mildest."""

from __future__ import annotations

from collections.abc import Iterable

ERASED, BOUNCED, COMPLAINED, OBJECTED, UNSUBSCRIBED, STAFF = (
    "erased",
    "bounced",
    "complained",
    "objected",
    "unsubscribed",
    "staff",
)
REASONS = (ERASED, BOUNCED, COMPLAINED, OBJECTED, UNSUBSCRIBED, STAFF)

# A receipt still goes to somebody who complained; to an address that does not exist, or to one who was
# erased, nothing goes.
STOPS_SERVICE = frozenset({ERASED, BOUNCED})


def strictest(reasons: Iterable[str]) -> str | None:
    """The reason that stops most, or None where there is none."""
    found = set(reasons)
    return next((reason for reason in REASONS if reason in found), None)
