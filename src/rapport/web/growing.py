"""Knowledge grows from conversations: what nothing answers is listed, and what resolved one is laid before staff."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Sequence

from rapport.conversations import selectors as conversations
from rapport.conversations.selectors.rows import MessageView
from rapport.events import subscriptions
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.knowledge import services as knowledge
from rapport.staff import selectors as staff

KEY = "knowledge.grows"
STANDS_ON = ("conversations",)
OPENED, RESOLVED = "conversation_opened", "conversation_resolved"
ASKING = ("", "question", "help_request", "purchase_intent")
SOLVED = "solved"
# Of a history that is taken in, nobody waits for an answer, and asking for each would take hours.
RECENT = dt.timedelta(days=7)
WHOLE = 500  # messages of a conversation that are gone through for where it began


def register() -> None:
    """Be told of every conversation that begins or is settled."""
    subscriptions.subscribe(KEY, names=(OPENED, RESOLVED), handler=on_conversations)


def on_conversations(batch: subscriptions.Batch) -> None:
    """List what nothing answers; have answers in staff's own words wait as drafts. Given again, it changes nothing."""
    since = clock.now() - RECENT
    told = [
        (row["name"], json.loads(row["properties"]))
        for row in batch.events.select(["name", "ts", "properties"]).to_pylist()
        if row["ts"] >= since
    ]
    if told:
        subscriptions.settle(batch.seq_to, STANDS_ON)
    for name, properties in told:
        try:
            number = uuid.UUID(properties["conversation"])
            if name == OPENED:
                _opened(number)
            elif properties.get("outcome") == SOLVED:
                _resolved(number)
        except (NotFound, KeyError, TypeError, ValueError):
            continue  # erased or merged away since, or told by somebody else of what is no conversation of ours


def _opened(number: uuid.UUID) -> None:
    head = conversations.conversation(number)
    asked = _first_asked(number)
    if head.intent not in ASKING or asked is None:
        return
    said = knowledge.propose(asked.text, language=head.language)
    if said.abstains:
        knowledge.note_unanswered(
            asked.text, language=head.language, identifier=asked.identifier, conversation=number.hex,
            heard=heard_in([asked]),
        )  # fmt: skip


def _resolved(number: uuid.UUID) -> None:
    head = conversations.conversation(number)
    asked, answer = _first_asked(number), _last_answer(number)
    if head.intent not in ASKING or not (asked and answer) or knowledge.was_learnt_from(number.hex):
        return
    if knowledge.propose(asked.text, language=head.language).abstains:
        by = staff.all_staff()
        names = {one.pk: one.email for one in by}
        who = next((m.by for m in conversations.messages(number).rows if m.direction == "out" and m.by), None)
        knowledge.resolved(
            asked.text, answer, [], names.get(who or 0, ""), language=head.language,
            identifier=asked.identifier, conversation=number.hex, heard=heard_in([asked]),
        )  # fmt: skip


def _first_asked(number: uuid.UUID) -> MessageView | None:
    """The first thing they said."""
    said = conversations.messages(number, limit=WHOLE).rows
    return next((m for m in said if m.direction == "in" and m.text), None)


def _last_answer(number: uuid.UUID) -> str:
    said = [m.text for m in conversations.messages(number).rows if m.direction == "out" and m.text]
    return said[-1] if said else ""


def heard_in(asked: Sequence[MessageView]) -> dict[int, str]:
    """The texts that a question was made of, and whose each is: where one goes, so does the question."""
    return {message.seq: message.identifier for message in asked if message.seq is not None}
