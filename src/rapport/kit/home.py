"""Where the data lives: the folder RAPPORT_HOME, and the addresses of stores that moved out of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rapport.kit.errors import Conflict


def root() -> Path:
    """The data folder, absolute; `./rapport-data` where RAPPORT_HOME is not set."""
    return Path(os.environ.get("RAPPORT_HOME") or "rapport-data").absolute()


def path(*parts: str) -> Path:
    """A path inside the data folder."""
    return root().joinpath(*parts)


def env(name: str, default: str = "") -> str:
    """A setting from the environment, `RAPPORT_<name>`; empty counts as not set."""
    return os.environ.get(f"RAPPORT_{name}") or default


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


@contextmanager
def lock(name: str, wait: bool = False) -> Iterator[None]:
    """Hold the data folder's lock of that name; the system frees it when the process dies.

    Raises Conflict at once where another process holds it, unless `wait`.
    """
    file = path("locks", f"{name}.lock")
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            raise Conflict(
                f"another process holds the {name} lock of {root()}",
                "Stop it, or let it do the work: `rapport doctor` shows what runs.",
            ) from None
        yield
    finally:
        os.close(descriptor)
