"""The firm's promises and questions, and the questions of surveys that could answer them."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.aio import rules
from rapport.aio.models import Question
from rapport.events import lake
from rapport.kit import query
from rapport.kit.errors import NotFound


@dataclass(frozen=True, slots=True)
class SurveyQuestion:
    """A question that people answered with a number, and the answers seen."""

    key: str
    words: str
    n: int
    low: float
    high: float


def questions() -> list[rules.Asked]:
    """All of them, promises first."""
    return [_asked(q) for q in Question.objects.order_by("-is_promise", "title", "key")]


def question(key: str) -> rules.Asked:
    """One of them; raises NotFound."""
    found = Question.objects.filter(key=key).first()
    if found is None:
        raise NotFound(f"there is no question {key!r}", "It may have been removed.")
    return _asked(found)


def survey_questions() -> list[SurveyQuestion]:
    """What surveys asked and people answered with a number, the most answered first."""
    con = lake.connect()
    try:
        found = query.run(con, query.load("rapport.aio", "survey_questions")).fetchall()
    finally:
        con.close()
    return [SurveyQuestion(*row) for row in found]


def _asked(question: Question) -> rules.Asked:
    return rules.Asked(
        question.key,
        question.title,
        question.is_promise,
        question.words,
        tuple(rules.Answered(**a) for a in question.answers),
        question.is_active,
    )
