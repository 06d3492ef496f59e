"""What a rule may ask about here: the columns, events, labels and segments that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from rapport.kit.errors import Invalid

ColumnType = Literal["number", "boolean", "date", "text"]

TRAIT, SCORE, LABEL = "trait:", "score:", "label:"  # how the profile's columns of each kind begin

FIELDS: Mapping[str, ColumnType] = {
    "country": "text",
    "language": "text",
    "kind": "text",
    "first_seen": "date",
    "last_seen": "date",
}


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the profile: its type, the values to offer, what a screen calls it and its unit."""

    name: str  # as in the relation `profile`
    type: ColumnType
    values: tuple[str, ...] = ()  # the most frequent ones of a text, most frequent first
    title: str = ""
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """One kind of event that is counted, and the most frequent values of its dimension."""

    name: str
    title: str = ""
    dimensions: tuple[str, ...] = ()
    n: int = 0  # rows of person_day with an empty dimension: how dear it is to read
    has_value: bool = False  # whether it carries money


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything a rule may name; screens offer it and the compiler refuses what is not in it."""

    columns: Mapping[str, Column] = field(default_factory=dict)  # by name, such as `trait:plan`
    events: Mapping[str, Counted] = field(default_factory=dict)
    annotations: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # labels by name
    purposes: Mapping[str, str] = field(default_factory=dict)  # titles by key
    channels: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ()
    segments: Mapping[str, str] = field(default_factory=dict)  # titles by key

    @property
    def traits(self) -> tuple[Column, ...]:
        return self._starting(TRAIT)

    @property
    def scores(self) -> tuple[Column, ...]:
        return self._starting(SCORE)

    def _starting(self, prefix: str) -> tuple[Column, ...]:
        return tuple(column for name, column in self.columns.items() if name.startswith(prefix))

    def column(self, prefix: str, name: str, where: str = "") -> Column:
        """The column of a trait, score, label or (with an empty prefix) field; raises Invalid."""
        found = self.columns.get(prefix + name)
        if found is None:
            kind = {TRAIT: "trait", SCORE: "score", LABEL: "score with labels"}.get(prefix, "profile field")
            there = [c.removeprefix(prefix) for c in self.columns if c.startswith(prefix) == bool(prefix)]
            raise unknown(where, kind, name, [c for c in there if ":" not in c or prefix])
        return found


def unknown(where: str, kind: str, name: str, there: Iterable[str]) -> Invalid:
    """The refusal of a name that is not there, with the nearest that are."""
    all_ = sorted(there)
    near = difflib.get_close_matches(name, all_, n=3, cutoff=0.5) or all_[:8]
    hint = f"There is {', '.join(near)}." if near else f"Nobody here has a {kind} yet."
    return Invalid(f"{where + ': ' if where else ''}there is no {kind} {name!r}", hint)
