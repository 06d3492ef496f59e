"""What is done with statements: work them out for everybody, correct them, forget them; change the questions."""

from __future__ import annotations

from rapport.aio.services.asking import change_question, remove_question
from rapport.aio.services.correcting import correct, not_so, take_back
from rapport.aio.services.forgetting import forget_refused
from rapport.aio.services.refreshing import is_due, refresh

__all__ = [
    "change_question",
    "correct",
    "forget_refused",
    "is_due",
    "not_so",
    "refresh",
    "remove_question",
    "take_back",
]
