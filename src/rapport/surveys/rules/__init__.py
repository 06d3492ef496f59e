"""Surveys without any store: questions, their order, what answers come to. Pure."""

from __future__ import annotations

from rapport.surveys.rules.definition import (
    Definition,
    Gives,
    Incentive,
    Problem,
    Quota,
    from_json,
    problems,
    to_json,
)
from rapport.surveys.rules.logic import END, SCREEN_OUT, Condition, Jump, Walk, holds, walk
from rapport.surveys.rules.questions import KINDS, Choice, Question, Texts, Value, Wrong, several, text_in

__all__ = [
    "END",
    "KINDS",
    "SCREEN_OUT",
    "Choice",
    "Condition",
    "Definition",
    "Gives",
    "Incentive",
    "Jump",
    "Problem",
    "Question",
    "Quota",
    "Texts",
    "Value",
    "Walk",
    "Wrong",
    "from_json",
    "holds",
    "problems",
    "several",
    "text_in",
    "to_json",
    "walk",
]
