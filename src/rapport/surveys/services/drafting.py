"""Changes to a draft, each a function from one definition to the next."""

from __future__ import annotations

import dataclasses
import re
import unicodedata
from collections.abc import Callable

from rapport.kit.errors import Invalid, NotFound
from rapport.surveys import rules
from rapport.surveys.rules.questions import KINDS

Change = Callable[[rules.Definition], rules.Definition]
QUESTIONS_MAX = 60


def key_from(text: str, taken: set[str], fallback: str) -> str:
    """A short key from words, one that is not taken: `How was it?` as `how_was_it`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    stem = re.sub(r"[^a-z0-9]+", "_", plain).strip("_")[:32].rstrip("_") or fallback
    key, n = stem, 1
    while key in taken:
        n += 1
        key = f"{stem}_{n}"
    return key


def added(kind: str, text: str = "") -> Change:
    """A further question of a kind at the end."""

    def change(survey: rules.Definition) -> rules.Definition:
        if kind not in KINDS:
            raise Invalid(f"{kind!r} is no kind of question", f"There are {', '.join(KINDS)}.")
        if len(survey.questions) >= QUESTIONS_MAX:
            raise Invalid(f"a survey has {QUESTIONS_MAX} questions at most", "Nobody would answer more.")
        key = key_from(text, {q.key for q in survey.questions}, kind)
        words = {survey.main_language: text} if text else {}
        question = KINDS[kind](key=key, text=words)
        return dataclasses.replace(survey, questions=(*survey.questions, question))

    return change


def moved(key: str, by: int) -> Change:
    """A question some places up (negative) or down."""

    def change(survey: rules.Definition) -> rules.Definition:
        questions = list(survey.questions)
        at = _place(survey, key)
        questions.insert(max(0, at + by), questions.pop(at))
        return dataclasses.replace(survey, questions=tuple(questions))

    return change


def without(key: str) -> Change:
    """The survey without a question; logic that leaned on it stays, and the check list names it."""

    def change(survey: rules.Definition) -> rules.Definition:
        _place(survey, key)
        return dataclasses.replace(survey, questions=tuple(q for q in survey.questions if q.key != key))

    return change


def rewritten(question: rules.Question) -> Change:
    """The survey with one question replaced by a new state of it."""

    def change(survey: rules.Definition) -> rules.Definition:
        at = _place(survey, question.key)
        questions = (*survey.questions[:at], question, *survey.questions[at + 1 :])
        return dataclasses.replace(survey, questions=questions)

    return change


def with_quota(name: str, limit: int, when: tuple[rules.Condition, ...]) -> Change:
    """A further quota."""

    def change(survey: rules.Definition) -> rules.Definition:
        key = key_from(name, {q.key for q in survey.quotas}, "quota")
        return dataclasses.replace(survey, quotas=(*survey.quotas, rules.Quota(key, name, limit, when)))

    return change


def without_quota(key: str) -> Change:
    """The survey without a quota."""
    return lambda survey: dataclasses.replace(survey, quotas=tuple(q for q in survey.quotas if q.key != key))


def _place(survey: rules.Definition, key: str) -> int:
    at = next((n for n, q in enumerate(survey.questions) if q.key == key), None)
    if at is None:
        raise NotFound(
            f"the survey has no question {key!r}", "It may have been removed; load the page again."
        )
    return at
