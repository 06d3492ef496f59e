"""Which files hold the columns: generations, each made whole before one name is moved to point at it.

A file is written once and never changed. Readers of several processes attach it read-only; one process at
a time, under the lock `columns`, writes new files and then moves `current.json`. A file that is no longer
named there is deleted; whoever still has it open reads on, and who comes too late looks again.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from rapport.events import plan
from rapport.kit import clock, home, ids
from rapport.kit.errors import RapportError

LAYOUT = 2  # of the files; another number makes them anew
LOCK = "columns"
CURRENT = "current.json"
TROUBLE = "trouble.json"


@dataclass(frozen=True, slots=True)
class Generation:
    """The files of one generation, and how far what they hold goes."""

    number: int
    stamp: str  # layout, engine and plan it was made with
    profile: str  # file names
    parts: tuple[str, ...]  # of counters and annotations, oldest first
    epoch: str
    change: int
    scores: int
    people_seq: int
    seq: int
    made_us: int  # microseconds since 1970
    whole_us: int  # when everything was last made from the log, and not by adding what came since
    counted: int  # events in the log's counters up to `seq`, whoever they are of
    n_persons: int = 0
    n_rows: int = 0  # of counters
    n_added: int = 0  # of counters, beside those made when everything was

    @property
    def made_at(self) -> dt.datetime:
        return clock.from_us(self.made_us)

    @property
    def files(self) -> tuple[str, ...]:
        return (self.profile, *self.parts)


@dataclass(frozen=True, slots=True)
class Trouble:
    """Why the last attempt to renew the columns failed, and since when attempts do."""

    error: str
    since_us: int
    tried_us: int

    @property
    def since(self) -> dt.datetime:
        return clock.from_us(self.since_us)


def folder() -> Path:
    return home.path("columns")


def file(name: str) -> Path:
    return folder() / name


def present_stamp() -> str:
    """What files must have been made with to be read now."""
    counted = sorted((e.name, e.counted_by) for e in plan.current().values() if e.counted)
    told = json.dumps([LAYOUT, duckdb.__version__, counted])
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def current() -> Generation | None:
    """The generation to read, or None where there is none that this version can read."""
    try:
        found = json.loads(file(CURRENT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    if found.get("stamp") != present_stamp():
        return None
    return Generation(**{**found, "parts": tuple(found["parts"])})


def token() -> object:
    """Something that is another whenever `current` may give another."""
    try:
        status = os.stat(file(CURRENT))
    except FileNotFoundError:
        return None
    return status.st_mtime_ns, status.st_ino


@contextmanager
def writing(*, wait: bool = True) -> Iterator[None]:
    """Be the one who writes files here; raises Conflict where another does, unless `wait`."""
    with home.lock(LOCK, wait=wait):
        folder().mkdir(parents=True, exist_ok=True)
        yield


def new_name(kind: str) -> str:
    return f"{kind}-{ids.token(9).replace('-', '_')}.duckdb"


def publish(generation: Generation) -> None:
    """Let readers see a generation whose files are closed, and delete what none needs any more."""
    for name in generation.files:
        home.fsync_file(file(name))
    temporary = file(f"{CURRENT}.{os.getpid()}")
    temporary.write_text(json.dumps(asdict(generation)), encoding="utf-8")
    home.fsync_file(temporary)
    temporary.replace(file(CURRENT))
    home.fsync_folder(folder())
    file(TROUBLE).unlink(missing_ok=True)
    _delete_all_but({*generation.files, CURRENT})


def discard() -> None:
    """Drop every file; the caller holds the lock."""
    file(CURRENT).unlink(missing_ok=True)
    _delete_all_but(set())


def _delete_all_but(kept: set[str]) -> None:
    for left in folder().glob("*"):
        if left.name not in kept and left.name != TROUBLE:
            left.unlink(missing_ok=True)


def trouble() -> Trouble | None:
    """What keeps failing, if anything."""
    try:
        return Trouble(**json.loads(file(TROUBLE).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def note_trouble(error: Exception) -> None:
    """Remember that renewing failed; the caller raises the error again."""
    before, now_us = trouble(), clock.now_us()
    # What an engine says of a value could name somebody, and this file outlives an erasure.
    tells = isinstance(error, RapportError | OSError | duckdb.IOException | duckdb.OutOfMemoryException)
    text = f"{type(error).__name__}: {error}" if tells else type(error).__name__
    said = Trouble(text[:500], before.since_us if before else now_us, now_us)
    folder().mkdir(parents=True, exist_ok=True)
    temporary = file(f"{TROUBLE}.{os.getpid()}")
    temporary.write_text(json.dumps(asdict(said)), encoding="utf-8")
    temporary.replace(file(TROUBLE))
