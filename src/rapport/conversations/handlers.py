"""The subscriber `conversations`: what is said becomes conversations; what models say of it opens and weighs them."""

from __future__ import annotations

from rapport.consent import erasers, exporters
from rapport.conversations.services import forgetting, gathering, reading
from rapport.events import subscriptions

KEY = "conversations"
NAMES = (
    "post_published",
    "post_edited",
    "post_deleted",
    "message_received",
    "complaint_raised",
    "survey_answered",
    "reply_published",
    "message_sent",
)


def register() -> None:
    """Ask the log for what is said; take part in erasing and in showing everything."""
    subscriptions.subscribe(KEY, names=NAMES, handler=on_said, is_awaited=True)
    erasers.register(KEY, forgetting.erase)
    exporters.register(KEY, forgetting.sections)


def on_said(batch: subscriptions.Batch) -> None:
    """Take in what was said, then what models said of texts: they speak of what came before."""
    gathering.gather(batch)
    reading.read(batch)
