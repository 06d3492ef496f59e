"""Upkeep of the lake: join small files, drop what no reader needs, find damaged files and load them again."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import duckdb

from rapport.events import lake, loader, spool
from rapport.events.models import Cursor
from rapport.kit import clock, query

log = logging.getLogger(__name__)

SMALL_FILE_BYTES = 16_000_000  # tails of small commits are joined up to this size without touching big files
READERS_WAIT_S = (
    5.0  # for who reads the list of files, in which nothing is loaded; files are joined later then
)
SNAPSHOT_KEEP_S = 900  # twice the longest query we permit, and then some
COMPACTED = ("event", "subject", "claim", "subject_day", "session", "annotation")
PARQUET_MAGIC = b"PAR1"


@dataclass(frozen=True, slots=True)
class Damaged:
    """A Parquet file that is not what the catalogue says it is."""

    file_id: int
    table: str
    path: Path
    problem: str
    first_seq: int | None
    last_seq: int | None


def compact(con: duckdb.DuckDBPyConnection, *, everything: bool = False) -> int:
    """Join small files (or, with `everything`, all below DuckLake's target size); gives files removed.

    Runs in the loader, which is the one writer but for erasures, and these hold the same lock.
    """
    with lake.writing():
        return _compact(con, everything=everything)


def _compact(con: duckdb.DuckDBPyConnection, *, everything: bool) -> int:
    limit = "" if everything else f", max_file_size => {SMALL_FILE_BYTES}"
    joined = 0
    until = clock.monotonic_s() + READERS_WAIT_S
    for table in COMPACTED:
        with lake.changing_files(max(0.0, until - clock.monotonic_s())) as is_alone:
            if not is_alone:
                return joined  # somebody reads for long: the next time
            for row in con.execute(
                f"CALL ducklake_merge_adjacent_files('lake', '{table}'{limit})"
            ).fetchall():
                joined += int(row[2])
    with lake.changing_files(max(0.0, until - clock.monotonic_s())) as is_alone:
        if is_alone:
            _leave_out_old(con)
    return joined


def _leave_out_old(con: duckdb.DuckDBPyConnection) -> None:
    con.execute("CALL ducklake_flush_inlined_data('lake')")
    cutoff = clock.from_us(clock.now_us() - SNAPSHOT_KEEP_S * 1_000_000)
    con.execute(f"CALL ducklake_expire_snapshots('lake', older_than => TIMESTAMPTZ '{cutoff.isoformat()}')")
    con.execute(f"CALL ducklake_cleanup_old_files('lake', older_than => TIMESTAMPTZ '{cutoff.isoformat()}')")
    spool.current().purge()


def number_on() -> None:
    """Have the spool number on behind what the lake and the subscribers know.

    A spool that was lost, or restored from before, would begin again at numbers that are taken: such
    events were neither loaded nor given to anybody, and deleted a day later.
    """
    con = lake.connect()
    try:
        known = [loader.offset(con), *Cursor.objects.order_by("-seq").values_list("seq", flat=True)[:1]]
    finally:
        con.close()
    if spool.current().number_after(max(known)):
        log.warning("the spool was behind the lake, as after a restore; the next event is %s", max(known) + 1)


def drain(progress: Callable[[loader.Loaded], None] | None = None, *, upto: int | None = None) -> int:
    """Load everything that waits (or up to a number), compact where due; gives the events accepted."""
    worker = loader.Loader()
    accepted = 0
    try:
        while (upto is None or worker.head < upto) and (loaded := worker.load_next()):
            accepted += loaded.accepted
            if progress:
                progress(loaded)
            if worker.commits % loader.COMPACT_EVERY_COMMITS == 0:
                compact(worker.con)
    finally:
        worker.close()
    return accepted


def small_files(con: duckdb.DuckDBPyConnection) -> int:
    """How many Parquet files are small enough to be joined."""
    row = con.execute(
        "SELECT count(*) FROM __ducklake_metadata_lake.ducklake_data_file"
        f" WHERE end_snapshot IS NULL AND file_size_bytes < {SMALL_FILE_BYTES}"
    ).fetchone()
    return int(row[0]) if row else 0


def verify(con: duckdb.DuckDBPyConnection) -> list[Damaged]:
    """Every file of the present snapshot that is missing, truncated or has lost its footer."""
    _, root = lake.location()
    rows = con.execute(
        "SELECT f.data_file_id, t.table_name, s.path, t.path, f.path, f.file_size_bytes,"
        " try_cast(c.min_value AS BIGINT), try_cast(c.max_value AS BIGINT)"
        " FROM __ducklake_metadata_lake.ducklake_data_file AS f"
        " JOIN __ducklake_metadata_lake.ducklake_table AS t ON t.table_id = f.table_id AND t.end_snapshot IS NULL"
        " JOIN __ducklake_metadata_lake.ducklake_schema AS s ON s.schema_id = t.schema_id"
        " LEFT JOIN __ducklake_metadata_lake.ducklake_column AS k ON k.table_id = f.table_id"
        " AND k.end_snapshot IS NULL AND k.column_name IN ('seq', 'first_seq')"
        " LEFT JOIN __ducklake_metadata_lake.ducklake_file_column_stats AS c"
        " ON c.data_file_id = f.data_file_id AND c.column_id = k.column_id"
        " WHERE f.end_snapshot IS NULL"
    ).fetchall()
    damaged = []
    for file_id, table, schema_path, table_path, file_path, size, first, last in rows:
        path = root / schema_path / table_path / file_path
        problem = _problem(path, size)
        if problem:
            damaged.append(Damaged(file_id, table, path, problem, first, last))
    return damaged


def _problem(path: Path, size: int) -> str:
    if not path.exists():
        return "is missing"
    actual = path.stat().st_size
    if actual != size:
        return f"has {actual} bytes and should have {size}"
    with path.open("rb") as file:
        file.seek(-4, 2)
        if file.read(4) != PARQUET_MAGIC:
            return "has lost its footer"
    return ""


def repair(con: duckdb.DuckDBPyConnection) -> tuple[list[Damaged], list[str]]:
    """Take damaged files out of the catalogue and load their ranges again from the spool.

    Gives what was damaged, and in sentences what could not be had back. Counters and sessions are made
    anew from the events wherever one of their files, or an event file, was touched.
    """
    damaged = verify(con)
    if not damaged:
        return [], []
    lost: list[str] = []
    con.execute("BEGIN")
    ids = ", ".join(str(d.file_id) for d in damaged)
    con.execute(
        "UPDATE __ducklake_metadata_lake.ducklake_data_file SET end_snapshot ="
        " (SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot), begin_snapshot ="
        " (SELECT max(snapshot_id) FROM __ducklake_metadata_lake.ducklake_snapshot)"
        f" WHERE data_file_id IN ({ids})"
    )
    con.execute("COMMIT")
    lake.forget()
    worker = loader.Loader()
    try:
        for d in damaged:
            log.warning("%s %s: taken out of the lake, loading its range again", d.path, d.problem)
            if d.first_seq is None or d.last_seq is None:
                continue
            bodies = worker.spool.read(d.first_seq, last=d.last_seq, max_events=1 << 62, max_bytes=1 << 62)
            if not bodies or bodies[0].first > d.first_seq:
                lost.append(
                    f"{d.path} {d.problem}; its events {d.first_seq} to {d.last_seq} are no longer all in the"
                    " spool: restore the file from the backup"
                )
            for body in bodies:
                with lake.writing():
                    worker.load([body], repair=True)
        rebuild_derived(worker.con)
    finally:
        worker.close()
    return damaged, lost


def rebuild_derived(con: duckdb.DuckDBPyConnection) -> None:
    """Make counters and sessions anew from all events, in one transaction."""
    con.execute(
        "CREATE OR REPLACE TEMP VIEW fresh AS SELECT seq, received_at, source, '' AS batch, id, name, ts,"
        ' NULL AS identifier, NULL AS also, NULL AS evidence, channel, venue, "text", value_minor, currency,'
        " properties, subject FROM lake.event"
    )
    con.execute("BEGIN")
    try:
        for table, name in (("subject_day", "load_counters"), ("session", "load_sessions")):
            con.execute(f"DELETE FROM lake.{table}")
            con.execute(f"INSERT INTO lake.{table} {query.load('rapport.events', name).text}")
        con.execute("COMMIT")
    except duckdb.Error:
        con.execute("ROLLBACK")
        raise
    finally:
        con.execute("DROP VIEW fresh")
