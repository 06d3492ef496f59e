"""Which of our processes run: said by themselves, believed only while their lock is held."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from rapport.kit import clock, home, process
from rapport.kit.errors import Conflict


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


def _be_present(here: object) -> None:
    with process.present("load"):
        process.beat("load", "at 42")
        here.set()  # type: ignore[attr-defined]
        multiprocessing.Event().wait(60)


def test_a_process_says_that_it_is_there_and_what_it_does(folder: Path) -> None:
    context = multiprocessing.get_context("spawn")
    here = context.Event()
    other = context.Process(target=_be_present, args=(here,), daemon=True)
    other.start()
    assert here.wait(60)
    (seen,) = process.running()
    assert (seen.name, seen.pid, seen.note, seen.alive) == ("load", other.pid, "at 42", True)
    other.kill()
    other.join(30)
    (dead,) = process.running()
    assert (dead.pid, dead.alive) == (other.pid, False), "a killed process is not believed to live"


def test_a_second_one_of_the_same_name_is_refused(folder: Path) -> None:
    with process.present("web"):
        with pytest.raises(Conflict, match="process-web"), process.present("web"):
            pass
        with process.present("work"):
            assert [r.name for r in process.running() if r.alive] == ["web", "work"]
    assert [(r.name, r.note, r.alive) for r in process.running()] == [
        ("web", "stopped", False),
        ("work", "stopped", False),
    ]


def test_a_beat_moves_the_time_and_keeps_the_start(folder: Path) -> None:
    start = clock.from_us(1_000_000_000)
    with clock.frozen(start), process.present("work"):
        with clock.frozen(clock.from_us(1_060_000_000)):
            process.beat("work", "busy")
        (seen,) = process.running()
    assert (seen.started_us, seen.beat_us, seen.note) == (1_000_000_000, 1_060_000_000, "busy")


def test_a_note_that_is_damaged_is_left_out(folder: Path) -> None:
    (folder / "run").mkdir(parents=True)
    (folder / "run" / "web.json").write_text('{"pid": 1')
    (folder / "run" / "work.json").write_text('{"pid": 1}')
    (folder / "run" / "taught-intent.json").write_text('{"taught": true, "at_us": 1}')
    assert process.running() == [], "nor is what others of us lay beside the notes taken for one"


def test_held_tells_and_lets_go(folder: Path) -> None:
    assert not process.held("load")
    assert not (folder / "locks").exists(), "to look leaves no file behind"
    with home.lock("load"):
        assert process.held("load")
    assert not process.held("load")


def test_stop_is_set_by_a_signal_and_ends_a_wait(folder: Path) -> None:
    before = {n: signal.getsignal(n) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        stop = process.Stop().catch_signals()
        assert not stop
        assert not stop.wait(0)
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM)).start()
        assert stop.wait(30)
        assert stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


CHILD = """
import os, signal, sys, time
from rapport.kit import process
if sys.argv[1] == "elsewhere":
    process._ask_linux = lambda number: False
    process.LOOK_S = 0.02
elif sys.argv[1] == "stubborn":
    process.LOOK_S = process.ORPHAN_ENDS_IN_S = 0.02
told = []
signal.signal(signal.SIGTERM, lambda number, _: told.append(number))
if sys.argv[1] == "late":
    os.environ[process.PARENT] = str(os.getppid() + 1)
process.end_with_starter()
print("there", process.PARENT in os.environ, flush=True)
while not told or sys.argv[1] == "stubborn":
    time.sleep(0.02)
print("told", flush=True)
"""
PARENT = """
import os, subprocess, sys
from rapport.kit import process
env = {**os.environ, process.PARENT: str(os.getpid())}
subprocess.run([sys.executable, "-c", sys.argv[1], sys.argv[2]], env=env)
"""


@pytest.mark.parametrize(
    ("where", "last"), [("linux", "told\n"), ("elsewhere", "told\n"), ("stubborn", ""), ("late", "told\n")]
)
def test_a_child_is_told_to_end_when_its_parent_is_killed(where: str, last: str) -> None:
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, where], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    try:
        assert parent.stdout.readline() == "there False\n", "whom to end with is not handed on"
        if where != "late":
            parent.kill()
        # The end of the pipe comes when the child, which holds it too, has ended.
        assert parent.stdout.read() == last
    finally:
        parent.kill()
        parent.communicate()


def test_a_full_disk_ends_no_process_for_want_of_a_note(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with process.present("work"):
        with monkeypatch.context() as disk:
            disk.setattr(Path, "write_text", full)
            process.beat("work", "busy")
            with process.present("web"):
                assert process.held("process-web")
        process.beat("work", "idle")
        assert [(seen.name, seen.note) for seen in process.running()] == [("work", "idle")]
    assert [file.name for file in (folder / "run").iterdir()] == ["work.json"]


def test_a_beat_comes_after_the_clock_was_set_back(folder: Path) -> None:
    with process.present("work"):
        for at_us in (9_000_000_000, 1_000_000_000):
            with clock.frozen(clock.from_us(at_us)):
                process.beat("work", "busy")
        (seen,) = process.running()
    assert seen.beat_us == 1_000_000_000


def test_a_long_log_begins_anew_beside_what_it_held_and_is_written_on(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(process, "PRINTED_BYTES_MAX", 6)
    printed = folder / "work.log"
    folder.mkdir()
    with printed.open("ab", buffering=0) as child:
        child.write(b"short")
        process.keep_short(printed)
        assert printed.read_bytes() == b"short"
        child.write(b", then long")
        process.keep_short(printed)
        child.write(b"new")
    assert (printed.read_bytes(), (folder / "work.log.1").read_bytes()) == (b"new", b"short, then long")
    printed.write_bytes(b"long again")
    process.keep_short(printed)
    assert (folder / "work.log.1").read_bytes() == b"long again"
    assert len(list(folder.iterdir())) == 2, "a part has two files and no more"


def test_a_log_that_cannot_be_shortened_ends_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "PRINTED_BYTES_MAX", 1)
    process.keep_short(folder / "none.log")
    folder.mkdir()
    (folder / "work.log").write_text("long")
    (folder / "work.log.copying").mkdir()
    process.keep_short(folder / "work.log")
    assert (folder / "work.log").read_text() == "long"
