"""Takes over what models and staff say of messages: language, sentiment, intent, whether somebody asks for help."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction

from rapport.conversations.models import Message
from rapport.conversations.services import summing, telling
from rapport.events import lake
from rapport.events.subscriptions import Batch
from rapport.insights import rules as insights
from rapport.kit import bulk, query

NAMES = ("language", "sentiment", "intent", "help_request", "contact_reason", "urgency")
ASPECT = "aspect:"
YES = "yes"
COMPLAINING = ("complaint", "churn_threat")
SURE = 0.8  # on the synthetic market 1.6 % of posts that want nothing of us are then taken for complaints or requests
SLICE = 1_000


def read(batch: Batch) -> None:
    """Bring messages up to what was said of them within a stretch of the log; opens what now asks for help."""
    con = lake.connect()
    try:
        asked = {
            "run_from": batch.seq_from,
            "run_to": batch.seq_to,
            "names": list(NAMES),
            "aspect": ASPECT,
            "staff": insights.STAFF,
        }
        said = (
            query.run(con, query.load("rapport.conversations", "read_since"), asked)
            .to_arrow_table()
            .to_pylist()
        )
    finally:
        con.close()
    by_seq: dict[int, list[Mapping[str, Any]]] = {}
    for row in said:
        by_seq.setdefault(row["seq"], []).append(row)
    seqs = sorted(by_seq)
    for at in range(0, len(seqs), SLICE):
        part = {seq: by_seq[seq] for seq in seqs[at : at + SLICE]}
        with transaction.atomic():
            told = summing.bring_up(_write(part), bumps=False)
        telling.tell(told)


def _write(said: Mapping[int, Sequence[Mapping[str, Any]]]) -> set[uuid.UUID]:
    """The conversations of the messages that read otherwise now."""
    changed = []
    for part in bulk.parts(list(said)):
        for message in Message.objects.filter(seq__in=part, direction=Message.Direction.IN).defer("text"):
            before = [getattr(message, name) for name in _FIELDS]
            for row in said[message.seq or 0]:
                _apply(message, row)
            if [getattr(message, name) for name in _FIELDS] != before:
                changed.append(message)
    Message.objects.bulk_update(changed, _FIELDS, batch_size=200)
    return {m.conversation_id for m in changed}


_FIELDS = (
    "language",
    "sentiment",
    "stance",
    "intent",
    "is_help",
    "is_complaint",
    "contact_reason",
    "aspect",
    "urgency",
)


def complains(intent: str, probability: float | None, *, by_staff: bool) -> bool:
    """Whether a text complains so surely that one may go to whoever wrote it unasked."""
    return intent in COMPLAINING and (by_staff or (probability or 0.0) >= SURE)


def _apply(message: Message, row: Mapping[str, Any]) -> None:
    name, label = row["name"], row["label"]
    if name == "language":
        message.language = (label or message.language)[:16]
    elif name == "sentiment":
        message.sentiment, message.stance = label[:16], row["value"]
    elif name == "intent":
        message.intent = label[:32]
        message.is_complaint = complains(label, row["probability"], by_staff=row["model"] == insights.STAFF)
    elif name == "help_request":
        message.is_help = label == YES
    elif name == "contact_reason":
        message.contact_reason = label[:32]
    elif name == "urgency":
        message.urgency = row["value"] or 0.0
    elif name.startswith(ASPECT) and label == "negative":
        message.aspect = name.removeprefix(ASPECT)[:64]
