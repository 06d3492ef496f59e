"""The spool: what was accepted and is not yet in the lake. Durable before it is acknowledged.

One SQLite file, synchronous=FULL, many bodies a commit. Each body gets a range of event numbers when it
is written (`first`, `n`), so an event's seq is a function of its place in the spool: loading a range
twice gives the same numbers. Big bodies are staged as Parquet files beside it and named by the row.
A loaded range is kept for a day, so that a damaged lake file can be loaded again.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapport.events import packing
from rapport.kit import clock, home, ids
from rapport.kit.errors import Invalid, NotFound

KEEP_RELEASED_S = 24 * 3600

# What a body holds, and so how the loader reads it.
SEGMENT = "segment"  # the JSON of one request to the collector, checked against the plan
TOUCHPOINTS = "touchpoints"  # rows in the TOUCHPOINT shape, checked against the plan
TRUSTED = "trusted"  # rows in the TOUCHPOINT shape whose columns our own code typed
ANNOTATIONS = "annotations"  # rows in the ANNOTATION shape

_SCHEMA = """
CREATE TABLE IF NOT EXISTS body (
  first INTEGER PRIMARY KEY,    -- seq of its first event
  n INTEGER NOT NULL,           -- events in it
  received_at INTEGER NOT NULL, -- microseconds since 1970
  source TEXT NOT NULL,
  batch TEXT NOT NULL,          -- the import or call it came with, or ''
  kind TEXT NOT NULL,
  body BLOB,                    -- JSON, or Arrow IPC, packed; NULL where staged
  staged TEXT                   -- name of the Parquet file in the staged folder
);
CREATE TABLE IF NOT EXISTS state (key TEXT PRIMARY KEY, value INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS released (first INTEGER PRIMARY KEY, released_at INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS write_key (
  hash TEXT PRIMARY KEY, source TEXT NOT NULL, created_at INTEGER NOT NULL, revoked_at INTEGER
);
INSERT OR IGNORE INTO state VALUES ('next', 1);
"""


@dataclass(frozen=True, slots=True)
class Range:
    """Event numbers `first` to `first + n - 1`."""

    first: int
    n: int

    @property
    def last(self) -> int:
        return self.first + self.n - 1


@dataclass(frozen=True, slots=True)
class Body:
    """What one request or one import chunk brought."""

    kind: str
    source: str
    n: int
    body: bytes | None = None
    staged: str | None = None
    batch: str = ""
    received_at: int = 0  # microseconds since 1970; 0 means now


@dataclass(frozen=True, slots=True)
class Stored(Body):
    """A body with its place in the spool."""

    first: int = 0

    @property
    def last(self) -> int:
        return self.first + self.n - 1


class Spool:
    """One spool file. A connection belongs to the thread that opened it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.staged_folder = path.parent / "staged"
        self._local = threading.local()

    def create(self) -> None:
        """Make the file and the folder for staged bodies; safe to repeat."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.staged_folder.mkdir(exist_ok=True)
        self.connection().executescript(_SCHEMA)

    def connection(self) -> sqlite3.Connection:
        """This thread's connection to the file."""
        con: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if con is None:
            if not self.path.parent.is_dir():
                raise NotFound(f"there is no spool at {self.path}", "Run `rapport init` first.")
            con = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            con.execute("PRAGMA journal_mode=WAL")
            con.execute("PRAGMA synchronous=FULL")
            self._local.connection = con
        return con

    def close(self) -> None:
        con: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if con is not None:
            con.close()
            self._local.connection = None

    # Writing

    def append(self, bodies: Sequence[Body]) -> list[Range]:
        """Store bodies in one durable commit; gives each its range of event numbers."""
        if not bodies:
            return []
        packed = [packing.pack(b.body) for b in bodies]  # before the lock: other writers need not wait for it
        with self._writing() as con:
            (first,) = con.execute("SELECT value FROM state WHERE key = 'next'").fetchone()
            now = clock.now_us()
            ranges, rows = [], []
            for b, body in zip(bodies, packed, strict=True):
                if b.n < 1:
                    raise Invalid("a body of no events cannot be stored", "Send at least one event.")
                ranges.append(Range(first, b.n))
                rows.append((first, b.n, b.received_at or now, b.source, b.batch, b.kind, body, b.staged))
                first += b.n
            con.executemany("INSERT INTO body VALUES (?,?,?,?,?,?,?,?)", rows)
            con.execute("UPDATE state SET value = ? WHERE key = 'next'", (first,))
        return ranges

    def number_after(self, last: int) -> bool:
        """Give no number up to `last` again; whether one would have been, as after this spool was lost."""
        if self.next_seq() > last:
            return False
        with self._writing() as con:
            con.execute("UPDATE state SET value = max(value, ?) WHERE key = 'next'", (last + 1,))
        return True

    @contextlib.contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """One transaction; whatever goes wrong in it, it ends, or every other writer would wait for it."""
        con = self.connection()
        con.execute("BEGIN IMMEDIATE")
        try:
            yield con
            con.execute("COMMIT")
        except BaseException:
            if con.in_transaction:  # a full disk has rolled back by itself
                con.execute("ROLLBACK")
            raise

    def staging_path(self) -> Path:
        """A new file name for a staged body; the caller writes it and then calls `append`."""
        return self.staged_folder / f"{ids.uuid7()}.parquet"

    def make_durable(self, file: Path) -> None:
        """Flush a staged file and its name to disk; before `append`, or the row may outlive the rows."""
        home.fsync_file(file)
        home.fsync_folder(file.parent)

    # Reading

    def next_seq(self) -> int:
        """The number the next event will get."""
        (value,) = self.connection().execute("SELECT value FROM state WHERE key = 'next'").fetchone()
        return int(value)

    def read(self, first: int, *, last: int | None = None, max_events: int, max_bytes: int) -> list[Stored]:
        """Bodies from `first` on, in order, at least one if there is any, up to the limits."""
        limit = "" if last is None else f" AND first <= {int(last)}"
        # From the body that holds it or lies before: what is kept beyond that, a day of it, is not looked at.
        cursor = self.connection().execute(
            "SELECT first, n, received_at, source, batch, kind, body, staged FROM body"
            " WHERE first >= coalesce((SELECT max(first) FROM body WHERE first <= ?1), 0)"
            f" AND first + n > ?1{limit} ORDER BY first",
            (first,),
        )
        found: list[Stored] = []
        events = size = 0
        for row in cursor:
            body = Stored(
                first=row[0],
                n=row[1],
                received_at=row[2],
                source=row[3],
                batch=row[4],
                kind=row[5],
                body=packing.unpack(row[6]),
                staged=row[7],
            )
            events += body.n
            size += len(body.body or b"")
            if found and (events > max_events or size > max_bytes):
                break
            found.append(body)
        cursor.close()
        return found

    def staged_file(self, name: str) -> Path:
        return self.staged_folder / name

    def waiting(self, loaded: int) -> tuple[int, int | None]:
        """Events not yet loaded, and when the oldest of them was received (microseconds since 1970)."""
        count, oldest = (
            self.connection()
            .execute("SELECT coalesce(sum(n), 0), min(received_at) FROM body WHERE first > ?", (loaded,))
            .fetchone()
        )
        return int(count), oldest

    def total_bytes(self) -> int:
        """Disk the spool takes, staged files included."""
        files = [self.path, self.path.with_name(self.path.name + "-wal"), *self.staged_folder.glob("*")]
        return sum(f.stat().st_size for f in files if f.exists())

    # Releasing

    def release(self, upto: int) -> None:
        """Note that everything up to `upto` is in the lake; it is deleted a day later."""
        with self._writing() as con:
            con.execute(
                "INSERT OR IGNORE INTO released SELECT first, ?1 FROM body"
                " WHERE first <= ?2 AND first + n - 1 <= ?2"
                " AND first > (SELECT coalesce(max(first), 0) FROM released)",
                (clock.now_us(), upto),
            )

    def purge(self, older_than_s: float = KEEP_RELEASED_S) -> int:
        """Delete what was released longer ago than that; gives the bodies deleted."""
        limit = clock.now_us() - int(older_than_s * 1e6)
        with self._writing() as con:
            rows = con.execute(
                "DELETE FROM body WHERE first IN (SELECT first FROM released WHERE released_at <= ?)"
                " RETURNING staged",
                (limit,),
            ).fetchall()
            con.execute("DELETE FROM released WHERE released_at <= ?", (limit,))
        for (staged,) in rows:
            if staged:
                self.staged_file(staged).unlink(missing_ok=True)
        self._sweep_staged()
        return len(rows)

    def _sweep_staged(self) -> None:
        """Remove staged files that no row names: their writer died before `append`."""
        named = {r[0] for r in self.connection().execute("SELECT staged FROM body WHERE staged IS NOT NULL")}
        limit_s = clock.now_us() / 1e6 - KEEP_RELEASED_S
        for file in self.staged_folder.iterdir():
            if file.name not in named and file.stat().st_mtime < limit_s:
                file.unlink(missing_ok=True)

    # Write keys: who may send to the collector. Kept here because this is what collectors share.

    def add_write_key(self, source: str, key: str | None = None) -> str:
        """A new key for a source; only its hash is stored, so it is shown this once."""
        key = key or ids.token(18)
        self.connection().execute(
            "INSERT OR REPLACE INTO write_key VALUES (?, ?, ?, NULL)",
            (hash_key(key), source, clock.now_us()),
        )
        return key

    def revoke_write_key(self, key_hash: str) -> None:
        self.connection().execute(
            "UPDATE write_key SET revoked_at = ? WHERE hash = ?", (clock.now_us(), key_hash)
        )

    def write_keys(self) -> dict[str, str]:
        """Valid keys: hash to source."""
        return dict(
            self.connection()
            .execute("SELECT hash, source FROM write_key WHERE revoked_at IS NULL")
            .fetchall()
        )


def hash_key(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()


_spools: dict[Path, Spool] = {}


def location() -> Path:
    """The spool's file; RAPPORT_SPOOL_URL (sqlite:///PATH) moves it."""
    url = os.environ.get("RAPPORT_SPOOL_URL", "")
    if not url:
        return home.path("spool", "spool.sqlite3")
    if url.startswith("sqlite:///"):
        return Path("/" + url.removeprefix("sqlite:///").lstrip("/"))
    raise Invalid(f"RAPPORT_SPOOL_URL {url!r} is not understood", "Write sqlite:///PATH.")


def current() -> Spool:
    """This installation's spool."""
    path = location()
    if path not in _spools:
        _spools[path] = Spool(path)
    return _spools[path]


def forget() -> None:
    """Close what this thread has open; for tests and after a fork."""
    for spool in _spools.values():
        spool.close()
    _spools.clear()
