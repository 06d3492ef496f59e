"""Where the data lives: the folder RAPPORT_HOME, and the addresses of stores that moved out of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport.kit import clock
from rapport.kit.errors import Conflict

LOCK_ATTEMPTS = 3
LOCK_PAUSE_S = 0.01


def root() -> Path:
    """The data folder, absolute; `./rapport-data` where RAPPORT_HOME is not set."""
    return Path(os.environ.get("RAPPORT_HOME") or "rapport-data").absolute()


def path(*parts: str) -> Path:
    """A path inside the data folder."""
    return root().joinpath(*parts)


def env(name: str, default: str = "") -> str:
    """A setting from the environment, `RAPPORT_<name>`; empty counts as not set."""
    return os.environ.get(f"RAPPORT_{name}") or default


def public_url() -> str:
    """Where this installation is reached from outside, without a slash at the end."""
    return env("PUBLIC_URL", "http://localhost:8000").rstrip("/")


def fsync_file(file: Path) -> None:
    """Make a written file durable."""
    descriptor = os.open(file, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def fsync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fsync_file(folder)


def _taken(descriptor: int) -> bool:
    """Take a lock now; who merely looks whether it is held has it for a moment, so ask more than once."""
    for attempt in range(LOCK_ATTEMPTS):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if attempt + 1 < LOCK_ATTEMPTS:
                clock.sleep(LOCK_PAUSE_S)
        else:
            return True
    return False


@contextmanager
def shared_lock(name: str) -> Iterator[None]:
    """Hold a lock beside others who share it; wait for whoever holds it alone."""
    descriptor = _lock_file(name)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _lock_file(name: str) -> int:
    file = path("locks", f"{name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    return os.open(file, os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def lock(name: str, wait: bool = False) -> Iterator[None]:
    """Hold the data folder's lock of that name; the system frees it when the process dies.

    Raises Conflict at once where another process holds it, unless `wait`.
    """
    descriptor = _lock_file(name)
    try:
        if wait:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        elif not _taken(descriptor):
            raise Conflict(
                f"another process holds the {name} lock of {root()}",
                "Stop it, or let it do the work: `rapport doctor` shows what runs.",
            )
        yield
    finally:
        os.close(descriptor)
