"""What a person takes along: everything we know, as JSON, as tables in a ZIP file, or as a page to read.

The shape is described in docs/reference/own-file.md; SCHEMA grows by one whenever a reader of the old shape
would stumble.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re
import unicodedata
import uuid
import zipfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.template.loader import render_to_string

from rapport.consent import exporters
from rapport.kit import clock

SCHEMA = "rapport-own/1"
FORMULA = re.compile(
    r"^(?:[=@\t\r]|[+-](?![\d\s().-]*$))"
)  # a spreadsheet would run it; +34 600 it would not


@dataclass(frozen=True, slots=True)
class Takeout:
    """Everything about one person, section by section."""

    firm: str
    made_at: dt.datetime
    identifiers: tuple[str, ...]
    sections: tuple[tuple[str, exporters.Section], ...]  # the store's name, and what it holds


def gather(subjects: Sequence[int], identifiers: Sequence[str], *, firm: str) -> Takeout:
    """Ask every store what it holds of these subjects."""
    asked = exporters.Exporting(tuple(subjects), tuple(identifiers), tuple(subjects))
    found = tuple((name, section) for name, section in exporters.sections(asked) if section.rows)
    return Takeout(firm, clock.now(), tuple(identifiers), found)


def as_json(taken: Takeout) -> bytes:
    """One JSON object (RFC 8259) in UTF-8; times in UTC as ISO 8601 has them."""
    document = {
        "schema": SCHEMA,
        "organisation": taken.firm,
        "made_at": _plain(taken.made_at),
        "identifiers": list(taken.identifiers),
        "sections": [
            {"store": store, "title": section.title, "rows": _rows(section)}
            for store, section in taken.sections
        ],
    }
    return json.dumps(document, ensure_ascii=False, indent=2, default=_plain).encode()


def as_tables(taken: Takeout) -> bytes:
    """A ZIP file with one CSV file (RFC 4180, UTF-8) a section, and one that names them all."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        contents = []
        for number, (store, section) in enumerate(taken.sections, 1):
            name = f"{number:02d}-{_file_name(section.title)}.csv"
            contents.append({"file": name, "store": store, "title": section.title, "rows": len(section.rows)})
            archive.writestr(name, _table(_rows(section)))
        about = [
            {"file": "", "store": "", "title": title, "rows": value}
            for title, value in (
                ("schema", SCHEMA),
                ("organisation", taken.firm),
                ("made_at", _plain(taken.made_at)),
                *(("identifier", identifier) for identifier in taken.identifiers),
            )
        ]
        archive.writestr("00-contents.csv", _table(about + contents))
    return made.getvalue()


def as_page(taken: Takeout) -> bytes:
    """One HTML file that needs nothing else, to be read and printed."""
    context = {
        "taken": taken,
        "schema": SCHEMA,
        "sections": [
            (store, section, _columns(rows), [[_cell(row.get(c)) for c in _columns(rows)] for row in rows])
            for store, section in taken.sections
            for rows in [_rows(section)]
        ],
    }
    return render_to_string("components/customer_takeout.html", context).encode()


def _rows(section: exporters.Section) -> list[dict[str, Any]]:
    """The rows, each with its origin: its own, or the section's."""
    if not section.origin:
        return section.rows
    return [row if row.get("origin") else {**row, "origin": section.origin} for row in section.rows]


def _columns(rows: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _table(rows: list[dict[str, Any]]) -> str:
    text = io.StringIO(newline="")
    text.write("\ufeff")  # without it a spreadsheet takes the file for something older than UTF-8
    writer = csv.writer(text)
    columns = _columns(rows)
    writer.writerow(columns)
    writer.writerows([_safe(_cell(row.get(name))) for name in columns] for row in rows)
    return text.getvalue()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, ensure_ascii=False, default=_plain)
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(_plain(value))


def _safe(text: str) -> str:
    return f"'{text}" if FORMULA.match(text) else text


def _plain(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, str | int | float):
        return value
    if isinstance(value, dt.date | Decimal | uuid.UUID):
        return str(value)
    return str(value)


def _file_name(title: str) -> str:
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") or "section"
