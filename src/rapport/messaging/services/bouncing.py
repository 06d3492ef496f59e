"""Reports that come into a mailbox we read: a mail of ours was taken by a server, and found nobody after all.

Only a report of a mail that we sent counts. Its number is known to us and to whoever got the mail, so nobody
else can have an address stopped by writing such a report.
"""

from __future__ import annotations

import uuid

from django.db import transaction

from rapport.consent import services as consent
from rapport.events import lake, subscriptions
from rapport.kit import query
from rapport.messaging.contract import NO_SUCH_ADDRESS
from rapport.messaging.models import Delivery, Reply
from rapport.messaging.services.preparing import MAIL

KEY = "messaging.bounces"
ADDRESS = "email:"
BOUNCED = "bounced"
LEFT = (Delivery.State.SENT, Delivery.State.UNKNOWN)


def register() -> None:
    """Be told of every letter."""
    subscriptions.subscribe(KEY, names=("message_received",), handler=on_letters)


def on_letters(batch: subscriptions.Batch) -> None:
    """Stop the addresses that reports say are nobody's; given again, it changes nothing."""
    if not batch.events.num_rows:
        return
    with lake.scratch() as con:
        con.register("event", batch.events)
        found = query.run(con, query.load("rapport.messaging", "bounces")).fetchall()
    for message_id, status in found:
        note_bounce(message_id, status)


def note_bounce(message_id: str, status: str) -> bool:
    """Stop the address that a mail of ours did not reach, as a refused one is; False where it is none of ours.

    What was only delayed, or refused for another reason than its address, stops nothing.
    """
    row = _ours(message_id)
    if row is None or status not in NO_SUCH_ADDRESS or not row.identifier.startswith(ADDRESS):
        return False
    if row.state == Delivery.State.FAILED and row.reason == BOUNCED:
        # It stopped the address then; staff who lifted that since are not contradicted by the same mail.
        return True
    said = f"{status}: reported by mail after it was taken"
    with transaction.atomic():
        consent.suppress(row.identifier, MAIL, BOUNCED, by="messaging", note=said)
        Delivery.objects.filter(pk=row.pk, state__in=LEFT).update(
            state=Delivery.State.FAILED, reason=BOUNCED, answer=said, is_told=False
        )
    return True


def _ours(message_id: str) -> Delivery | None:
    """The delivery that left under a Message-ID: by its own number, or as a mailbox of listening named it."""
    try:
        number = uuid.UUID(hex=message_id.partition("@")[0])
    except ValueError:
        number = None
    found = Delivery.objects.filter(pk=number).first() if number else None
    if found is None:
        named = Reply.objects.filter(post_id=message_id).values_list("delivery", flat=True).first()
        found = Delivery.objects.filter(pk=named).first() if named else None
    return found
