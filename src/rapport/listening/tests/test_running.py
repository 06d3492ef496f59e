"""The process that reads whatever is on: each source when it is due, lasting ones in a process of their own."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time
from pathlib import Path
from typing import Any

import pytest

from rapport.kit import clock, process
from rapport.listening import selectors, services
from rapport.listening.contract import Failed, Manners
from rapport.listening.services import running
from rapport.listening.tests.networks import NOON, Square, rows, says


class Until:
    """A stop that comes when something is so, or after many looks."""

    def __init__(self, is_so: Any, most: int = 3_000) -> None:
        self.is_so = is_so
        self.left = most

    def __bool__(self) -> bool:
        return self.left <= 0 or bool(self.is_so())

    def wait(self, _seconds: float) -> bool:
        self.left -= 1
        time.sleep(0.01)  # lets the threads that read go on
        return bool(self)


@pytest.mark.django_db(transaction=True)
def test_every_source_that_is_due_is_read_and_the_others_wait(
    square: Square, source: str, home: Path
) -> None:
    services.add_source("off", "square", {}, is_on=False)
    square.said = [says("Hello", id="1")]
    stop = Until(lambda: selectors.source(source).seen_at is not None)
    services.run_forever(stop)  # type: ignore[arg-type]
    assert stop.left > 0
    assert [row["text"] for row in rows()] == ["Hello"]
    row = selectors.source(source)
    assert row.next_at == NOON + dt.timedelta(seconds=60), "not before its next round"
    assert selectors.source("off").seen_at is None
    assert any(entry.name == "listen" for entry in process.running())


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("error", [RuntimeError("odd"), Failed("our rate is spent", reason="rate")])
def test_what_cannot_leave_keeps_no_deletion_from_being_looked_for(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def deliver(*_: object) -> None:
        raise error

    asked: list[str] = []
    monkeypatch.setattr(running, "deliver", deliver)
    recheck = "rapport.listening.services.rechecking.recheck_if_due"
    monkeypatch.setattr(recheck, lambda name, _: asked.append(name))
    listening = running._Listening(Until(lambda: True))  # type: ignore[arg-type]
    listening._called_turn(source)
    listening._turn(source)
    assert asked == [source, source]


@pytest.mark.django_db(transaction=True)
def test_a_source_is_read_again_though_the_clock_was_ahead(square: Square, source: str) -> None:
    with clock.frozen(NOON + dt.timedelta(days=400)):
        services.read_source(source)
    assert selectors.source(source).next_at == NOON + dt.timedelta(days=400, seconds=60)
    square.said = [says("Hello", id="1")]
    stop = Until(lambda: selectors.source(source).seen_at == NOON)
    services.run_forever(stop)  # type: ignore[arg-type]
    assert stop.left > 0


class Child:
    """What stands in for a process: ends when told."""

    started: list[list[str]] = []

    def __init__(self, arguments: list[str], **_: Any) -> None:
        Child.started.append(arguments)
        self.status: int | None = None

    def poll(self) -> int | None:
        return self.status

    def terminate(self) -> None:
        self.status = 0

    def wait(self, _timeout: float = 0) -> int:
        return self.status or 0


@pytest.mark.django_db
def test_a_lasting_source_has_a_process_that_is_started_again_and_ended_with_it(
    square: Square, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    square.manners = Manners(is_lasting=True)
    now = [100.0]
    monkeypatch.setattr(clock, "monotonic_s", lambda: now[0])
    monkeypatch.setattr(process.subprocess, "Popen", Child)
    Child.started.clear()
    listening = running._Listening(process.Stop())
    listening._look(None)  # type: ignore[arg-type]
    assert [arguments[-3:] for arguments in Child.started] == [["listen", "--source", source]]
    child = listening.children[source]
    assert child.running is not None
    child.running.status = -9  # type: ignore[attr-defined]
    listening._look(None)  # type: ignore[arg-type]
    listening._look(None)  # type: ignore[arg-type]
    assert len(Child.started) == 1, "not at once"
    now[0] += 1.5
    listening._look(None)  # type: ignore[arg-type]
    assert len(Child.started) == 2
    services.switch_off(source)
    listening._look(None)  # type: ignore[arg-type]
    assert listening.children == {}


@pytest.mark.django_db
def test_a_reader_of_one_source_ends_when_somebody_has_to_act(square: Square, source: str) -> None:
    square.refuses = [Failed("The key was revoked", reason="login", retry_after_s=None)]
    services.read_forever(source, Until(lambda: False))  # type: ignore[arg-type]
    assert selectors.source(source).needs_login
    services.read_forever(source, Until(lambda: False))  # type: ignore[arg-type]


@pytest.mark.django_db
def test_a_lasting_reader_says_that_it_is_there_and_ends_when_it_is_changed(
    square: Square, source: str
) -> None:
    square.manners = dataclasses.replace(square.manners, is_lasting=True)
    seen: list[Any] = []

    def fetch(config: Any, cursor: str, context: Any) -> Any:
        for n in range(100):
            # The clock is set back an hour between the first look and the second.
            with clock.frozen(NOON + dt.timedelta(seconds=6 * n if n else 3_600)):
                if context.is_stopping():
                    seen.append(n)
                    return
                if n == 3:
                    seen.append(selectors.source(source).seen_at)
                    services.change_source(source, {"server": "https://other.example", "password": "new"})
        yield

    square.fetch = fetch  # type: ignore[method-assign, assignment]
    services.read_source(source)
    assert seen == [NOON + dt.timedelta(seconds=18), 4]


@pytest.mark.django_db
def test_a_source_that_calls_us_is_heard_while_our_screens_run(
    square: Square, source: str, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rapport.listening.models import Source

    row = Source.objects.get(name=source)
    Source.objects.filter(name=source).update(seen_at=NOON)
    row.refresh_from_db()
    running.note_called(row, NOON + dt.timedelta(minutes=5))
    assert selectors.source(source).seen_at == NOON, "nobody could have called"
    with process.present("web"):
        running.note_called(row, NOON + dt.timedelta(minutes=10))
    (gap,) = selectors.gaps(source)
    assert (gap.reason, gap.is_made_good) == ("stopped", False)
    assert selectors.source(source).seen_at == NOON + dt.timedelta(minutes=10)
