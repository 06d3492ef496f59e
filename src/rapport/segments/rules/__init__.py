"""What a segment asks of a person: the rule tree, its plain words, its plain meaning and its SQL. Pure."""

from __future__ import annotations

from rapport.segments.rules.catalogue import FIELDS, Catalogue, Column, ColumnType, Counted
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
    "Condition",
    "Counted",
    "Rule",
    "Window",
    "Words",
    "condition",
    "conditions",
    "parse",
    "schema",
    "segments_in",
    "sentence",
    "to_json",
]
