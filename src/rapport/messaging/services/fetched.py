"""Addresses at which a network fetches a picture of a post of ours: unguessable, and good only while it is posted."""

from __future__ import annotations

import datetime as dt
import uuid

from rapport.consent import links
from rapport.kit import signing
from rapport.kit.errors import NotFound
from rapport.listening.contract import Media
from rapport.listening.services import album, fitting
from rapport.messaging.models import Delivery, Reply

KIND = "picture"  # of the tokens
GOOD_FOR = dt.timedelta(hours=1)


def url_of(delivery: uuid.UUID, digest: str) -> str:
    """Where a picture can be fetched while its post is being posted."""
    return f"{links.public_url()}/picture/{signing.sign(KIND, delivery.hex, digest, ttl=GOOD_FOR)}"


def picture(token: str) -> Media:
    """The picture of an address as its network takes it; NotFound where its post is not on its way now.

    Raises Invalid for an address that is none of ours, Denied for one whose time is over.
    """
    delivery, digest = signing.read(KIND, token)
    row = Delivery.objects.filter(id=uuid.UUID(delivery), state=Delivery.State.SENDING).first()
    answer = Reply.objects.filter(delivery=row.id).first() if row else None
    held = [one for one in map(album.Kept.of, answer.pictures if answer else ()) if one.digest == digest]
    if row is None or not held:
        raise NotFound(
            "this picture is not shown here any more", "It could be fetched while it was being posted."
        )
    return fitting.as_taken(row.source, held[0].media())
