"""The engine that folds the ledger: one a process, because starting one takes longer than most answers."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from rapport.events import lake
from rapport.kit import home

_lock = threading.Lock()
_held: tuple[Path, int, duckdb.DuckDBPyConnection] | None = None


@contextmanager
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection without any store behind it; what is registered on it is seen by its caller alone."""
    global _held  # noqa: PLW0603  one a process is the point
    with _lock:
        if _held is None or _held[:2] != (home.root(), os.getpid()):
            _held = (home.root(), os.getpid(), lake.new_engine())
        con = _held[2].cursor()
    try:
        # What a purpose is asked for at, and what the ledger says, are both instants; days are UTC's.
        con.execute("SET TimeZone = 'UTC'")
        yield con
    finally:
        con.close()
