"""Entering an outside place in the register of recipients, and ending an entry."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import IntegrityError, models, transaction

from rapport.consent.models import Purpose, Recipient
from rapport.consent.rules import recipients as rules
from rapport.kit import clock, http
from rapport.kit.errors import Conflict, Invalid


def register_recipient(
    *,
    name: str,
    kind: str,
    host: str,
    fields: Iterable[str],
    purpose: str,
    by: str,
    country: str = "",
    why: str = "",
) -> int:
    """Let these fields go to this host for this purpose, and have it shown to customers; gives its number."""
    if kind not in rules.KINDS:
        raise Invalid(f"{kind!r} is no kind of recipient", f"Choose among {', '.join(rules.KINDS)}.")
    if not name.strip():
        raise Invalid("the recipient has no name", "Write the name of the firm, as customers know it.")
    if not Purpose.objects.filter(key=purpose, is_active=True).exists():
        raise Invalid(f"there is no purpose {purpose!r}", "Choose one of the purposes under Consent.")
    named = place_name(host)
    listed = rules.checked_fields(fields)
    try:
        with transaction.atomic():
            entry = Recipient.objects.create(
                name=name.strip()[:120],
                kind=kind,
                host=named,
                fields=listed,
                purpose=purpose,
                country=country.strip()[:64],
                why=why.strip(),
                since=clock.now(),
                by=by,
            )
    except IntegrityError:
        raise Conflict(
            f"{named} is registered for {purpose} already", "End that entry first; it stays on record."
        ) from None
    return int(entry.pk)


def end_recipient(recipient_id: int) -> None:
    """Let nothing more go there. The entry stays: customers may ask what left before."""
    ended = Recipient.objects.filter(pk=recipient_id, until__isnull=True).update(until=clock.now())
    if not ended:
        raise Conflict(f"recipient {recipient_id} gets nothing already", "There is nothing to end.")


def note_sent(recipient_id: int) -> None:
    """Count a request, before it leaves: one that got no answer may have arrived."""
    Recipient.objects.filter(pk=recipient_id).update(n_sent=models.F("n_sent") + 1, last_sent_at=clock.now())


def place_name(host: str) -> str:
    """The one spelling of a host that somebody typed, with or without https:// and a path."""
    text = host.strip()
    return http.place_of(text if "://" in text else f"https://{text}/").named
