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


def of_seqs(seqs: Sequence[int] | Seqs) -> Erasing:
    """Single rows alone, such as those that the loader left out."""
    return Erasing(np.unique(np.asarray(seqs, dtype=np.int64)), np.empty(0, np.int64), (), traces.Traces(()))


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
        theirs = "(subject IN (SELECT subject FROM gone_subject) OR seq IN (SELECT seq FROM gone_seq))"
        (n,) = con.execute(f"SELECT count(*) FROM ({rows}) WHERE {theirs}").fetchall()[0]
        return f"SELECT * EXCLUDE (seq_here) FROM ({rows}) WHERE NOT {theirs}" if n else None
    con.execute(f"CREATE OR REPLACE TEMP VIEW body_rows AS {rows}")
    theirs = (
        "(seq_here IN (SELECT seq FROM gone_seq) OR identifier IN (SELECT identifier FROM gone_identifier))"
    )
    named = "(SELECT coalesce(list(identifier), []) FROM gone_identifier)"
    beside = f"coalesce(list_has_any(also, {named}), false)"
    betrayed = unreadable(con, "body_rows", "seq_here", ('"text"', "properties"), erasing.traces)
    betrayed = betrayed.rename_columns(["seq_there", "text_there", "properties_there"])
    (n,) = con.execute(f"SELECT count(*) FROM body_rows WHERE {theirs} OR {beside}").fetchall()[0]
    if not n and not betrayed.num_rows:
        return None
    lake.give(con, "betrayed", betrayed)
    blanked = {
        "name": literal(rules.BLANK_NAME),
        "identifier": "''",
        **dict.fromkeys(("evidence", "channel", "venue", "value_minor", "currency"), "NULL"),
    }
    said = {
        column: f"CASE WHEN {theirs} THEN NULL WHEN seq_there IS NULL THEN {column} ELSE {there} END"
        for column, there in (('"text"', "text_there"), ("properties", "properties_there"))
    }
    replaced = [f"CASE WHEN {theirs} THEN {value} ELSE {key} END AS {key}" for key, value in blanked.items()]
    replaced += [f"{value} AS {column}" for column, value in said.items()]
    # In somebody else's row only the name goes; its place stays.
    texts = ", ".join(literal(text) for text in erasing.identifiers) or "NULL"
    unsaid = f"list_transform(also, lambda x: CASE WHEN x NOT IN ({texts}) THEN x END)"
    replaced.append(f"CASE WHEN {theirs} THEN NULL WHEN {beside} THEN {unsaid} ELSE also END AS also")
    # A row's place is its number, and a join keeps no order.
    return (
        "SELECT * EXCLUDE (seq_here, seq_there, text_there, properties_there)"
        f" REPLACE ({', '.join(replaced)}) FROM body_rows LEFT JOIN betrayed ON seq_here = seq_there"
        " ORDER BY seq_here"
    )


def _naming(
    con: duckdb.DuckDBPyConnection, rows: str, key: str, columns: Sequence[str], found: traces.Traces
) -> str:
    """A condition in SQL that holds wherever one of the text columns names a trace, and seldom elsewhere.

    Of many traces each is not looked for by itself: the texts are taken apart into runs of letters and digits,
    and these are joined with those of the traces, which takes as long for ten thousand as for fifty.
    """
    if not found.are_many:
        names = [f"contains(lower({c}), {literal(text)})" for c in columns for text in found.shortest]
        return f"coalesce({' OR '.join(names)}, false)"
    lake.give(con, "trace_run", pa.table({"run": pa.array(list(found.by_run), pa.string())}))
    expression = key.partition(" AS ")[0]
    runs = " UNION ALL ".join(
        f"SELECT {expression} AS there, unnest(regexp_extract_all(lower({c}::VARCHAR), '{traces.RUN}')) AS run"
        f" FROM {rows} WHERE {c} IS NOT NULL"
        for c in columns
    )
    names = [f"{expression} IN (SELECT there FROM ({runs}) WHERE run IN (SELECT run FROM temp.trace_run))"]
    names += [
        f"coalesce(contains(lower({c}), {literal(text)}), false)" for c in columns for text in found.runless
    ]
    return " OR ".join(names)


def unreadable(
    con: duckdb.DuckDBPyConnection, rows: str, key: str, columns: Sequence[str], found: traces.Traces
) -> pa.Table:
    """Of a relation's rows those that name a trace: their key, and the text columns with it made unreadable.

    What may name one is taken out by a condition; whether it does is said by the same pattern for every store.
    """
    listed = ", ".join(f"{column}::VARCHAR AS {column}" for column in columns)
    where = _naming(con, rows, key, columns, found) if found else "false"
    near = con.execute(f"SELECT {key}, {listed} FROM {rows} WHERE {where}").to_arrow_table()
    said: list[list[str | None]] = []
    for place in range(1, near.num_columns):
        said.append(
            [None if text is None else found.without(text) for text in near.column(place).to_pylist()]
        )
    changed = [
        any(new != old for new, old in zip(row_new, row_old, strict=True))
        for row_new, row_old in zip(
            zip(*said, strict=True), zip(*(c.to_pylist() for c in near.columns[1:]), strict=True), strict=True
        )
    ]
    names = [near.schema.names[0], *(column.strip('"') for column in columns)]
    table = pa.table([near.column(0), *(pa.array(texts, pa.string()) for texts in said)], names=names)
    return table.filter(pa.array(changed, pa.bool_()))


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
