from __future__ import annotations

import threading

import pytest

from rapport.web import latest


def test_one_after_the_other_each_is_answered() -> None:
    for _n in range(2):
        with latest.only_latest("alice") as question:
            assert question.is_newest
    assert latest._lines == {}


def test_a_newer_question_stops_the_one_that_runs_and_drops_those_that_wait() -> None:
    runs, stopped, go_on = threading.Event(), threading.Event(), threading.Event()
    ended: dict[str, str] = {}

    def ask(name: str, *, holds: bool) -> None:
        try:
            with latest.only_latest("alice") as question:
                if holds:
                    question.stops_by(stopped.set)
                    runs.set()
                    assert stopped.wait(10)
                    assert go_on.wait(10)
                    raise RuntimeError("the engine was interrupted")
            ended[name] = "answered"
        except latest.Superseded:
            ended[name] = "superseded"

    first = threading.Thread(target=ask, args=("first",), kwargs={"holds": True})
    first.start()
    assert runs.wait(10)
    others = [threading.Thread(target=ask, args=(n,), kwargs={"holds": False}) for n in ("second", "third")]
    others[0].start()
    assert stopped.wait(10)
    others[1].start()
    line = latest._lines["alice"]
    while line.newest < 3:
        pass
    go_on.set()
    for thread in (first, *others):
        thread.join(10)
    assert ended == {"first": "superseded", "second": "superseded", "third": "answered"}
    assert latest._lines == {}


def test_readers_and_kinds_do_not_wait_for_each_other() -> None:
    with latest.only_latest("alice"), latest.only_latest("bob") as question:
        assert question.is_newest


def test_a_failure_of_the_newest_is_its_own() -> None:
    with pytest.raises(ValueError, match="broken"), latest.only_latest("alice"):
        raise ValueError("broken")
    assert latest._lines == {}


def test_whoever_comes_too_late_to_stop_it_stops_it_at_once() -> None:
    told: list[str] = []

    def overtaken() -> None:
        with latest.only_latest("alice") as question:
            latest._lines["alice"].newest += 1
            question.stops_by(lambda: told.append("stop"))
            raise RuntimeError

    with pytest.raises(latest.Superseded):
        overtaken()
    assert told == ["stop"]
