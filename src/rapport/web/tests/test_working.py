"""What time brings about is done in turn, whatever fails; jobs run in a process of their own."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from django_tasks_db.models import DBTaskResult

from rapport.kit import clock, process
from rapport.kit import home as data_folder
from rapport.web import jobs, working


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    at = [1_000.0]
    monkeypatch.setattr(clock, "monotonic_s", lambda: at[0])
    return at


def test_a_chore_that_fails_keeps_no_other_and_is_tried_again_ever_later(
    now: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(working.log, "exception", lambda text, *given: said.append(text % given))
    done: list[tuple[str, float]] = []

    def fails() -> None:
        done.append(("fails", now[0]))
        raise RuntimeError("the disk is full")

    chores = working.Chores((("erasing", fails), ("posting", lambda: done.append(("posts", now[0])))))
    stop = process.Stop()
    for second in range(0, 900, 5):
        now[0] = 1_000.0 + second
        chores.do_if_time(stop)
    posts = [at for what, at in done if what == "posts"]
    assert posts == [1_000.0 + s for s in range(0, 900, 15)]
    assert [at - 1_000 for what, at in done if what == "fails"] == [0, 15, 75, 675]
    assert said[-1] == "erasing failed; trying again in 3600 s"


def test_a_chore_that_works_again_has_no_past(now: list[float]) -> None:
    wrong = [True]
    done: list[float] = []

    def may_fail() -> None:
        done.append(now[0] - 1_000)
        if wrong[0]:
            raise RuntimeError("no network")

    chores = working.Chores((("asking", may_fail),))
    for second in (0, 15, 30):
        now[0] = 1_000.0 + second
        chores.do_if_time(process.Stop())
        wrong[0] = False
    assert done == [0, 15, 30]


class Rounds(process.Stop):
    """A stop that comes once something is so, or after half a minute."""

    def __init__(self, is_so: object) -> None:
        super().__init__()
        self.is_so = is_so
        self.left = 3_000

    def wait(self, seconds: float) -> bool:
        self.left -= 1
        clock.sleep(0.01)
        if self.left <= 0 or self.is_so():  # type: ignore[operator]
            self.set()
        return bool(self)


@pytest.mark.django_db(transaction=True)
def test_the_process_of_jobs_works_both_queues_off(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    gives_way: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "setpriority", lambda _which, who, by: gives_way.append((who, by)))
    monkeypatch.setattr(working, "ERASING", ())
    monkeypatch.setattr(working, "LONG", (("being idle", lambda: done.append("chores")),))
    monkeypatch.setattr("rapport.web.jobs.listening.run_import", lambda *_, **__: done.append("import"))
    monkeypatch.setattr("rapport.web.jobs.segments.refresh", lambda *_, **__: done.append("segments"))
    jobs.refresh_segments.enqueue()
    jobs.import_upload.enqueue("0195a1b2-0000-7000-8000-000000000000")
    here: list[list[str]] = []

    def is_done() -> bool:
        here.append([one.name for one in process.running() if one.alive])
        return DBTaskResult.objects.filter(status="SUCCESSFUL").count() == 2 and "chores" in done

    stop = Rounds(is_done)
    working.run(stop)
    assert stop.left > 0
    assert sorted(set(done)) == ["chores", "import", "segments"]
    ((who, by),) = gives_way
    assert (who != threading.get_native_id(), by) == (True, 5), "the one thread alone"
    assert here[0] == ["jobs"]
    assert not process.held("process-jobs")


def test_where_somebody_else_runs_the_jobs_that_is_enough(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[object] = []
    monkeypatch.setattr(process, "start", lambda *given: started.append(given))
    looks = [0]

    def is_over() -> bool:
        looks[0] += 1
        return looks[0] > 3

    with data_folder.lock("process-jobs"):
        process.keep("jobs", Rounds(is_over), end_s=1)
    assert started == []
