"""Verbs of insights: run models, annotate texts, correct them, teach models and judge them."""

from __future__ import annotations

from rapport.insights.services.adapting import (
    Lesson,
    adapt,
    add_labelled,
    remove_labelled,
    rollback,
    teach,
)
from rapport.insights.services.annotating import annotate_texts
from rapport.insights.services.cataloguing import accept as accept_aspect
from rapport.insights.services.cataloguing import change as change_aspect
from rapport.insights.services.cataloguing import declare as declare_aspect
from rapport.insights.services.cataloguing import drop as drop_aspect
from rapport.insights.services.correcting import Corrected, correct, tell_owed, uncorrect
from rapport.insights.services.finding import look as look_for_aspects
from rapport.insights.services.judging import Asked, backtest
from rapport.insights.services.keeping import parameters_from
from rapport.insights.services.reading import go_on, read_anew, stop
from rapport.insights.services.reading import is_due as is_reading_due
from rapport.insights.services.running import Progress, RunSummary, due, read_due, run
from rapport.insights.services.scoring import TIERS, Read, Reader
from rapport.insights.services.setting_apart import decide

__all__ = [
    "TIERS",
    "Asked",
    "Corrected",
    "Lesson",
    "Progress",
    "Read",
    "Reader",
    "RunSummary",
    "accept_aspect",
    "adapt",
    "add_labelled",
    "annotate_texts",
    "backtest",
    "change_aspect",
    "correct",
    "decide",
    "declare_aspect",
    "drop_aspect",
    "due",
    "go_on",
    "is_reading_due",
    "look_for_aspects",
    "parameters_from",
    "read_anew",
    "read_due",
    "remove_labelled",
    "rollback",
    "run",
    "stop",
    "teach",
    "tell_owed",
    "uncorrect",
]
