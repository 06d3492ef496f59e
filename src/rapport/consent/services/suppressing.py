"""Stop sending to an identifier, or take that back. It stops messages and says nothing of consent."""

from __future__ import annotations

from django.db import transaction

from rapport.consent import rules
from rapport.consent.models import Restriction, Suppression
from rapport.consent.selectors.withholding import identifier_hash
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.people import selectors as people


def suppress(
    identifier: str, channel: str = "", reason: str = rules.REASONS[-1], *, by: str = "", note: str = ""
) -> None:
    """Send nothing more to an identifier on a channel (empty: on any). Saying it twice changes nothing."""
    if reason not in rules.REASONS:
        raise Invalid(f"{reason!r} is no reason for suppression", f"There are {', '.join(rules.REASONS)}.")
    with transaction.atomic():
        Suppression.objects.get_or_create(
            hash=identifier_hash(identifier),
            channel=channel,
            reason=reason,
            lifted_at=None,
            defaults={"at": clock.now(), "by": by, "note": note},
        )


def lift(identifier: str, channel: str | None = None, reason: str | None = None, *, by: str = "") -> int:
    """Take suppressions back; of every channel and reason unless told otherwise. Gives how many there were."""
    found = Suppression.objects.filter(hash=identifier_hash(identifier), lifted_at__isnull=True)
    if channel is not None:
        found = found.filter(channel=channel)
    if reason is not None:
        found = found.filter(reason=reason)
    return found.update(lifted_at=clock.now(), lifted_by=by)


def restrict(ref: int | str, *, by: str, reason: str = "") -> None:
    """Keep what is known of somebody and use it for nothing that needs their consent or our interest."""
    subject = people.subject_of(ref)
    if not Restriction.objects.filter(subject=subject, lifted_at__isnull=True).exists():
        Restriction.objects.create(subject=subject, at=clock.now(), by=by, reason=reason)


def unrestrict(ref: int | str, *, by: str) -> int:
    """End every restriction of somebody; gives how many there were."""
    mine = people.core_subjects(people.subject_of(ref))
    found = Restriction.objects.filter(subject__in=mine, lifted_at__isnull=True)
    return found.update(lifted_at=clock.now(), lifted_by=by)
