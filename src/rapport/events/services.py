"""Verbs of the log: record touchpoints, annotate, refuse, make sure that it is loaded."""

from __future__ import annotations

import datetime as dt
import functools
import json
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rapport.events import erased, forgetting, lake, loader, plan, quarantine, rules, spool, upkeep
from rapport.events.forgetting import Forgotten
from rapport.events.quarantine import Refused
from rapport.events.spool import Range
from rapport.kit import clock, home, query
from rapport.kit.errors import Conflict, Invalid, Unavailable

__all__ = [
    "Forgotten",
    "Objection",
    "Range",
    "Refused",
    "annotate",
    "counted_before",
    "forget",
    "forget_older",
    "forget_seqs",
    "keep_out",
    "objections",
    "quarantine_rows",
    "record",
    "record_query",
    "settle",
    "touchpoint",
    "withdraw",
]

INLINE_ROWS = 2_000  # fewer rows than this travel inside the spool row, more as a staged Parquet file
WAIT_S = 0.1


def record(
    table: pa.Table, *, source: str, batch: str = "", trusted: bool = False, within: str = ""
) -> Range:
    """Append touchpoints durably; they are in the spool when this returns.

    `table` has the columns of rules.TOUCHPOINT (missing nullable ones are NULL). With `trusted`, columns
    were typed by our own code and rows are not checked against the plan one by one. `within` says where
    message ids are unique, if not within the source: what two sources tell of one network is one. Raises
    Invalid for an empty table or a missing column.
    """
    rows = _conform(table, rules.TOUCHPOINT)
    kind = spool.TRUSTED if trusted else spool.TOUCHPOINTS
    with lake.scratch() as con:
        con.register("given", rows)
        if rows.num_rows < INLINE_ROWS:
            shaped = con.execute(_shape(con, "SELECT * FROM given", within or source)).to_arrow_table()
            return _append(kind, source, batch, shaped.num_rows, body=_ipc(shaped))
        return _stage(con, "SELECT * FROM given", source=source, batch=batch, kind=kind, within=within)


def record_query(
    con: duckdb.DuckDBPyConnection, select: str, *, source: str, batch: str = "", trusted: bool = False
) -> Range:
    """Append the rows of a SELECT that yields the columns of rules.TOUCHPOINT, without leaving DuckDB.

    In place of `message_id` it may give `id`, a UUID that already tells source and row apart from any other.
    Gives a Range with n = 0 where the SELECT yields nothing.
    """
    return _stage(
        con, select, source=source, batch=batch, kind=spool.TRUSTED if trusted else spool.TOUCHPOINTS
    )


def touchpoint(name: str, identifier: str, *, source: str, message_id: str = "", **columns: Any) -> Range:
    """Record one touchpoint of our own, such as identity_merged; properties may be a dict."""
    properties = columns.pop("properties", None)
    row = {
        "message_id": message_id or str(uuid.UUID(bytes=_random())),
        "name": name,
        "ts": columns.pop("ts", clock.now()),
        "identifier": identifier,
        "properties": json.dumps(properties or {}),
        **columns,
    }
    return record(pa.Table.from_pylist([row], schema=rules.TOUCHPOINT), source=source)


def annotate(table: pa.Table) -> Range:
    """Append what a model says of events' texts; rows in the shape of rules.ANNOTATION."""
    rows = _conform(table, rules.ANNOTATION)
    if rows.num_rows < INLINE_ROWS:
        return _append(spool.ANNOTATIONS, "insights", "", rows.num_rows, body=_ipc(rows))
    box = spool.current()
    path = box.staging_path()
    pq.write_table(rows, path, compression="lz4")
    box.make_durable(path)
    return _append(spool.ANNOTATIONS, "insights", "", rows.num_rows, staged=path.name)


def quarantine_rows(refusals: Iterable[Refused]) -> int:
    """Keep what could not become a touchpoint, with its reason."""
    return quarantine.keep(refusals)


def settle(upto_seq: int, progress: Callable[[int], None] | None = None, *, timeout_s: float = 600) -> None:
    """Come back once the lake holds everything up to `upto_seq`.

    Loads it here where no loader runs, else waits for the one that does; `progress` gets the last number
    loaded. Raises Unavailable after `timeout_s` without progress.
    """
    con = lake.connect()
    seen, since = -1, clock.monotonic_s()
    reached = 0

    def on_range(done: loader.Loaded) -> None:
        nonlocal reached
        reached = done.last
        if progress:
            progress(done.last)

    try:
        while reached < upto_seq and (loaded := loader.offset(con)) < upto_seq:
            if progress:
                progress(loaded)
            if not spool.current().waiting(loaded)[0]:
                return  # numbers were left out, because a restored store had used them
            if loaded > seen:
                seen, since = loaded, clock.monotonic_s()
            elif clock.monotonic_s() - since > timeout_s:
                raise Unavailable(
                    f"the loader stopped at {loaded} of {upto_seq}",
                    "`rapport doctor` says why; nothing is lost, it is in the spool.",
                    retry_after_s=60,
                )
            try:
                with home.lock(loader.LOCK):
                    upkeep.drain(on_range, upto=upto_seq)
            except Conflict:
                clock.sleep(WAIT_S)
    finally:
        con.close()


def keep_out(identifiers: Iterable[str]) -> tuple[str, ...]:
    """Leave out from now on whatever names these identifiers; gives their keyed hashes."""
    return erased.remember(identifiers)


def forget(
    subjects: Sequence[int], identifiers: Sequence[str], progress: Callable[[str], None] | None = None
) -> Forgotten:
    """Erase subjects and every trace of their identifiers from the lake, the spool and the quarantine.

    `keep_out` comes first, or a file that is being read brings them back. What waits is loaded before.
    """
    waiting = spool.current().next_seq() - 1
    if waiting:
        settle(waiting)
    return forgetting.forget(subjects, identifiers, progress)


def forget_older(limits: Mapping[str, dt.datetime]) -> Forgotten:
    """Erase the events of each name that are older than its limit, a midnight in UTC."""
    waiting = spool.current().next_seq() - 1
    if waiting:
        settle(waiting)
    return forgetting.forget_older(limits)


def withdraw(seqs: Sequence[int]) -> Forgotten:
    """Take the words out of single events for good: that they were stays, and no word of them."""
    if seqs:
        settle(max(seqs))
    return forgetting.withdraw(seqs)


def forget_seqs(seqs: Sequence[int]) -> Forgotten:
    """Erase single events, and what was read out of them."""
    if seqs:
        settle(max(seqs))
    return forgetting.forget_seqs(seqs)


def counted_before(limits: Mapping[str, dt.datetime]) -> dict[str, int]:
    """How many events of each name `forget_older` would erase; names with none are left out."""
    return forgetting.counted_before(limits)


@dataclass(frozen=True, slots=True)
class Objection:
    """Why the loader would put a touchpoint in quarantine."""

    place: int  # of the row, from 0
    reason: str
    field: str
    message: str


def objections(table: pa.Table) -> list[Objection]:
    """What the loader would refuse of these touchpoints (a request's worth), by the loader's own query."""
    rows = _conform(table, rules.TOUCHPOINT)
    with lake.scratch() as con:
        con.register("given", rows)
        for name, relation in plan.relations(plan.current()).items():
            con.register(name, relation)
        con.execute(
            "CREATE TEMP TABLE incoming AS SELECT row_number() OVER () - 1 AS seq, $now AS received_at, *,"
            " properties AS raw, NULL::VARCHAR AS reason, NULL::VARCHAR AS field, NULL::VARCHAR AS message"
            " FROM given",
            {"now": clock.now()},
        )
        select = query.load("rapport.events", "load_check").text
        found = con.execute(
            f"SELECT * FROM ({select}) WHERE reason IS NOT NULL ORDER BY seq", loader.CHECK
        ).fetchall()
    return [Objection(*row) for row in found]


def _conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    if table.num_rows == 0:
        raise Invalid("there are no rows to record", "Record at least one.")
    columns = []
    for field in schema:
        if field.name in table.column_names:
            column = table.column(field.name)
            if column.null_count and not field.nullable:
                raise Invalid(
                    f"column {field.name} holds {column.null_count} empty values",
                    "Fill or leave out these rows.",
                )
            columns.append(pc.cast(column, field.type))
        elif field.nullable:
            columns.append(pa.nulls(table.num_rows, field.type))
        else:
            raise Invalid(f"the rows have no column {field.name}", f"They need {', '.join(schema.names)}.")
    return pa.table(columns, schema=schema)


def _shape(con: duckdb.DuckDBPyConnection, select: str, source: str) -> str:
    """Touchpoints with their id: the one they bring, else the hash of source and natural key."""
    literal = "'" + source.replace("'", "''") + "'"
    given = {row[0] for row in con.execute(f"DESCRIBE {select}").fetchall()}
    id_ = "id" if "id" in given else f"md5({literal} || chr(31) || message_id)::UUID"
    return (
        f"SELECT {id_} AS id, name, ts, identifier, also, evidence,"
        f' channel, venue, "text", value_minor, currency, properties FROM ({select})'
    )


def _stage(
    con: duckdb.DuckDBPyConnection, select: str, *, source: str, batch: str, kind: str, within: str = ""
) -> Range:
    box = spool.current()
    path = box.staging_path()
    shaped = _shape(con, select, within or source)
    result = con.execute(
        f"COPY ({shaped}) TO '{path}' (FORMAT parquet, COMPRESSION lz4, ROW_GROUP_SIZE 131072)"
    ).fetchone()
    n = int(result[0]) if result else 0
    if n == 0:
        path.unlink(missing_ok=True)
        return Range(box.next_seq(), 0)
    box.make_durable(path)
    return _append(kind, source, batch, n, staged=path.name)


def _append(
    kind: str, source: str, batch: str, n: int, *, body: bytes | None = None, staged: str | None = None
) -> Range:
    (written,) = spool.current().append(
        [spool.Body(kind=kind, source=source, batch=batch, n=n, body=body, staged=staged)]
    )
    return written


def _ipc(table: pa.Table) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return bytes(sink.getvalue().to_pybytes())


def _random() -> bytes:
    from rapport.kit import ids

    return ids.uuid7().bytes


def _replay_touchpoint(body: str, source: str) -> None:
    """A corrected touchpoint: the JSON of one row in the TOUCHPOINT shape."""
    try:
        row = json.loads(body)
    except ValueError as error:
        raise Invalid(f"the corrected text is not JSON: {error}", "Check commas and quotes.") from None
    if not isinstance(row, dict):
        raise Invalid("the corrected text is not a JSON object", "Keep the outer braces.")
    row.setdefault("message_id", row.get("id") or str(uuid.UUID(bytes=_random())))
    if isinstance(row.get("properties"), dict):
        row["properties"] = json.dumps(row["properties"])
    with lake.scratch() as con:
        con.register("given", pa.table({"j": [json.dumps(row)]}))
        shape = (
            '{"message_id":"VARCHAR","name":"VARCHAR","ts":"TIMESTAMPTZ","identifier":"VARCHAR",'
            '"also":["VARCHAR"],"evidence":"VARCHAR","channel":"VARCHAR","venue":"VARCHAR","text":"VARCHAR",'
            '"value_minor":"BIGINT","currency":"VARCHAR","properties":"VARCHAR"}'
        )
        try:
            table = con.execute(f"SELECT unnest(from_json_strict(j, '{shape}')) FROM given").to_arrow_table()
        except duckdb.Error as error:
            raise Invalid(
                f"the corrected text does not fit: {error}", "Compare it with another event."
            ) from None
    record(table, source=source)


def _replay_message(body: str, source: str, **beside: str) -> None:
    """A corrected message of the collector: the JSON of one message; `beside` stands beside its batch."""
    try:
        message = json.loads(body)
    except ValueError as error:
        raise Invalid(f"the corrected text is not JSON: {error}", "Check commas and quotes.") from None
    if not isinstance(message, dict):
        raise Invalid("the corrected text is not a JSON object", "Keep the outer braces.")
    raw = json.dumps({"batch": [message], **beside}).encode()
    spool.current().append([spool.Body(kind=spool.SEGMENT, source=source, n=1, body=raw)])


quarantine.register_replayer(quarantine.TOUCHPOINT, _replay_touchpoint)
quarantine.register_replayer(quarantine.MESSAGE, _replay_message)
quarantine.register_replayer(quarantine.SITE, functools.partial(_replay_message, door="site"))
