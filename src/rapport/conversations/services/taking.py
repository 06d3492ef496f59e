"""Taking up public words that nobody had to answer, since somebody of ours wants to."""

from __future__ import annotations

import uuid

from rapport.conversations.models import Conversation
from rapport.conversations.services import summing, telling, working

BY_STAFF = "staff"  # why it is open: it is not put aside again for want of a question


def take_up(number: uuid.UUID, *, by: int) -> int:
    """Open a conversation that was put aside; one that is in the inbox stays as it is. Raises NotFound, Conflict."""
    with working.held(number) as one:
        if one.state != Conversation.State.ASIDE:
            return one.version
        one.state, one.why = Conversation.State.OPEN, BY_STAFF
        version = summing.touch(one, ["state", "why"])
        working.note_done(one, by, "reopened")
        told = telling.owe([telling.opened(one)])
    telling.tell(told)
    return version
