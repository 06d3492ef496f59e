"""Which of our processes run here: each holds a lock and writes when it last did something.

A process that another one of ours started ends with it, however that one ended: an orphan would go on
holding its port, its lock or its source, and nobody would look after it.
"""

from __future__ import annotations

import ctypes
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapport.kit import clock, home
from rapport.kit.errors import Conflict

log = logging.getLogger(__name__)


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


NOTED = {"pid", "started_us", "beat_us", "note"}
PARENT = "_RAPPORT_PARENT"  # the process that a child ends with; no setting: read once, and not handed on
PR_SET_PDEATHSIG = 1  # linux/prctl.h
LOOK_S = 1.0
KEEP_S = 3.0  # between two looks at a child
ORPHAN_ENDS_IN_S = 20.0
PRINTED_BYTES_MAX = 5_000_000


def start(arguments: Sequence[str], printed: Path) -> subprocess.Popen[bytes]:
    """Start `rapport` with these arguments as a child that ends when we do; what it prints is added to a file.

    Call it in a thread that lasts, such as the main one: Linux tells a child that its parent is gone as
    soon as the thread that started it is.
    """
    printed.parent.mkdir(parents=True, exist_ok=True)
    keep_short(printed)
    with open(printed, "ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", "rapport", *arguments],
            env={**os.environ, PARENT: str(os.getpid())},
            stdout=file,
            stderr=file,
            stdin=subprocess.DEVNULL,
        )


def keep_short(printed: Path) -> None:
    """Once a file of what a child prints is long, put what it holds into one beside it (`.1`) and begin anew.

    The child goes on writing, at the new end, and knows nothing of it. What it prints while we copy may be lost.
    """
    try:
        if printed.stat().st_size < PRINTED_BYTES_MAX:
            return
        copy = printed.with_name(f"{printed.name}.copying")
        shutil.copyfile(printed, copy)
        copy.replace(printed.with_name(f"{printed.name}.1"))
        os.truncate(printed, 0)
    except OSError:
        # A log that nobody can shorten now, such as on a full disk, ends nothing that runs.
        return


def end(child: subprocess.Popen[bytes] | None, wait_s: float) -> None:
    """Ask a child to end, and kill it where it has not after a while; nothing where it ended already."""
    if child is None:
        return
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(wait_s)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()


def keep(name: str, stop: Stop, *, end_s: float, is_wanted: Callable[[], bool] = lambda: True) -> None:
    """Have `rapport NAME` run as our child while it is wanted, until told to stop; started again where it ended.

    It is given `end_s` to end before it is killed. Where somebody else runs one already, that one is enough.
    """
    child: subprocess.Popen[bytes] | None = None
    printed = home.path("logs", f"{name}.log")
    while not stop:
        try:
            if not is_wanted():
                end(child, end_s)
                child = None
            elif child is not None and child.poll() is None:
                keep_short(printed)
            else:
                if child is not None:
                    log.warning(
                        "`rapport %s` ended with status %s; starting it again", name, child.returncode
                    )
                    child = None
                if not held(f"process-{name}"):
                    child = start([name], printed)
        except Exception:
            log.exception("`rapport %s` could not be looked after; looking again in %s s", name, KEEP_S)
        stop.wait(KEEP_S)
    end(child, end_s)


def end_with_starter() -> None:
    """End with the process that started us through `start`; nothing where somebody else did."""
    parent = os.environ.pop(PARENT, "")
    if parent.isdigit():
        end_with(int(parent))


def end_with(parent: int) -> None:
    """Be told to end (SIGTERM) as soon as `parent`, who started us, is gone, be it by SIGKILL.

    Linux tells us itself, at once. Elsewhere a thread looks every second. Who has not ended twenty seconds
    later, as after a normal stop, is killed. Call it in the main thread: what it asks of Linux ends with
    the thread, and is not handed on by a fork.
    """
    is_told = _ask_linux(signal.SIGTERM)
    if os.getppid() != parent:
        # It ended before we asked, and nobody will tell us any more.
        os.kill(os.getpid(), signal.SIGTERM)
    threading.Thread(target=_outlive_nobody, args=(parent, is_told), name="parent", daemon=True).start()


def _ask_linux(number: signal.Signals) -> bool:
    """Whether Linux will send us this signal when the thread that started us ends."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(PR_SET_PDEATHSIG, ctypes.c_ulong(number), 0, 0, 0) == 0)


def _outlive_nobody(parent: int, is_told: bool) -> None:
    while os.getppid() == parent:
        clock.sleep(LOOK_S)
    if not is_told:
        os.kill(os.getpid(), signal.SIGTERM)
    clock.sleep(ORPHAN_ENDS_IN_S)
    os.kill(os.getpid(), signal.SIGKILL)


BEAT_EVERY_US = 2_000_000
_last_beat: dict[str, tuple[str, int]] = {}


def beat(name: str, note: str = "") -> None:
    """Note that the process is doing something; written every two seconds, or when the note changes."""
    said, when = _last_beat.get(name, ("", 0))
    if said == note and 0 <= clock.now_us() - when < BEAT_EVERY_US:
        return
    _last_beat[name] = (note, clock.now_us())
    before = _read(name)
    _write(name, before.get("started_us", clock.now_us()), note)


def running() -> list[Running]:
    """Every process that has ever said it is here, by name."""
    found = []
    for file in sorted(home.path("run").glob("*.json")):
        entry = _read(file.stem)
        if not entry.keys() >= NOTED:
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
    if not home.path("locks", f"{lock_name}.lock").exists():
        return False
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
    """Leave the note, where the disk takes it: that the process lives is told by its lock."""
    entry = {"pid": os.getpid(), "started_us": started_us, "beat_us": clock.now_us(), "note": note}
    temporary = home.path("run", f".{name}.{os.getpid()}.{threading.get_ident()}")
    try:
        temporary.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(entry), encoding="utf-8")
        temporary.replace(home.path("run", f"{name}.json"))
    except OSError:
        temporary.unlink(missing_ok=True)


def _read(name: str) -> dict[str, Any]:
    try:
        entry = json.loads(home.path("run", f"{name}.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return entry if isinstance(entry, dict) else {}
