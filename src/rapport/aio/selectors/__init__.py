"""Questions about statements: what is stated of one person, how everybody stands, what is asked."""

from __future__ import annotations

from rapport.aio.selectors.asked import SurveyQuestion, question, questions, survey_questions
from rapport.aio.selectors.overall import Overall, StandingView, is_running, last_refresh, overall
from rapport.aio.selectors.persons import StatementView, of_person, of_subjects
from rapport.aio.selectors.titles import titles

__all__ = [
    "Overall",
    "StandingView",
    "StatementView",
    "SurveyQuestion",
    "is_running",
    "last_refresh",
    "of_person",
    "of_subjects",
    "overall",
    "question",
    "questions",
    "survey_questions",
    "titles",
]
