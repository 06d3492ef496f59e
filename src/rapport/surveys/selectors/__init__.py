"""Questions about surveys: how they stand, who answered what, what it comes to."""

from __future__ import annotations

from rapport.surveys.selectors.inviting import Base, Invitable, invitable
from rapport.surveys.selectors.listing import Elsewhere, SurveyRow, SurveyView, listing, survey
from rapport.surveys.selectors.resulting import (
    PAGE,
    AnswerRow,
    Chosen,
    Compared,
    QuestionResult,
    Results,
    answers_page,
    compared,
    questions_of,
    results,
    scores_of,
)
from rapport.surveys.selectors.standing import (
    Asked,
    ResponseView,
    asked,
    first_walk,
    may_show,
    others,
    response,
    response_of,
)

__all__ = [
    "PAGE",
    "AnswerRow",
    "Asked",
    "Base",
    "Chosen",
    "Compared",
    "Elsewhere",
    "Invitable",
    "QuestionResult",
    "ResponseView",
    "Results",
    "SurveyRow",
    "SurveyView",
    "answers_page",
    "asked",
    "compared",
    "first_walk",
    "invitable",
    "listing",
    "may_show",
    "others",
    "questions_of",
    "response",
    "response_of",
    "results",
    "scores_of",
    "survey",
]
