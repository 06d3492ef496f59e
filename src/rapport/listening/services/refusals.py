"""Rows that could not become touchpoints: what is said of them, and what is kept so that they can be corrected."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rapport.events.services import Refused
from rapport.listening.rules import values

SHOWN_CHARS = 80


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row that was refused: where it stands, what is wrong, and the row itself."""

    line: int
    reason: str
    field: str
    value: str
    message: str
    row: Mapping[str, Any]
    place: str = ""  # where it is no line of a file: which entry of which file

    def __str__(self) -> str:
        return f"{self.place or f'line {self.line}'}: {self.message}"


def bad_row(
    line: int,
    reason: str,
    row: Mapping[str, Any],
    *,
    field: str = "",
    column: str = "",
    about: Mapping[str, Any] | None = None,
) -> BadRow:
    """A refusal in words. `column` is where the field's value stands in the row."""
    found = row.get(column)
    value = "" if found is None else str(found)
    shown = repr(value if len(value) <= SHOWN_CHARS else value[:SHOWN_CHARS] + "…")
    named = field if not column or column == field else f"{column} ({field})"
    message = values.MESSAGES[reason].format(field=named, value=shown, **(about or {}))
    return BadRow(line, reason, field, value, message, row)


def refused(bad: BadRow, *, kind: str, source: str, batch: str, context: Mapping[str, Any]) -> Refused:
    """A refusal for the quarantine.

    The body says nothing of the import, so that the same row of the same file is one refusal however
    often it is imported; the line is in the message.
    """
    body = {"row": dict(bad.row), **{key: value for key, value in context.items() if value}}
    return Refused(
        source=source,
        batch=batch,
        kind=f"row:{kind}",
        body=json.dumps(body, ensure_ascii=False, default=str),
        reason=bad.reason,
        field=bad.field,
        message=str(bad) if bad.place else str(bad)[0].upper() + str(bad)[1:],
    )


def refuse_all(
    rows: Iterable[BadRow], *, kind: str, source: str, batch: str, context: Mapping[str, Any]
) -> Iterable[Refused]:
    """Refusals for the quarantine, one by one."""
    return (refused(bad, kind=kind, source=source, batch=batch, context=context) for bad in rows)
