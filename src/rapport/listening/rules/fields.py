"""What an importer can make of a column: fields, how their text is read, and the kinds of file they make up."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

# How the text of a field is read.
TEXT, KEY, NUMBER, TIME, DATE, EMAIL, PHONE, CURRENCY, JSON = (
    "text",
    "key",
    "number",
    "time",
    "date",
    "email",
    "phone",
    "currency",
    "json",
)
IDENTIFIER_PREFIX = "identifier:"  # a field such as identifier:mastodon takes a handle of that namespace
DROPPED = "-"  # mapping a column to this leaves it out altogether
NAMESPACE = re.compile(r"^[a-z][a-z0-9_]{1,31}$")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, how its text is read, what columns are usually called that hold it."""

    name: str
    form: str = TEXT
    names: tuple[str, ...] = ()
    meaning: str = ""
    required: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of file: its fields, and groups of which at least one field must be there."""

    name: str
    meaning: str
    fields: tuple[Field, ...]
    one_of: tuple[tuple[str, ...], ...] = ()
    identifiers: bool = False  # whether identifier:<namespace> is a field too
    shape: str = "table"  # or lines

    def field(self, name: str) -> Field | None:
        """The field of that name, also one of the form identifier:<namespace>."""
        if self.identifiers and name.startswith(IDENTIFIER_PREFIX):
            namespace = name.removeprefix(IDENTIFIER_PREFIX)
            return Field(name, KEY) if NAMESPACE.match(namespace) else None
        return next((f for f in self.fields if f.name == name), None)

    @property
    def field_names(self) -> list[str]:
        own = [f.name for f in self.fields]
        return [*own, f"{IDENTIFIER_PREFIX}<namespace>"] if self.identifiers else own


def normal_name(column: str) -> str:
    """`InvoiceNo` and `Invoice no.` as `invoice_no`."""
    spaced = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", column.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def property_names(columns: Sequence[str]) -> list[str]:
    """A name for each column as a property or trait, each once."""
    names: list[str] = []
    for place, column in enumerate(columns, start=1):
        name = plain = normal_name(column) or f"column_{place}"
        n = 1
        while name in names:
            n += 1
            name = f"{plain}_{n}"
        names.append(name)
    return names
