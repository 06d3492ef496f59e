"""Verbs of explore: ask, watch and stop a question; save, share, schedule and run it again."""

from __future__ import annotations

from rapport.explore.services.asking import (
    LIMIT_S,
    ask,
    behind,
    cohort_people,
    compiled,
    forget_answers,
    funnel_people,
    kept,
    path_people,
    world,
)
from rapport.explore.services.running import Look, begin, look, stop
from rapport.explore.services.saving import change, due, erase, remove, run_due, run_saved, save

__all__ = [
    "LIMIT_S",
    "Look",
    "ask",
    "begin",
    "behind",
    "change",
    "cohort_people",
    "compiled",
    "due",
    "erase",
    "forget_answers",
    "funnel_people",
    "kept",
    "look",
    "path_people",
    "remove",
    "run_due",
    "run_saved",
    "save",
    "stop",
    "world",
]
