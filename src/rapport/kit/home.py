"""Where the data lives: the folder RAPPORT_HOME, and the addresses of stores that moved out of it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator
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
    with _locked(name, _shared):
        yield


def _shared(descriptor: int) -> bool:
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return True


def _alone(descriptor: int) -> bool:
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return True


@contextmanager
def _locked(name: str, take: Callable[[int], bool]) -> Iterator[bool]:
    """Take the lock of that name in one of the ways; gives whether it was."""
    file = path("locks", f"{name}.lock")
    while True:
        file.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            is_ours = take(descriptor)
            # Who found it held by nobody may have removed the file after we opened it: nobody else sees that one.
            if is_ours and not os.fstat(descriptor).st_nlink:
                continue
            yield is_ours
            return
        finally:
            os.close(descriptor)


@contextmanager
def lock(name: str, wait: bool = False) -> Iterator[None]:
    """Hold the data folder's lock of that name; the system frees it when the process dies.

    Raises Conflict at once where another process holds it, unless `wait`.
    """
    with _locked(name, _alone if wait else _taken) as is_ours:
        if not is_ours:
            raise Conflict(
                f"another process holds the {name} lock of {root()}",
                "Stop it, or let it do the work: `rapport doctor` shows what runs.",
            )
        yield


def remove_locks(beginning: str) -> int:
    """Remove the files of locks whose names begin so and that nobody holds; gives how many.

    For names that are used once, such as those of a process: nobody would come back for their files.
    """
    n = 0
    for file in path("locks").glob(f"{beginning}*.lock"):
        with _locked(file.stem, _taken) as is_ours:
            if is_ours:
                file.unlink()
                n += 1
    return n
