"""Changing the firm's promises and the questions of its market."""

from __future__ import annotations

from rapport.aio import rules
from rapport.aio.models import Question
from rapport.aio.selectors.asked import question
from rapport.kit import clock
from rapport.kit.errors import Conflict, Invalid, NotFound


def change_question(asked: rules.Asked, *, by: str, is_new: bool = False) -> rules.Asked:
    """Keep a question as it is written now; people's statements follow at the next refresh.

    Raises Denied for one that asks for what may not be worked out of anybody, Invalid for one that cannot be
    kept, Conflict where a new one has the key of another.
    """
    rules.check(asked)
    if not by:
        raise Invalid("a change of a question needs to know who makes it", "Give `by`.")
    there = Question.objects.filter(key=asked.key).first()
    if is_new and there is not None:
        raise Conflict(
            f"there is a question {asked.key!r} already", "Change that one, or choose another key."
        )
    others = Question.objects.filter(is_active=True).exclude(key=asked.key).count()
    if asked.is_active and others >= rules.ACTIVE_MAX:
        raise Invalid(
            f"{others} questions are asked already",
            f"Switch one off first; {rules.ACTIVE_MAX} are asked at most.",
        )
    Question.objects.update_or_create(
        key=asked.key,
        defaults={
            "title": asked.title.strip(),
            "is_promise": asked.is_promise,
            "words": {
                language: {part: list(phrases) for part, phrases in parts.items() if phrases}
                for language, parts in asked.words.items()
                if any(parts.values())
            },
            "answers": [a.as_json() for a in asked.answers],
            "is_active": asked.is_active,
            "changed_by": by,
            "changed_at": clock.now(),
        },
    )
    return question(asked.key)


def remove_question(key: str) -> None:
    """Ask it no more; what was stated of it goes with the next refresh. Raises NotFound."""
    gone, _ = Question.objects.filter(key=key).delete()
    if not gone:
        raise NotFound(f"there is no question {key!r}", "It may have been removed already.")
