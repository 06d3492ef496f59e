"""Which of our processes run here: each holds a lock and writes when it last did something."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from rapport.kit import clock, home
from rapport.kit.errors import Conflict


@dataclass(frozen=True, slots=True)
class Running:
    """A process that said it is alive; `alive` is whether it still holds its lock."""

    name: str
    pid: int
    started_us: int  # microseconds since 1970
    beat_us: int
    note: str
    alive: bool


@contextmanager
def present(name: str) -> Iterator[None]:
    """Say that this process is the one called `name`, until the block ends."""
    with home.lock(f"process-{name}"):
        started = clock.now_us()
        _write(name, started, "")
        try:
            yield
        finally:
            _write(name, started, "stopped")


BEAT_EVERY_US = 2_000_000
_last_beat: dict[str, tuple[str, int]] = {}


def beat(name: str, note: str = "") -> None:
    """Note that the process is doing something; written every two seconds, or when the note changes."""
    said, when = _last_beat.get(name, ("", 0))
    if said == note and clock.now_us() - when < BEAT_EVERY_US:
        return
    _last_beat[name] = (note, clock.now_us())
    before = _read(name)
    _write(name, before.get("started_us", clock.now_us()), note)


def running() -> list[Running]:
    """Every process that has ever said it is here, by name."""
    found = []
    for file in sorted(home.path("run").glob("*.json")):
        entry = _read(file.stem)
        if not entry:
            continue
        found.append(
            Running(
                name=file.stem,
                pid=entry["pid"],
                started_us=entry["started_us"],
                beat_us=entry["beat_us"],
                note=entry["note"],
                alive=held(f"process-{file.stem}"),
            )
        )
    return found


def held(lock_name: str) -> bool:
    """Whether some process holds the data folder's lock of that name."""
    try:
        with home.lock(lock_name):
            return False
    except Conflict:
        return True


class Stop:
    """Becomes set on SIGTERM or SIGINT, so that a loop ends between two pieces of work."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def catch_signals(self) -> Stop:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._event.set())
        return self

    def set(self) -> None:
        self._event.set()

    def __bool__(self) -> bool:
        return self._event.is_set()

    def wait(self, seconds: float) -> bool:
        """Sleep unless told to stop; gives whether to stop."""
        return self._event.wait(seconds)


def _write(name: str, started_us: int, note: str) -> None:
    folder = home.path("run")
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / f".{name}.{os.getpid()}.{threading.get_ident()}"
    temporary.write_text(
        json.dumps({"pid": os.getpid(), "started_us": started_us, "beat_us": clock.now_us(), "note": note}),
        encoding="utf-8",
    )
    temporary.replace(folder / f"{name}.json")


def _read(name: str) -> dict[str, Any]:
    try:
        entry = json.loads(home.path("run", f"{name}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return entry if isinstance(entry, dict) else {}
