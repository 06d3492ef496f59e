"""Forget people in the log: rows, files, the spool, the quarantine; nothing deleted stays readable on disk.

Rows are hidden from every reader by one commit. Then the files that held them are written anew, old
snapshots end, and once whoever was reading is through, the old files go and the catalogue's free pages
with them. The loader waits meanwhile; whoever sends to the collector does not.
"""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from rapport.events import blanking, lake, loader, plan, quarantine, spool, traces
from rapport.kit import clock, home, process, sqlite

READERS_WAIT_S = 30.0  # for who reads the list of files while it is written anew
DRAIN_S = 5.0  # what nearly every question of a screen takes less than; a longer one is asked once more
REWRITTEN = ("event", "subject", "claim", "subject_day", "session", "annotation")

# Rows of other people may quote an identifier; there it is made unreadable and the row stays.
_QUOTING = {
    "event": ('"text"', "properties"),
    "session": ("landing", "exit_page", "referrer", "campaign", "search"),
    "annotation": ("detail",),
}


@dataclass(slots=True)
class Forgotten:
    """What went, per store: rows of theirs, and rows of others in which they were made unreadable."""

    events: int = 0
    sessions: int = 0
    annotations: int = 0
    counters: int = 0
    claims: int = 0
    identifiers: int = 0
    quoted: int = 0
    spool_bodies: int = 0
    quarantined: int = 0
    files: int = 0  # Parquet files that were deleted
    took_s: float = field(default=0.0, compare=False)


def forget(
    subjects: Sequence[int], identifiers: Sequence[str], progress: Callable[[str], None] | None = None
) -> Forgotten:
    """Erase these subjects from the log, and their identifiers from everything in it.

    What waits in the spool is loaded first, so that every row of theirs is known by its number. May be
    called again, also after it was killed anywhere. `progress` is told what is being done.
    """
    say = progress or (lambda _: None)
    began = clock.monotonic_s()
    done = Forgotten()
    found = traces.of(identifiers)
    wanted = np.unique(np.asarray(subjects, dtype=np.int64))
    with lake.writing():
        con = lake.connect()
        try:
            say("deleting from the log")
            seqs = _hide(con, wanted, found, done)
            say("writing files anew")
            _write_anew(con)
            say("deleting from what waits")
            gone = blanking.Erasing(seqs, wanted, tuple(identifiers), found)
            done.spool_bodies = blanking.blank(spool.current(), gone)
            done.quarantined = quarantine.forget(identifiers, found)
            say("deleting old files")
            done.files = _delete_old_files(con)
        finally:
            for name in ("forgotten", "forgotten_seq"):
                con.execute(f"DROP TABLE IF EXISTS temp.{name}")
            con.close()
        _leave_no_free_page()
    done.took_s = clock.monotonic_s() - began
    return done


def forget_older(limits: Mapping[str, dt.datetime]) -> Forgotten:
    """Erase events, and what was counted and read out of them, that are older than the limit of their name.

    Whoever they are of stays known. The limits are midnights in UTC, so that no day is counted in part.
    """
    done = Forgotten()
    with lake.writing():
        con = lake.connect()
        try:
            _give_limits(con, limits)
            con.execute(
                "CREATE OR REPLACE TEMP TABLE forgotten_seq AS SELECT e.seq FROM lake.event AS e"
                " JOIN temp.limit_of AS l ON e.name = l.name WHERE e.ts < l.before_ts"
            )
            seqs = _numbers(con, f"{_NUMBERS} ORDER BY seq")
            if seqs.size:
                _hide_older(con, done)
                _write_anew(con)
                done.spool_bodies = blanking.blank(spool.current(), blanking.of_seqs(seqs))
                done.files = _delete_old_files(con)
        finally:
            con.execute("DROP TABLE IF EXISTS temp.forgotten_seq; DROP TABLE IF EXISTS temp.limit_of")
            con.close()
        if done.events:
            _leave_no_free_page()
    return done


def withdraw(seqs: Sequence[int]) -> Forgotten:
    """Take the words out of single events: that something was said stays, so that it is known again, and not what.

    Annotations of them go. An event that is empty already is left as it is.
    """
    return _forget_seqs(seqs, _empty)


def forget_seqs(seqs: Sequence[int]) -> Forgotten:
    """Erase single events, and what was read out of them."""
    return _forget_seqs(seqs, lambda con: _delete(con, "event", f"seq IN ({_NUMBERS})"))


_NUMBERS = "SELECT seq FROM temp.forgotten_seq"
# What joins a withdrawn post to those around it; every other property may hold words.
_KEPT_PROPERTIES = ("post_id", "network", "in_reply_to", "thread", "follows")


def _empty(con: duckdb.DuckDBPyConnection) -> int:
    kept = ", ".join(f"'{key}', properties->'$.{key}'" for key in _KEPT_PROPERTIES)
    return _count(
        con,
        f"UPDATE lake.event SET \"text\" = NULL, properties = json_merge_patch('{{}}', json_object({kept},"
        f" 'withdrawn', true)) WHERE seq IN ({_NUMBERS}) AND NOT coalesce((properties->>'$.withdrawn')::BOOLEAN, false)",
    )


def _forget_seqs(seqs: Sequence[int], change: Callable[[duckdb.DuckDBPyConnection], int]) -> Forgotten:
    began = clock.monotonic_s()
    done = Forgotten()
    gone = blanking.of_seqs(seqs)
    if not gone.seqs.size:
        return done
    with lake.writing():
        con = lake.connect()
        try:
            lake.give(con, "forgotten_seq", pa.table({"seq": pa.array(gone.seqs)}))
            with lake.together(con):
                done.events = change(con)
                done.annotations = _delete(con, "annotation", f"seq IN ({_NUMBERS})")
            if done.events or done.annotations:
                _write_anew(con)
                done.spool_bodies = blanking.blank(spool.current(), gone)
                done.files = _delete_old_files(con)
        finally:
            con.execute("DROP TABLE IF EXISTS temp.forgotten_seq")
            con.close()
        if done.events or done.annotations:
            _leave_no_free_page()
    done.took_s = clock.monotonic_s() - began
    return done


def counted_before(limits: Mapping[str, dt.datetime]) -> dict[str, int]:
    """How many events of each name are older than its limit; names with none are left out."""
    con = lake.connect()
    try:
        _give_limits(con, limits)
        return dict(
            con.execute(
                "SELECT e.name, count(*) FROM lake.event AS e JOIN temp.limit_of AS l ON e.name = l.name"
                " WHERE e.ts < l.before_ts GROUP BY e.name"
            ).fetchall()
        )
    finally:
        con.execute("DROP TABLE IF EXISTS temp.limit_of")
        con.close()


def _give_limits(con: duckdb.DuckDBPyConnection, limits: Mapping[str, dt.datetime]) -> None:
    planned = plan.current()
    table = pa.table(
        {
            "name": pa.array(list(limits), pa.string()),
            "before_ts": pa.array(list(limits.values()), pa.timestamp("us", tz="UTC")),
            "in_session": pa.array([n in planned and planned[n].session for n in limits], pa.bool_()),
        }
    )
    lake.give(con, "limit_of", table)


def _hide_older(con: duckdb.DuckDBPyConnection, done: Forgotten) -> None:
    with lake.together(con):
        done.events = _delete(con, "event", f"seq IN ({_NUMBERS})")
        done.annotations = _delete(con, "annotation", f"seq IN ({_NUMBERS})")
        done.counters = _delete(
            con,
            "subject_day",
            "(name, day) IN (SELECT (d.name, d.day) FROM lake.subject_day AS d JOIN temp.limit_of AS l"
            " ON d.name = l.name WHERE d.day < l.before_ts::DATE)",
        )
        # A visit is made of several kinds of events; it goes with the first of them that goes.
        done.sessions = _delete(
            con, "session", "ended_at < (SELECT max(before_ts) FROM temp.limit_of WHERE in_session)"
        )


def _hide(
    con: duckdb.DuckDBPyConnection, subjects: blanking.Seqs, found: traces.Traces, done: Forgotten
) -> blanking.Seqs:
    """Delete their rows in one transaction; gives the numbers of their events."""
    lake.give(con, "forgotten", pa.table({"subject": pa.array(subjects)}))
    theirs = "subject IN (SELECT subject FROM temp.forgotten)"
    ends = "(a IN (SELECT subject FROM temp.forgotten) OR b IN (SELECT subject FROM temp.forgotten))"
    seqs = _numbers(
        con,
        f"SELECT seq FROM lake.event WHERE {theirs} UNION SELECT first_seq FROM lake.subject WHERE {theirs}"
        " ORDER BY seq",
    )
    with lake.together(con):
        done.events = _delete(con, "event", theirs)
        done.annotations = _delete(con, "annotation", theirs)
        done.sessions = _delete(con, "session", theirs)
        done.counters = _delete(con, "subject_day", theirs)
        done.claims = _delete(con, "claim", ends)
        done.identifiers = _delete(con, "subject", theirs)
        done.quoted = _unquote(con, found)
    return seqs


def _unquote(con: duckdb.DuckDBPyConnection, found: traces.Traces) -> int:
    if not found:
        return 0
    n = 0
    for table, columns in _QUOTING.items():
        quoting = blanking.unreadable(con, f"lake.{table}", "rowid AS place", columns, found)
        if not quoting.num_rows:
            continue
        lake.give(con, "unreadable", quoting)
        changes = ", ".join(f"{column} = u.{column}" for column in columns)
        n += _count(
            con, f"UPDATE lake.{table} AS t SET {changes} FROM temp.unreadable AS u WHERE t.rowid = u.place"
        )
    return n


def _delete(con: duckdb.DuckDBPyConnection, table: str, where: str) -> int:
    return _count(con, f"DELETE FROM lake.{table} WHERE {where}")


def _count(con: duckdb.DuckDBPyConnection, statement: str) -> int:
    row = con.execute(statement).fetchone()
    return int(row[0]) if row else 0


def _numbers(con: duckdb.DuckDBPyConnection, select: str) -> blanking.Seqs:
    found = con.execute(select).fetchnumpy()
    return np.asarray(next(iter(found.values())), dtype=np.int64)


def _write_anew(con: duckdb.DuckDBPyConnection) -> None:
    """Every file that something was deleted from; durable before the old one can go."""
    began_at = clock.now_us() / 1e6
    con.execute("CALL ducklake_flush_inlined_data('lake')")
    for table in REWRITTEN:
        # Who reads for longer than this sees rows missing; no subscriber does, they are held.
        with lake.changing_files(READERS_WAIT_S):
            con.execute(
                f"CALL ducklake_rewrite_data_files('lake', '{table}', delete_threshold => 0)"
            ).fetchall()
    loader.flush_new_files(began_at)
    lake.forget_ranges(con)


def _delete_old_files(con: duckdb.DuckDBPyConnection) -> int:
    """End every snapshot but the newest, and delete what only those needed."""
    if _others_run():
        clock.sleep(DRAIN_S)
    _, root = lake.location()
    before = _parquet_files(root)
    with lake.changing_files(READERS_WAIT_S):
        con.execute("CALL ducklake_expire_snapshots('lake', older_than => now())").fetchall()
    con.execute("CALL ducklake_cleanup_old_files('lake', cleanup_all => true)").fetchall()
    con.execute("CALL ducklake_delete_orphaned_files('lake', cleanup_all => true)").fetchall()
    return len(before - _parquet_files(root))


def _parquet_files(root: Path) -> set[Path]:
    return set(root.rglob("*.parquet"))


def _others_run() -> bool:
    """Whether another process of ours may be in the middle of reading."""
    return any(p.alive and p.pid != os.getpid() for p in process.running())


def _leave_no_free_page() -> None:
    """The catalogue and the spool without what was deleted from them."""
    address, _ = lake.location()
    files = [spool.location()]
    if address.startswith("ducklake:sqlite:"):
        files.append(Path(address.removeprefix("ducklake:sqlite:")))
    for file in files:
        if file.exists():
            sqlite.rewrite(file)
    _sweep_spilled()


def _sweep_spilled() -> None:
    """What an engine spilled to disk before its process was killed."""
    if not _others_run():
        for file in home.path("tmp").glob("duckdb_temp_*"):
            file.unlink(missing_ok=True)
