"""Tells the log that a conversation began, was settled, or that a recovery ended. Telling twice is once.

What is to be told is written down within the transaction that makes it so, and told after it: whoever is killed
in between owes it, and `tell_owed` makes up for it.
"""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from rapport.conversations.models import Conversation, Owed
from rapport.events import rules
from rapport.events import services as events
from rapport.kit import bulk, clock

SOURCE = "conversations"
AGAIN_AFTER = dt.timedelta(seconds=60)  # what is owed for longer was left behind by somebody who was killed
AT_ONCE = 500

_held_back: ContextVar[list[Told] | None] = ContextVar("told once all of it holds", default=None)


@dataclass(frozen=True, slots=True)
class Told:
    """One event for the log."""

    id: str
    name: str
    ts: dt.datetime
    identifier: str
    channel: str
    venue: str
    properties: dict[str, Any] = field(default_factory=dict)


def opened(one: Conversation) -> Told:
    """That somebody of ours should look at it."""
    return Told(
        f"{one.id.hex}:opened",
        "conversation_opened",
        one.waiting_since or one.first_ts,
        one.identifier,
        one.channel,
        one.venue,
        {"conversation": one.id.hex, "channel": one.channel, "network": one.network},
    )


def resolved(one: Conversation) -> Told:
    """That it is settled, or left alone."""
    at = one.resolved_at or clock.now()
    wait = one.first_answered_at and max(0, int((one.first_answered_at - one.first_ts).total_seconds()))
    return Told(
        f"{one.id.hex}:resolved:{clock.to_us(at)}",
        "conversation_resolved",
        at,
        one.identifier,
        one.channel,
        one.venue,
        {"conversation": one.id.hex, "outcome": one.outcome}
        | ({"first_wait_s": wait} if wait is not None else {}),
    )


def recovered(playbook: int, conversation: uuid.UUID, kind: str, outcome: str, one: Conversation) -> Told:
    """That a recovery came to its end."""
    return Told(
        f"playbook:{playbook}",
        "recovery_ended",
        clock.now(),
        one.identifier,
        one.channel,
        one.venue,
        {"playbook": kind, "conversation": conversation.hex, "outcome": outcome},
    )


def owe(told: Iterable[Told]) -> list[Told]:
    """Write down what the log is to hear, within the transaction that makes it so; gives it, to `tell` afterwards.

    What is about nobody is left out, because an event is about somebody.
    """
    kept = [one for one in told if one.identifier]
    now = clock.now()
    Owed.objects.bulk_create(
        (
            Owed(
                id=one.id, name=one.name, ts=one.ts, identifier=one.identifier, channel=one.channel, venue=one.venue,
                properties=one.properties, since=now,
            )
            for one in kept
        ),
        batch_size=AT_ONCE,
        ignore_conflicts=True,
    )  # fmt: skip
    return kept


@contextmanager
def held_back() -> Iterator[None]:
    """Tell nothing of what is done within before all of it holds; where it does not, nothing is told."""
    told: list[Told] = []
    token = _held_back.set(told)
    try:
        yield
    finally:
        _held_back.reset(token)
    tell(told)


def tell(told: Iterable[Told]) -> None:
    """Record what was owed, once the transaction that it was written in holds."""
    told = list(told)
    later = _held_back.get()
    if later is not None:
        later += told
        return
    rows = [
        {
            "message_id": one.id,
            "name": one.name,
            "ts": one.ts,
            "identifier": one.identifier,
            "channel": one.channel or None,
            "venue": one.venue or None,
            "properties": json.dumps({k: v for k, v in one.properties.items() if v != ""}),
        }
        for one in told
    ]
    if rows:
        events.record(pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT), source=SOURCE, trusted=True)
        for part in bulk.parts([one.id for one in told]):
            Owed.objects.filter(id__in=part).delete()


def tell_owed() -> int:
    """Tell what somebody owed who was killed before the log heard of it; gives how much that was."""
    left = Owed.objects.filter(since__lte=clock.now() - AGAIN_AFTER).order_by("since")[:AT_ONCE]
    found = [
        Told(row.id, row.name, row.ts, row.identifier, row.channel, row.venue, row.properties) for row in left
    ]
    tell(found)
    return len(found)
