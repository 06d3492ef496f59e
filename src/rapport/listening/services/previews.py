"""How a file would be read, from its first rows, for whoever chooses the mapping before importing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rapport.events import lake
from rapport.kit.errors import Invalid
from rapport.listening.contract import Said, Unread
from rapport.listening.rules.mapping import propose
from rapport.listening.services import archives, imports, linewise, logs, manners, staging
from rapport.listening.services.kinds import staging as staging_of
from rapport.listening.services.recognising import Opened
from rapport.listening.services.refusals import BadRow
from rapport.listening.services.tables import Chunk, Table
from rapport.listening.services.work import Work, prepare

ROWS = 20  # shown
ARCHIVE_ENTRIES = 100  # of each file of an archive
READ_ROWS = 5_000  # looked at for what is wrong


@dataclass(slots=True)
class Preview:
    """What a file seems to be, and what would become of its first rows."""

    file: str
    size_bytes: int
    kind: str
    description: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)  # the first, as they stand there
    mapping: dict[str, str] = field(default_factory=dict)  # column to field
    properties: dict[str, str] = field(default_factory=dict)  # column to property or trait
    notes: list[str] = field(default_factory=list)
    problem: str = ""  # why it cannot be imported like this, '' where it can
    looked_at: int = 0  # rows
    bad_rows: list[BadRow] = field(default_factory=list)  # among those looked at
    is_archive: bool = False  # of a network, read as it is
    source: str = ""  # under which it is imported if nobody names another


def preview(
    path: str | Path, kind: str, *, name: str, mapping: Mapping[str, str], options: Mapping[str, str]
) -> Preview:
    """Read the first rows as an import would, and write nothing."""
    work = prepare(
        kind,
        path,
        source_name="",
        options=options,
        progress=None,
        file_name=name,
        is_mapped=any(mapping.values()),
    )
    found = Preview(work.given.name, work.given.size_bytes, kind)
    if work.archive is not None:
        _look_at_archive(work, work.archive, found)
    elif work.kind.shape == "lines":
        _look_at_log(work, found)
    else:
        _look_at_table(work, found, mapping)
    return found


def _look_at_archive(work: Work, held: Opened, found: Preview) -> None:
    found.is_archive, found.source, found.description = (
        True,
        work.source,
        held.titles + work.given.description,
    )
    found.columns = ["when", "who", "ours", "what", "answers"]
    try:
        for place, one in archives.look(work.given, held, work.options, ARCHIVE_ENTRIES):
            found.looked_at += 1
            if isinstance(one, Unread):
                found.bad_rows.append(
                    BadRow(found.looked_at, "bad_entry", "", "", one.message, one.row, place)
                )
            elif isinstance(one, Said) and len(found.rows) < ROWS:
                shown = {"when": f"{one.ts:%Y-%m-%d %H:%M}", "who": one.author_name or one.author}
                shown |= {"ours": "yes" if one.is_ours else "", "what": one.text, "answers": one.in_reply_to}
                found.rows.append(shown)
    except Invalid as error:
        found.problem = str(error)
    found.notes = list(dict.fromkeys(archives.limits_of(one.connector, "").sentence() for one in held.found))


def _look_at_log(work: Work, found: Preview) -> None:
    layout = logs.layout(work.given)
    found.description = layout.description + work.given.description
    end = work.given.sample.rfind(b"\n") + 1
    lines = logs.split(work.given.sample[:end] or work.given.sample, layout)
    found.looked_at, found.columns = lines.n_written, ["line"]
    found.bad_rows = [BadRow(b.line, b.reason, b.field, "", b.message, {"line": b.text}) for b in lines.bad]
    shown = linewise.texts_of(work.given.sample[:end] or work.given.sample).lines[:ROWS]
    found.rows = [{"line": text} for text in shown.to_pylist()]


def _look_at_table(work: Work, found: Preview, mapping: Mapping[str, str]) -> None:
    table = staging.table_of(work.given)
    found.description, found.columns = table.description, table.columns
    chunk = next(iter(table.chunks(rows=READ_ROWS)), None)
    if chunk is None or not (chunk.table.num_rows or chunk.faults):
        found.problem = "The file names columns and has no rows."
        return
    chunk = replace(chunk, table=chunk.table.slice(0, READ_ROWS))
    options = imports.with_defaults(work, table.columns)
    with lake.new_engine() as con:
        sound = table.sound(con, chunk)
        found.rows = table.raw(sound.table.slice(0, ROWS))
        try:
            manner = staging.manner_of(work.kind, table, mapping, options)
        except Invalid as error:
            found.problem = str(error)
            found.mapping = {c: f for c, f in propose(work.kind, table.columns).items() if c not in mapping}
            found.mapping |= {c: f for c, f in mapping.items() if f}
            return
        found.mapping, found.properties = manner.mapping, manner.names
        _check(con, table, manner, chunk, options, found, work.source)


def _check(
    con: Any,
    table: Table,
    manner: manners.Manner,
    chunk: Chunk,
    options: Mapping[str, str],
    found: Preview,
    source: str,
) -> None:
    manners.decide(con, table, [chunk], manner, options)
    found.notes = manner.notes + imports.told_defaults(manner)
    found.looked_at, found.bad_rows = staging_of(con, table, manner, source).take(chunk)
