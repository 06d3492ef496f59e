"""The lake: events, counters, sessions and annotations as Parquet under DuckLake; DuckDB reads it.

One DuckDB engine per process holds the catalogue, and nothing else in that process opens it: two
libraries on one SQLite file have lost a committed row. Readers are many; the loader is the one writer.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import os
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, cast

import duckdb
import pyarrow as pa

from rapport.kit import clock, home, query
from rapport.kit.errors import Conflict, Invalid, NotFound

FILES_LOCK = "lake-files"
FILES_PAUSE_S = 0.01
GREATEST_TEXT = "\U0010ffff"  # what no text stands behind

# Tables in the order they are made: name, columns, partitioned by, sorted by, rows kept in the catalogue
# until they are flushed (tiny commits must not leave a file each).
TABLES: dict[str, tuple[str, str, str, int]] = {
    "event": (
        "id UUID NOT NULL, seq BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL, received_at TIMESTAMPTZ NOT NULL,"
        " subject BIGINT NOT NULL, name VARCHAR NOT NULL, source VARCHAR NOT NULL, channel VARCHAR,"
        ' venue VARCHAR, "text" VARCHAR, value_minor BIGINT, currency VARCHAR, properties JSON',
        "year(ts), month(ts)",
        "subject, ts",
        0,
    ),
    "subject": (
        "subject BIGINT NOT NULL, identifier VARCHAR NOT NULL, first_seq BIGINT NOT NULL",
        "",
        "identifier",
        0,
    ),
    "claim": (
        "seq BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL, a BIGINT NOT NULL, b BIGINT NOT NULL,"
        " evidence VARCHAR NOT NULL, source VARCHAR NOT NULL",
        "",
        "seq",
        0,
    ),
    "subject_day": (
        "subject BIGINT NOT NULL, day DATE NOT NULL, name VARCHAR NOT NULL, dimension VARCHAR NOT NULL,"
        " n BIGINT NOT NULL, value_minor BIGINT NOT NULL, first_ts TIMESTAMPTZ NOT NULL,"
        " last_ts TIMESTAMPTZ NOT NULL",
        "",
        "name, day",
        0,
    ),
    "session": (
        "subject BIGINT NOT NULL, started_at TIMESTAMPTZ NOT NULL, ended_at TIMESTAMPTZ NOT NULL,"
        " source VARCHAR NOT NULL, channel VARCHAR, n_pages BIGINT NOT NULL, n_events BIGINT NOT NULL,"
        " landing VARCHAR, exit_page VARCHAR, referrer VARCHAR, referrer_domain VARCHAR,"
        " campaign VARCHAR, search VARCHAR",
        "year(started_at), month(started_at)",
        "subject, started_at",
        0,
    ),
    "annotation": (
        "seq BIGINT NOT NULL, subject BIGINT NOT NULL, ts TIMESTAMPTZ NOT NULL, name VARCHAR NOT NULL,"
        " label VARCHAR NOT NULL, value DOUBLE, probability DOUBLE, model VARCHAR NOT NULL,"
        " version VARCHAR NOT NULL, detail VARCHAR, run BIGINT NOT NULL",
        "year(ts), month(ts)",
        "name, seq",
        0,
    ),
    "receipt": (
        "batch VARCHAR NOT NULL, source VARCHAR NOT NULL, first_seq BIGINT NOT NULL,"
        " last_seq BIGINT NOT NULL, n_read BIGINT NOT NULL, n_accepted BIGINT NOT NULL,"
        " n_duplicate BIGINT NOT NULL, n_quarantined BIGINT NOT NULL, loaded_at TIMESTAMPTZ NOT NULL,"
        " n_left_out BIGINT",  # of people who were erased; empty in receipts older than the column
        "",
        "",
        1_000,
    ),
}

# Relations that queries may need beside the lake's tables; empty ones stand in when queries are checked.
RELATIONS = {
    "identity": "subject BIGINT, person BIGINT, core BIGINT",
    "score": "person BIGINT, name VARCHAR, value DOUBLE, unit VARCHAR, as_of TIMESTAMPTZ,"
    " low DOUBLE, high DOUBLE, label VARCHAR",
    "wanted": "subject BIGINT",
    "body": "first BIGINT, received_at BIGINT, source VARCHAR, batch VARCHAR, body VARCHAR",
    "plan_event": "name VARCHAR, counted BOOLEAN, counted_by VARCHAR, in_session BOOLEAN, by_script BOOLEAN",
    "plan_property": "name VARCHAR, property VARCHAR, kind VARCHAR, required BOOLEAN",
    "plan_alias": "alias VARCHAR, name VARCHAR",
    "currency_exponent": "currency VARCHAR, exponent INTEGER",
    "incoming": "kind VARCHAR, seq BIGINT, received_at TIMESTAMPTZ, source VARCHAR, batch VARCHAR, raw VARCHAR,"
    " id UUID, name VARCHAR, ts TIMESTAMPTZ, identifier VARCHAR, also VARCHAR[], evidence VARCHAR,"
    ' channel VARCHAR, venue VARCHAR, "text" VARCHAR, value_minor BIGINT, currency VARCHAR,'
    " properties VARCHAR, reason VARCHAR, field VARCHAR, message VARCHAR",
    "fresh": "seq BIGINT, received_at TIMESTAMPTZ, source VARCHAR, batch VARCHAR,"
    " id UUID, name VARCHAR, ts TIMESTAMPTZ, identifier VARCHAR, also VARCHAR[], evidence VARCHAR,"
    ' channel VARCHAR, venue VARCHAR, "text" VARCHAR, value_minor BIGINT, currency VARCHAR,'
    " properties VARCHAR, subject BIGINT",
    "new_session": "subject BIGINT, started_at TIMESTAMPTZ, ended_at TIMESTAMPTZ, source VARCHAR,"
    " channel VARCHAR, n_pages BIGINT, n_events BIGINT, landing VARCHAR, exit_page VARCHAR,"
    " referrer VARCHAR, referrer_domain VARCHAR, campaign VARCHAR, search VARCHAR",
    "known": "identifier VARCHAR, subject BIGINT",
}


# No engine of ours fetches code from anywhere, or runs code that its makers did not sign.
CLOSED = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
}


@dataclass(slots=True)
class _Engine:
    connection: duckdb.DuckDBPyConnection
    home: Path
    pid: int


_engine: _Engine | None = None
_scratch: _Engine | None = None
_lock = threading.Lock()


def extension(name: str) -> Path:
    """The path of a DuckDB extension inside its installed wheel, so that nothing is downloaded."""
    package = f"duckdb_extension_{name}"
    try:
        folder = resources.files(package)
    except ModuleNotFoundError:
        raise NotFound(
            f"the Python package {package} is not installed",
            "Install Rapport with its `postgres` extra." if "postgres" in name else "Run `make setup`.",
        ) from None
    return Path(str(folder)) / "extensions" / f"v{duckdb.__version__}" / f"{name}.duckdb_extension"


def location() -> tuple[str, Path]:
    """The catalogue's address for ATTACH, and the folder of the Parquet files.

    RAPPORT_LAKE_URL is empty (SQLite in the data folder) or `postgres://user:password@host:port/name`,
    with RAPPORT_LAKE_FILES naming a folder that every process sees.
    """
    files = Path(home.env("LAKE_FILES") or home.path("lake", "files"))
    url = home.env("LAKE_URL")
    if not url:
        return f"ducklake:sqlite:{home.path('lake', 'catalogue.sqlite')}", files
    if url.startswith(("postgres://", "postgresql://")):
        return f"ducklake:postgres:{url}", files
    raise Invalid(f"RAPPORT_LAKE_URL {url!r} is not understood", "Write postgres://user@host:port/name.")


def new_engine() -> duckdb.DuckDBPyConnection:
    """A DuckDB engine with our limits and no extension fetched from anywhere."""
    folder = home.path("tmp")
    folder.mkdir(parents=True, exist_ok=True)
    con = duckdb.connect(
        config={
            **CLOSED,
            "temp_directory": str(folder),
            "memory_limit": home.env("MEMORY", "4GB"),
            "threads": int(home.env("THREADS") or os.cpu_count() or 2),
        }
    )
    con.execute("SET TimeZone = 'UTC'; SET enable_progress_bar = false; SET parquet_metadata_cache = true")
    # A join may hand its filter down to the scan of an Arrow table, which refuses one of the kinds there are.
    con.execute("SET disabled_optimizers = 'join_filter_pushdown'")
    return con


def give(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    """Make Arrow rows a relation of this connection for the queries on the lake, replacing one of that name.

    Copied, because here joins do hand their filters down: the lake reads far less for it.
    """
    con.register("rows_given", table)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM rows_given")
    con.unregister("rows_given")


@contextmanager
def together(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """One transaction for several statements on the lake: each alone would ask the catalogue anew.

    It does so to find temporary tables as well, and that takes five times as long as making a small one.
    """
    with _steady():
        con.execute("BEGIN")
        try:
            yield
        except BaseException:
            with contextlib.suppress(duckdb.Error):
                con.execute("ROLLBACK")
            raise
        con.execute("COMMIT")


class _Held(threading.local):
    """Whether this thread keeps the list of files as it is, or is the one that changes it."""

    is_so = False


_held = _Held()


@contextmanager
def _steady() -> Iterator[None]:
    """Keep the list of the lake's files as it is while a statement reads it.

    DuckDB asks SQLite how many rows the list has before it reads them, each in a transaction of its own. A
    statement between whose two looks files were joined saw neither the old ones nor the new, and gave too few
    rows: a subscriber would have missed these events for good. PostgreSQL shows a statement one state alone.
    """
    if _held.is_so or home.env("LAKE_URL"):
        yield
        return
    with home.shared_lock(FILES_LOCK):
        _held.is_so = True
        try:
            yield
        finally:
            _held.is_so = False


@contextmanager
def changing_files(wait_s: float) -> Iterator[bool]:
    """Change the list of the lake's files while nobody reads it; gives whether that could be had in time."""
    if _held.is_so or home.env("LAKE_URL"):
        yield not _held.is_so
        return
    with contextlib.ExitStack() as stack:
        until = clock.monotonic_s() + wait_s
        is_alone = False
        while not is_alone:
            try:
                stack.enter_context(home.lock(FILES_LOCK))
                is_alone = True
            except Conflict:
                if clock.monotonic_s() > until:
                    break
                clock.sleep(FILES_PAUSE_S)
        _held.is_so = is_alone
        try:
            yield is_alone
        finally:
            _held.is_so = False


class _Connection:
    """A connection to the lake, each of whose statements keeps the list of files as it is."""

    __slots__ = ("_con",)

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def __getattr__(self, name: str) -> Any:
        return getattr(self._con, name)

    def __enter__(self) -> _Connection:
        return self

    def __exit__(self, *_error: object) -> None:
        self._con.close()

    def execute(self, *arguments: Any, **named: Any) -> _Connection:
        with _steady():
            self._con.execute(*arguments, **named)
        return self

    def cursor(self) -> _Connection:
        return _Connection(self._con.cursor())


@contextmanager
def scratch() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection without any store behind it; what is registered on it is seen by its caller alone.

    Its engine is one a process, because starting one takes longer than most of what it is asked.
    """
    global _scratch  # noqa: PLW0603  one a process is the point
    with _lock:
        if _scratch is None or _scratch.home != home.root() or _scratch.pid != os.getpid():
            _scratch = _Engine(new_engine(), home.root(), os.getpid())
        con = _scratch.connection.cursor()
    try:
        con.execute("SET TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def _attach() -> duckdb.DuckDBPyConnection:
    address, files = location()
    con = new_engine()
    con.execute("RESET disabled_optimizers")
    con.execute(f"LOAD '{extension('ducklake')}'")
    # Files are named relative to the folder, which may have been moved or restored somewhere else.
    options = f"DATA_PATH '{files}/', OVERRIDE_DATA_PATH true"
    if address.startswith("ducklake:sqlite:"):
        con.execute(f"LOAD '{extension('sqlite_scanner')}'")
        options += ", META_JOURNAL_MODE 'WAL', META_BUSY_TIMEOUT 30000"
    else:
        con.execute(f"LOAD '{extension('postgres_scanner')}'")
    con.execute(f"ATTACH '{address}' AS lake ({options})")
    con.execute("USE lake")
    return con


def create() -> None:
    """Make the lake where there is none, and what a newer version added; safe to repeat."""
    address, files = location()
    files.mkdir(parents=True, exist_ok=True)
    if address.startswith("ducklake:sqlite:"):
        catalogue = Path(address.removeprefix("ducklake:sqlite:"))
        catalogue.parent.mkdir(parents=True, exist_ok=True)
        if not catalogue.exists():
            # WAL is a property of the file: set once, before DuckDB has it open.
            plain = sqlite3.connect(catalogue)
            plain.execute("PRAGMA journal_mode=WAL")
            plain.execute("CREATE TABLE made (x)")
            plain.execute("DROP TABLE made")
            plain.close()
    con = connect(must_exist=False)
    there = {
        r[0]
        for r in con.execute("SELECT table_name FROM duckdb_tables() WHERE database_name = 'lake'").fetchall()
    }
    if not there:
        con.execute("CALL lake.set_option('parquet_compression', 'zstd')")
        con.execute("CALL lake.set_option('data_inlining_row_limit', 0)")
    for name, (columns, partition, order, inlined) in TABLES.items():
        if name in there:
            _add_columns(con, name, columns)
            continue
        con.execute(f"CREATE TABLE {name} ({columns})")
        if partition:
            con.execute(f"ALTER TABLE {name} SET PARTITIONED BY ({partition})")
        if order:
            con.execute(f"ALTER TABLE {name} SET SORTED BY ({order})")
        if name == "event":
            # The loader sees whether its rows are in order already.
            con.execute("CALL lake.set_option('sort_on_insert', false, table_name => 'event')")
        if inlined:
            con.execute(f"CALL lake.set_option('data_inlining_row_limit', {inlined}, table_name => '{name}')")
    if there:
        forget_ranges(con)  # an earlier version left some from which rows were missing
    con.close()


def forget_ranges(con: duckdb.DuckDBPyConnection) -> None:
    """Put everything that a text can be in place of the least and greatest text that each column has ever held.

    Those outlive their rows. Left empty they would be taken for those of a column without rows, and what is
    loaded next would become the whole range: no reader would then look for what lies outside it.
    """
    con.execute(
        "UPDATE __ducklake_metadata_lake.ducklake_table_column_stats AS s"
        f" SET min_value = '', max_value = '{GREATEST_TEXT}'"
        " FROM __ducklake_metadata_lake.ducklake_column AS c WHERE c.table_id = s.table_id"
        " AND c.column_id = s.column_id AND lower(c.column_type) IN ('varchar', 'json')"
    )


def _add_columns(con: duckdb.DuckDBPyConnection, name: str, columns: str) -> None:
    """What a newer version added to a table that is there; such columns may be empty."""
    here = {row[0] for row in con.execute(f"DESCRIBE lake.{name}").fetchall()}
    for column in columns.split(", "):
        word = column.split()[0].strip('"')
        if word not in here:
            con.execute(f"ALTER TABLE lake.{name} ADD COLUMN {column}")


@contextmanager
def writing() -> Iterator[None]:
    """Hold the lake's writing lock: the loader takes it for each range, and whoever erases for as long as it takes."""
    with home.lock("lake", wait=True):
        yield


def exists() -> bool:
    """Whether `rapport init` has made a lake here."""
    address, _ = location()
    if address.startswith("ducklake:sqlite:"):
        return Path(address.removeprefix("ducklake:sqlite:")).exists()
    return True


def stamp() -> tuple[int, ...]:
    """Something that changes whenever the lake does, for the price of looking at two files.

    With a catalogue on PostgreSQL it changes at every call: who waits must ask.
    """
    address, _ = location()
    if not address.startswith("ducklake:sqlite:"):
        return (clock.now_us(),)
    catalogue = address.removeprefix("ducklake:sqlite:")
    found = []
    for name in (catalogue, f"{catalogue}-wal"):
        try:
            status = os.stat(name)
        except FileNotFoundError:
            continue
        found += [status.st_mtime_ns, status.st_size]
    return tuple(found)


def connect(*, must_exist: bool = True) -> duckdb.DuckDBPyConnection:
    """A connection of its own for the caller, with `USE lake`; it sees the newest commit at each query."""
    global _engine  # noqa: PLW0603  one engine per process is the rule this module keeps
    with _lock:
        if _engine is not None and (_engine.home != home.root() or _engine.pid != os.getpid()):
            _engine = None
        if _engine is None:
            if must_exist and not exists():
                raise NotFound(f"there is no lake in {home.root()}", "Run `rapport init` first.")
            _engine = _Engine(_attach(), home.root(), os.getpid())
        con = _engine.connection.cursor()
    con.execute("USE lake; SET TimeZone = 'UTC'")
    return cast("duckdb.DuckDBPyConnection", _Connection(con))


def forget() -> None:
    """Close this process's engine; the next `connect` opens a new one."""
    global _engine  # noqa: PLW0603
    with _lock:
        if _engine is not None and _engine.pid == os.getpid():
            _engine.connection.close()
        _engine = None


def check_queries(*packages: str) -> int:
    """Prepare every named query of the packages against the lake; gives how many. Raises Invalid."""
    con = connect()
    relations = dict(RELATIONS)
    for package in packages:
        # Relations that many of a domain's queries share are described once, beside the service that makes them.
        if importlib.util.find_spec(f"{package}.services"):
            relations.update(getattr(importlib.import_module(f"{package}.services"), "RELATIONS", {}))
    for name, columns in relations.items():
        con.execute(f"CREATE TEMP TABLE IF NOT EXISTS {name} ({columns})")
    checked = 0
    for package in packages:
        for found in query.all_of(package):
            query.prepare(con, found)
            checked += 1
    con.close()
    return checked
