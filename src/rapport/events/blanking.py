"""Blank what the spool still holds of somebody: each row keeps its place, for the others' numbers follow from it.

A body is kept for a day after loading, so that a damaged lake file can be loaded again. Until then it
holds what was erased in the meantime.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.events import lake, packing, rules, spool, traces

Seqs = NDArray[np.int64]
_CHUNK_BYTES = 64_000_000


@dataclass(frozen=True, slots=True)
class Erasing:
    """What is to go: event numbers (ascending), subjects, identifiers, and the texts that betray these."""

    seqs: Seqs
    subjects: Seqs
    identifiers: tuple[str, ...]
    traces: traces.Traces

    def touches(self, body: spool.Stored) -> bool:
        """Whether one of the numbers lies in this body."""
        at = int(np.searchsorted(self.seqs, body.first))
        return at < self.seqs.size and int(self.seqs[at]) <= body.last


def of_seqs(seqs: Sequence[int]) -> Erasing:
    """Single rows alone, such as those that the loader left out."""
    return Erasing(
        np.unique(np.asarray(seqs, dtype=np.int64)), np.empty(0, np.int64), (), traces.Traces((), "")
    )


def blank(box: spool.Spool, erasing: Erasing, *, first: int = 1, last: int | None = None) -> int:
    """Blank every row of the spool that is to go; gives the bodies changed.

    The caller holds the lake's writing lock, or what is read here may be loaded as it was.
    """
    changed = 0
    with lake.new_engine() as con:
        while bodies := box.read(first, last=last, max_events=1 << 62, max_bytes=_CHUNK_BYTES):
            for body in bodies:
                changed += _blank_one(box, con, body, erasing)
            first = bodies[-1].last + 1
            if last is not None and first > last:
                break
    if changed:
        # What was overwritten still lies in the write-ahead log.
        box.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    return changed


def _blank_one(
    box: spool.Spool, con: duckdb.DuckDBPyConnection, body: spool.Stored, erasing: Erasing
) -> bool:
    if body.staged:
        return _blank_staged(box, con, body, erasing)
    if body.kind == spool.SEGMENT:
        return _blank_segment(box, body, erasing)
    table = pa.ipc.open_stream(body.body).read_all()
    con.register("given", table)
    try:
        select = _select(_numbered("given", body.first), body, con, erasing)
        if select is None:
            return False
        _replace(box, body, body=_ipc(con.execute(select).to_arrow_table().cast(table.schema)))
    finally:
        con.unregister("given")
    return True


def _numbered(relation: str, first: int) -> str:
    return f"SELECT *, {first} + row_number() OVER () - 1 AS seq_here FROM {relation}"


def _blank_staged(
    box: spool.Spool, con: duckdb.DuckDBPyConnection, body: spool.Stored, erasing: Erasing
) -> bool:
    old = box.staged_file(body.staged or "")
    file = str(old).replace("'", "''")
    rows = f"SELECT * EXCLUDE (file_row_number), {body.first} + file_row_number AS seq_here"
    select = _select(f"{rows} FROM read_parquet('{file}', file_row_number = true)", body, con, erasing)
    if select is None:
        return False
    new = box.staging_path()
    con.execute(f"COPY ({select}) TO '{new}' (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 131072)")
    box.make_durable(new)
    _replace(box, body, staged=new.name)
    old.unlink(missing_ok=True)
    return True


def _select(rows: str, body: spool.Stored, con: duckdb.DuckDBPyConnection, erasing: Erasing) -> str | None:
    """The rows of a body without what is to go; None where there is nothing of it."""
    lake.give(con, "gone_seq", pa.table({"seq": pa.array(erasing.seqs)}))
    lake.give(con, "gone_subject", pa.table({"subject": pa.array(erasing.subjects)}))
    lake.give(con, "gone_identifier", pa.table({"identifier": pa.array(erasing.identifiers, pa.string())}))
    if body.kind == spool.ANNOTATIONS:
        theirs = "subject IN (SELECT subject FROM gone_subject)"
        (n,) = con.execute(f"SELECT count(*) FROM ({rows}) WHERE {theirs}").fetchall()[0]
        return f"SELECT * EXCLUDE (seq_here) FROM ({rows}) WHERE NOT {theirs}" if n else None
    con.execute(f"CREATE OR REPLACE TEMP VIEW body_rows AS {rows}")
    theirs = (
        "(seq_here IN (SELECT seq FROM gone_seq) OR identifier IN (SELECT identifier FROM gone_identifier))"
    )
    named = "(SELECT coalesce(list(identifier), []) FROM gone_identifier)"
    beside = f"coalesce(list_has_any(also, {named}), false)"
    betrayed = quoting(('"text"', "properties"), erasing.traces)
    (n,) = con.execute(f"SELECT count(*) FROM body_rows WHERE {theirs} OR {beside} OR {betrayed}").fetchall()[
        0
    ]
    if not n:
        return None
    blanked = {
        "name": literal(rules.BLANK_NAME),
        "identifier": "''",
        **dict.fromkeys(("evidence", "channel", "venue", "value_minor", "currency"), "NULL"),
    }
    said = {
        column: f"CASE WHEN {theirs} THEN NULL ELSE {without(column, erasing.traces)} END"
        for column in ('"text"', "properties")
    }
    replaced = [f"CASE WHEN {theirs} THEN {value} ELSE {key} END AS {key}" for key, value in blanked.items()]
    replaced += [f"{value} AS {column}" for column, value in said.items()]
    # In somebody else's row only the name goes; its place stays.
    texts = ", ".join(literal(text) for text in erasing.identifiers) or "NULL"
    unsaid = f"list_transform(also, lambda x: CASE WHEN x NOT IN ({texts}) THEN x END)"
    replaced.append(f"CASE WHEN {theirs} THEN NULL WHEN {beside} THEN {unsaid} ELSE also END AS also")
    return f"SELECT * EXCLUDE (seq_here) REPLACE ({', '.join(replaced)}) FROM body_rows"


def quoting(columns: Sequence[str], found: traces.Traces) -> str:
    """A condition in SQL: one of the text columns names a trace."""
    if not found:
        return "false"
    # A plain search first: it is many times quicker than the pattern, and almost never finds anything.
    likely = " OR ".join(
        f"contains(lower({column}), {literal(text)})" for column in columns for text in found.shortest
    )
    pattern = literal(found.pattern)
    surely = " OR ".join(f"regexp_matches({column}, {pattern})" for column in columns)
    return f"coalesce(({likely}) AND ({surely}), false)"


def without(column: str, found: traces.Traces) -> str:
    """A text column in SQL with every trace made unreadable, see Traces.without."""
    if not found:
        return column
    pattern, gone = literal(found.pattern), literal(rf"\1{traces.GONE}\2")
    once = f"regexp_replace({column}, {pattern}, {gone}, 'g')"
    return f"regexp_replace({once}, {pattern}, {gone}, 'g')"


def _blank_segment(box: spool.Spool, body: spool.Stored, erasing: Erasing) -> bool:
    raw = (body.body or b"").decode("utf-8", "replace")
    # A message that was refused is in no table, so its number is not among those that go.
    if not (erasing.touches(body) or erasing.traces.found_in(raw) or _may_name(raw, erasing.identifiers)):
        return False
    gone = set(erasing.seqs[np.searchsorted(erasing.seqs, body.first) :][: body.n].tolist())
    document = json.loads(raw)
    blank_message = json.loads(rules.BLANK_MESSAGE)
    is_hers = _is_about(erasing)
    batch = [
        blank_message if body.first + place in gone or is_hers(message) else message
        for place, message in enumerate(document["batch"])
    ]
    if batch == document["batch"]:
        return False
    document["batch"] = batch
    _replace(box, body, body=json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode())
    return True


def _may_name(raw: str, identifiers: Sequence[str]) -> bool:
    """Whether one of the values stands anywhere; most bodies hold none, and need not be taken apart."""
    return any(json.dumps(identifier.partition(":")[2])[1:-1] in raw for identifier in identifiers)


def _is_about(erasing: Erasing) -> Callable[[object], bool]:
    def is_about(message: object) -> bool:
        text = json.dumps(message, ensure_ascii=False)
        return erasing.traces.found_in(text) or traces.names_in_fields(text, erasing.identifiers)

    return is_about


def _replace(
    box: spool.Spool, stored: spool.Stored, *, body: bytes | None = None, staged: str | None = None
) -> None:
    con = box.connection()
    con.execute("PRAGMA secure_delete = ON")
    con.execute(
        "UPDATE body SET body = ?, staged = ? WHERE first = ?", (packing.pack(body), staged, stored.first)
    )


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def literal(text: str) -> str:
    """A text as SQL writes it."""
    return "'" + text.replace("'", "''") + "'"
