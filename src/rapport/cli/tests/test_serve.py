"""The supervisor: whatever the machine lacks for a while, it stays and tries again."""

from __future__ import annotations

import errno
import io
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from rapport.cli import serve
from rapport.kit import clock, process
from rapport.kit.errors import Conflict


class Ended:
    """A child that has ended."""

    returncode = 1

    def poll(self) -> int:
        return self.returncode


class FullDisk(io.StringIO):
    def write(self, _text: str) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[float]:
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))
    seconds = [100.0]
    monkeypatch.setattr(clock, "monotonic_s", lambda: seconds[0])
    return seconds


def test_a_part_that_cannot_be_started_is_tried_again_and_the_others_stay(
    now: list[float], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tries: list[float] = []

    def start(_arguments: Any, _printed: Path) -> Ended:
        tries.append(now[0])
        if len(tries) < 3:
            raise OSError(errno.ENOMEM, "Cannot allocate memory")
        return Ended()

    monkeypatch.setattr(process, "start", start)
    part = serve.Part("load", ["load"])
    for _ in range(10):
        serve._keep_alive(part)
        now[0] += 0.5
    assert tries == [100.0, 100.5, 101.5, 104.0], "with growing pauses"
    said = capsys.readouterr().err
    assert said.count("load cannot be started: Cannot allocate memory") == 2
    assert "ended with status 1" in said


def test_a_supervisor_that_cannot_speak_goes_on(now: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", FullDisk())
    part = serve.Part("load", ["load"], child=Ended())  # type: ignore[arg-type]
    serve._keep_alive(part)
    assert part.child is None
    assert part.failures == 1


def test_a_part_waits_for_what_a_killed_one_left_behind(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[str] = []
    monkeypatch.setattr(process, "start", lambda arguments, _printed: started.append(arguments[0]))
    part = serve.Part("web", ["web"])
    with process.present("web"):
        serve._keep_alive(part)
        assert started == []
    serve._keep_alive(part)
    assert started == ["web"]


def test_a_part_of_somebody_elses_is_waited_for_and_then_named(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "sleep", lambda seconds: now.__setitem__(0, now[0] + seconds))
    with (
        process.present("load"),
        pytest.raises(Conflict, match="load runs on the data folder") as refused,
    ):
        serve._await_orphans()
    assert f"kill {os.getpid()}" in refused.value.hint
    assert now[0] > 100 + process.ORPHAN_ENDS_IN_S
