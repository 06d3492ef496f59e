"""What came of something that staff did: a version that moved on, an answer and how far it got."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from rapport.conversations.selectors.rows import ConversationView, LogRow, MessageView
from rapport.kit.errors import Conflict


class Moved(Conflict):
    """The conversation is not what whoever wrote has seen.

    `current` is what it is now, `messages` what was said since, `done` what was done with it since.
    """

    def __init__(
        self,
        message: str,
        hint: str,
        current: ConversationView,
        messages: tuple[MessageView, ...] = (),
        done: tuple[LogRow, ...] = (),
    ) -> None:
        super().__init__(message, hint)
        self.current = current
        self.messages = messages
        self.done = done


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an answer: waiting (for approval), planned, sent, withheld, failed, unknown."""

    conversation: uuid.UUID
    message: int
    state: str
    reason: str  # in words, where it did not leave
    version: int  # of the conversation now
