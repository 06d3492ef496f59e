"""Double opt-in: whoever types an address into a form has not shown that it is theirs; its reader does."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from django.utils.translation import get_language, override
from django.utils.translation import gettext as _

from rapport.consent import links
from rapport.consent import selectors as consent
from rapport.consent import services as consents
from rapport.events.rules import normal_identifier
from rapport.kit import clock, ids, signing
from rapport.kit.errors import Invalid, NotFound
from rapport.messaging.models import Confirmation
from rapport.messaging.services.asking import may_ask
from rapport.messaging.services.sending import Outcome, Outgoing, Withheld, send

KIND = "confirm"  # of the tokens
TTL = dt.timedelta(days=7)
MOST_A_DAY = 3  # mails that one address can be made to get by whoever types it


@dataclass(frozen=True, slots=True)
class Asked:
    """A consent that waits for its reader, or no longer does."""

    id: uuid.UUID
    identifier: str
    purpose: str
    channel: str
    shown: str
    wording: str
    asked_at: dt.datetime
    confirmed_at: dt.datetime | None


def confirm_link(
    identifier: str,
    purpose: str,
    channel: str = "email",
    shown: str = "",
    wording: str = "",
    *,
    language: str | None = None,
) -> Outcome:
    """Send a link by which the reader of an address confirms a consent; nothing is granted by this.

    Withheld with `asked_too_often` where the address was made to get too many of them today.
    """
    known = consent.purpose(purpose)
    if not known.is_active or not known.can_be_refused:
        raise Invalid(f"nobody is asked to agree to {purpose}", "Choose a purpose that rests on consent.")
    namespace, _colon, value = identifier.partition(":")
    identifier = normal_identifier(namespace, value)
    asked = ids.uuid7()
    if not may_ask("confirm", identifier, most=MOST_A_DAY, within=dt.timedelta(days=1)):
        return Withheld(asked, "asked_too_often")
    Confirmation.objects.create(
        id=asked,
        identifier=identifier,
        purpose=purpose,
        channel=channel,
        shown=shown,
        wording=wording,
        asked_at=clock.now(),
    )
    text = consent.wording(purpose, wording) if wording else None
    spoken = language or get_language() or "en"
    with override(spoken):  # what comes with Rapport has translations; what the firm wrote stays as it is
        name, meaning = _(known.name), _(known.meaning) if known.meaning else ""
    return send(
        Outgoing(
            to=identifier,
            purpose="service",
            channel="email",
            template="double_opt_in",
            key=f"confirm:{asked.hex}",
            language=spoken,
            context={
                "purpose_name": name,
                "wording_text": text.text if text else meaning,
                "confirm_url": f"{links.public_url()}/confirm/{signing.sign(KIND, asked.hex, ttl=TTL)}",
                "days": TTL.days,
            },
        )
    )


def asked(token: str) -> Asked:
    """What a link asks to confirm; Denied once it is too old, Invalid or NotFound where it is none of ours."""
    (asked_hex,) = signing.read(KIND, token)
    row = Confirmation.objects.filter(id=uuid.UUID(asked_hex)).first()
    if row is None:
        raise NotFound("this link is no longer known", "Fill in the form again; you get a new one.")
    return Asked(
        row.id,
        row.identifier,
        row.purpose,
        row.channel,
        row.shown,
        row.wording,
        row.asked_at,
        row.confirmed_at,
    )


def confirm(token: str) -> Asked:
    """Grant what the link asks for. The second time changes nothing: a consent taken back since stays so."""
    found = asked(token)
    now = clock.now()
    first = Confirmation.objects.filter(id=found.id, confirmed_at__isnull=True).update(confirmed_at=now)
    if first:
        try:
            consents.grant(
                found.identifier,
                found.purpose,
                found.channel,
                how="confirmed",
                shown=found.shown,
                wording=found.wording,
            )
        except Exception:
            Confirmation.objects.filter(id=found.id).update(confirmed_at=None)
            raise
        consents.lift(found.identifier, found.channel, "unsubscribed", by="confirmed")
    return asked(token)


__all__ = ["TTL", "Asked", "asked", "confirm", "confirm_link"]
