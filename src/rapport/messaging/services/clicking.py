"""Counts links that were followed, and tells people from the machines that follow all of them."""

from __future__ import annotations

import json
import uuid
from collections import defaultdict

import pyarrow as pa

from rapport.events import rules as log
from rapport.events import services as events
from rapport.kit import clock, signing
from rapport.kit.errors import Invalid, NotFound
from rapport.messaging.models import Click, Delivery
from rapport.messaging.rules import machines
from rapport.messaging.services.preparing import CLICK
from rapport.messaging.services.telling import SOURCE

AT_ONCE = 1_000


def target(token: str) -> tuple[uuid.UUID, int, str]:
    """Delivery, position and address of a counted link: one that the message itself held, and no other.

    Raises Invalid for a token that is not ours, NotFound where the message is gone.
    """
    delivery_hex, position = signing.read(CLICK, token)
    try:
        delivery = uuid.UUID(delivery_hex)
    except ValueError:
        raise Invalid("this link is damaged", "Open it again from the message.") from None
    links = Delivery.objects.filter(id=delivery).values_list("links", flat=True).first()
    if not links or int(position) >= len(links):
        raise NotFound("this link leads nowhere any more", "The message it was in has been erased.")
    return delivery, int(position), str(links[int(position)])


def note(delivery: uuid.UUID, position: int, *, user_agent: str, is_head: bool) -> None:
    """Note that a link was fetched; by whom, a human being or a machine, is decided a moment later."""
    Click.objects.create(
        delivery=delivery,
        position=position,
        clicked_at=clock.now(),
        is_head=is_head,
        is_scanner=machines.is_scanner(user_agent),
    )


def tell() -> int:
    """Record the clicks whose neighbours are known by now; gives how many."""
    settled = clock.from_us(clock.now_us() - machines.WATCH_US)
    clicks = list(Click.objects.filter(is_told=False, clicked_at__lte=settled).order_by("id")[:AT_ONCE])
    if not clicks:
        return 0
    fetches: dict[uuid.UUID, list[machines.Fetch]] = defaultdict(list)
    for click in Click.objects.filter(delivery__in={c.delivery for c in clicks}):
        fetches[click.delivery].append(_fetch(click))
    rows = Delivery.objects.in_bulk(list(fetches))
    told = [c for c in clicks if c.delivery in rows and rows[c.delivery].identifier]
    if told:
        touchpoints = [
            _touchpoint(c, rows[c.delivery], is_machine=machines.by_machine(_fetch(c), fetches[c.delivery]))
            for c in told
        ]
        events.record(pa.Table.from_pylist(touchpoints, schema=log.TOUCHPOINT), source=SOURCE, trusted=True)
    Click.objects.filter(id__in=[click.id for click in clicks]).update(is_told=True)
    return len(clicks)


def tell_all() -> None:
    """Record every click whose neighbours are known by now."""
    while tell():
        pass


def _fetch(click: Click) -> machines.Fetch:
    return machines.Fetch(clock.to_us(click.clicked_at), click.position, click.is_head, click.is_scanner)


def _touchpoint(click: Click, row: Delivery, *, is_machine: bool) -> dict[str, object]:
    properties = {
        "message": row.id.hex,
        "purpose": row.purpose,
        "campaign": row.campaign,
        "url": row.links[click.position] if click.position < len(row.links) else "",
        "machine": is_machine,
    }
    return {
        "message_id": f"click:{click.id}",
        "name": "message_clicked",
        "ts": click.clicked_at,
        "identifier": row.identifier,
        "channel": row.channel,
        "properties": json.dumps({k: v for k, v in properties.items() if v not in ("", None)}),
    }
