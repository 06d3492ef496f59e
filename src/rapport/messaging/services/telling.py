"""Tells the log what became of each delivery. An event's id is the delivery's, so telling it twice is once."""

from __future__ import annotations

import json

import pyarrow as pa

from rapport.events import rules
from rapport.events import services as events
from rapport.kit import bulk, clock
from rapport.messaging.models import Delivery, Reply
from rapport.messaging.services.preparing import ANSWER
from rapport.messaging.services.replying import FIRM
from rapport.messaging.services.steps import STAFF

SOURCE = "messaging"
AT_ONCE = 1_000
NAMES = {
    Delivery.State.SENT: "message_sent",
    Delivery.State.UNKNOWN: "message_sent",  # it may have been: whoever counts what a person gets must count it
    Delivery.State.WITHHELD: "message_withheld",
    Delivery.State.FAILED: "message_bounced",
}
LEFT = (Delivery.State.SENT, Delivery.State.UNKNOWN)
PERMANENT = ("bounced", "refused", "cannot_render")


def tell() -> int:
    """Record the events of fates that the log has not heard of; gives how many were looked at."""
    rows = list(Delivery.objects.filter(is_told=False).order_by("id")[:AT_ONCE])
    told = [row for row in rows if row.identifier and not row.identifier.startswith(f"{STAFF}:")]
    if told:
        answers = Reply.objects.in_bulk([row.id for row in told if row.template == ANSWER])
        touchpoints = [_touchpoint(row, answers.get(row.id)) for row in told]
        table = pa.Table.from_pylist(touchpoints, schema=rules.TOUCHPOINT)
        events.record(table, source=SOURCE, trusted=True)
    bulk.execute_many(
        "UPDATE messaging_delivery SET is_told = %s WHERE id = %s",
        [(True, bulk.uuid_value(row.id)) for row in rows],
    )
    return len(rows)


def tell_all() -> None:
    """Record every fate that the log has not heard of."""
    while tell():
        pass


def _is_own(row: Delivery) -> bool:
    """Whether it was said on a page of our own, to nobody in particular."""
    return row.identifier.startswith(f"{FIRM}:")


def _touchpoint(row: Delivery, answer: Reply | None) -> dict[str, object]:
    properties = {
        "message": row.id.hex,
        "purpose": row.purpose,
        "template": row.template,
        "campaign": row.campaign,
    }
    if row.state == Delivery.State.WITHHELD:
        properties["reason"] = row.reason
    elif row.state == Delivery.State.FAILED:
        properties["reason"] = row.answer or row.reason
        properties["kind"] = "permanent" if row.reason in PERMANENT else "temporary"
    elif row.state == Delivery.State.UNKNOWN:
        properties["reason"] = row.reason
    found: dict[str, object] = {
        "message_id": f"{row.id.hex}:{row.state}",
        "name": NAMES[Delivery.State(row.state)],
        "ts": row.ended_at or clock.now(),
        "identifier": row.identifier,
        "channel": row.channel,
    }
    if answer is not None and row.state in LEFT:
        # Every word of ours that left is in the log, beside whom it was said to.
        found |= {"text": answer.text, "venue": answer.venue}
        of_answer = {
            "conversation": answer.conversation,
            "network": answer.network,
            "post_id": answer.post_id,
            "in_reply_to": answer.in_reply_to,
            "url": answer.url,
        }
        if answer.is_public:
            found["name"] = "our_post_published" if _is_own(row) else "reply_published"
            properties = {key: properties[key] for key in ("message", "reason") if key in properties}
        properties |= of_answer
    found["properties"] = json.dumps({key: value for key, value in properties.items() if value})
    return found
