"""Who outside the firm gets what of whom, for what: the register that customers read."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.consent import models
from rapport.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class RecipientView:
    """One outside place that personal data goes to, or went to."""

    id: int
    name: str
    kind: str
    host: str
    fields: tuple[str, ...]
    purpose: str
    country: str
    why: str
    since: dt.datetime
    until: dt.datetime | None
    by: str
    last_sent_at: dt.datetime | None
    n_sent: int


def recipients(*, ended: bool = False) -> list[RecipientView]:
    """Those who get something now, by name; with `ended`, those who no longer do, last ended first."""
    order = ("-until", "name") if ended else ("name", "purpose")
    found = models.Recipient.objects.filter(until__isnull=not ended).order_by(*order)
    return [_view(row) for row in found]


def recipient(recipient_id: int) -> RecipientView:
    """One entry of the register."""
    row = models.Recipient.objects.filter(pk=recipient_id).first()
    if row is None:
        raise NotFound(f"there is no recipient {recipient_id}", "The list of recipients has them all.")
    return _view(row)


def recipients_at(host: str) -> list[RecipientView]:
    """What a host (with its port where that is unusual) is registered for now, one entry a purpose."""
    found = models.Recipient.objects.filter(host=host, until__isnull=True).order_by("purpose")
    return [_view(row) for row in found]


def _view(row: models.Recipient) -> RecipientView:
    return RecipientView(
        id=row.pk,
        name=row.name,
        kind=row.kind,
        host=row.host,
        fields=tuple(row.fields),
        purpose=row.purpose,
        country=row.country,
        why=row.why,
        since=row.since,
        until=row.until,
        by=row.by,
        last_sent_at=row.last_sent_at,
        n_sent=row.n_sent,
    )
