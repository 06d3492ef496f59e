"""To which identifiers nothing is sent, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.consent import rules
from rapport.consent.models import Suppression
from rapport.events.rules import normal_identifier
from rapport.kit import bulk, secret
from rapport.kit.errors import Invalid

USE = "identifier"  # of the keyed hash under which an identifier that may not be kept is still recognised


@dataclass(frozen=True, slots=True)
class SuppressionView:
    """One suppression of a given identifier."""

    id: int
    channel: str
    reason: str
    at: dt.datetime
    by: str
    note: str
    lifted_at: dt.datetime | None
    lifted_by: str


def identifier_hash(identifier: str) -> str:
    """The keyed hash of an identifier in its one spelling."""
    namespace, colon, value = identifier.strip().partition(":")
    if not colon:
        raise Invalid(
            f"{identifier!r} is no identifier", "Write namespace:value, for example email:ana@example.org."
        )
    return secret.keyed_hash(USE, normal_identifier(namespace, value))


def is_suppressed(identifier: str, channel: str, purpose: str = "") -> str | None:
    """The strictest reason for which nothing is sent to an identifier on a channel, or None.

    For the purpose `service` only those count that stop every message.
    """
    return suppressed([identifier], channel, purpose).get(identifier)


def suppressed(identifiers: Sequence[str], channel: str, purpose: str = "") -> dict[str, str]:
    """Those of the identifiers to which nothing is sent on a channel, each with the strictest reason."""
    by_hash = {identifier_hash(identifier): identifier for identifier in identifiers}
    hashes = sorted(by_hash)
    reasons: dict[str, list[str]] = {}
    for part in bulk.parts(hashes):
        found = Suppression.objects.filter(hash__in=part, channel__in=("", channel), lifted_at__isnull=True)
        for row in found:
            if purpose != "service" or row.reason in rules.STOPS_SERVICE:
                reasons.setdefault(by_hash[row.hash], []).append(row.reason)
    return {identifier: rules.strictest(of) or of[0] for identifier, of in reasons.items()}


def suppressions(identifier: str) -> list[SuppressionView]:
    """Every suppression an identifier ever had, newest first."""
    found = Suppression.objects.filter(hash=identifier_hash(identifier)).order_by("-at", "-id")
    return [
        SuppressionView(s.pk, s.channel, s.reason, s.at, s.by, s.note, s.lifted_at, s.lifted_by)
        for s in found
    ]
