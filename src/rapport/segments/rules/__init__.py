"""What a segment asks of a person: the rule tree, its plain words, its plain meaning and its SQL. Pure."""

from __future__ import annotations

from rapport.segments.rules.catalogue import FIELDS, Catalogue, Column, ColumnType, Counted
from rapport.segments.rules.compiling import Compiled, check, compile_
from rapport.segments.rules.matching import DayCount, Facts, LabelCount, matches
from rapport.segments.rules.parsing import parse
from rapport.segments.rules.saying import Words, condition, sentence
from rapport.segments.rules.tree import EVERYBODY, Condition, Rule, Window, conditions, segments_in
from rapport.segments.rules.writing import schema, to_json

__all__ = [
    "EVERYBODY",
    "FIELDS",
    "Catalogue",
    "Column",
    "ColumnType",
    "Compiled",
    "Condition",
    "Counted",
    "DayCount",
    "Facts",
    "LabelCount",
    "Rule",
    "Window",
    "Words",
    "check",
    "compile_",
    "condition",
    "conditions",
    "matches",
    "parse",
    "schema",
    "segments_in",
    "sentence",
    "to_json",
]
