"""Corrected rows: one row of a file, put right by somebody, becomes its touchpoint after all."""

from __future__ import annotations

import csv
import hashlib
import json
from typing import Any

import pyarrow as pa

from rapport.events import lake
from rapport.events import services as log
from rapport.kit import query
from rapport.kit.errors import Invalid
from rapport.listening.rules import weblog
from rapport.listening.rules.kinds import kind_named
from rapport.listening.services import archives, logs, manners, staging
from rapport.listening.services.kinds import staging as staging_of
from rapport.listening.services.staging import PACKAGE
from rapport.listening.services.tables import Chunk, Columns, Lines, Table, literal
from rapport.listening.services.weblog import Reading


def replay_row(kind: str, body: str, source: str) -> None:
    """Record a corrected row, or say what is still wrong with it."""
    given = _object(body)
    row = given.get("row")
    if not isinstance(row, dict) or not row:
        raise Invalid("the corrected text has no row", 'Keep the form {"row": {...}}.')
    if given.get("archive"):
        archives.replay(given, source)
    elif kind_named(kind).shape == "lines":
        _replay_line(str(row.get("line", "")), source)
    else:
        _replay_cells(kind, _unpacked(row, given), given, source)


def _object(body: str) -> dict[str, Any]:
    try:
        found = json.loads(body)
    except ValueError as error:
        raise Invalid(f"the corrected text is not JSON: {error}", "Check commas and quotes.") from None
    if not isinstance(found, dict):
        raise Invalid("the corrected text is not a JSON object", "Keep the outer braces.")
    return found


def _unpacked(row: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """The row's cells; a row that was kept as its line is split here."""
    if set(row) == {"raw"}:
        text = str(row["raw"])
        if given.get("columns"):
            columns = [str(c) for c in given["columns"]]
            cells = next(csv.reader([text], delimiter=str(given.get("delimiter") or ",")), [])
            row = dict(zip(columns, cells, strict=False))
            if len(cells) != len(columns):
                raise Invalid(
                    f"the row has {len(cells)} columns, not {len(columns)}", f"They are {', '.join(columns)}."
                )
        else:
            row = _object(text)
    extra = [name for name in row if name.startswith("+")]
    if extra:
        raise Invalid(
            f"the row still has the cells {', '.join(extra)} that belong to no column",
            "Move each value to its column and remove what is left over.",
        )
    return row


def _replay_cells(kind: str, row: dict[str, Any], given: dict[str, Any], source: str) -> None:
    table: Table
    if all(isinstance(value, str) for value in row.values()):
        rows = pa.table({name: pa.array([value], pa.string()) for name, value in row.items()})
        table = Columns(None, rows=rows)
        (chunk,) = table.chunks()
    else:
        text = json.dumps(row, ensure_ascii=False)
        table = Lines(None, list(row))
        chunk = Chunk(pa.table({"line": pa.array([1], pa.int64()), "raw": [text]}), has_nul="\\u0000" in text)
    mapping = {c: f for c, f in dict(given.get("mapping") or {}).items() if c in row}
    options = {str(k): str(v) for k, v in dict(given.get("options") or {}).items()}
    with lake.new_engine() as con:
        manner = staging.manner_of(kind_named(kind), table, mapping, options)
        manners.decide(con, table, [chunk], manner, options)
        staged = staging_of(con, table, manner, source)
        _, bad = staged.take(chunk)
        if bad:
            raise Invalid(bad[0].message.rstrip("."), "Correct it and send it again.")
        select = staged.select()
        if kind == "orders":
            # The other lines of the order may be in the log already, under the order's own key.
            mark = hashlib.blake2b(json.dumps(row, sort_keys=True).encode(), digest_size=8).hexdigest()
            select = (
                f"SELECT * REPLACE (message_id || {literal('|row:' + mark)} AS message_id) FROM ({select})"
            )
        log.record_query(con, select, source=source, trusted=True)


def _replay_line(text: str, source: str) -> None:
    layout = weblog.layout_of([text])
    if layout is None:
        raise Invalid(weblog.fault_of(text)[1].rstrip("."), "Correct it and send it again.")
    with lake.new_engine() as con:
        kept = Reading(con, layout.has_browser, source)
        if kept.stage(logs.split(text.encode(), layout)):
            raise Invalid(
                "the time cannot be read, or is before 1990 or in the future", "Correct it and send it again."
            )
        log.record_query(con, query.load(PACKAGE, "log_touchpoints").text, source=source, trusted=True)
        if kept.has_searches:
            log.record_query(con, query.load(PACKAGE, "log_searches").text, source=source, trusted=True)
