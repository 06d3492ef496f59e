"""Tells the log that a conversation began, was settled, or that a recovery ended. Telling twice is once."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from rapport.conversations.models import Conversation
from rapport.events import rules
from rapport.events import services as events
from rapport.kit import clock

SOURCE = "conversations"


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


def tell(told: Iterable[Told]) -> None:
    """Record them; what is about nobody is left out, because an event is about somebody."""
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
        if one.identifier
    ]
    if rows:
        events.record(pa.Table.from_pylist(rows, schema=rules.TOUCHPOINT), source=SOURCE, trusted=True)
