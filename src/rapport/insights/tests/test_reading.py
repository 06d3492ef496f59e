"""A new version reads the old texts in pages while the old one's words stand; it stops, goes on, and goes back."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

import pytest

from rapport.events import services as events
from rapport.insights import selectors, services
from rapport.insights.models import AnnotationCursor, Run
from rapport.insights.services import annotating, keeping, reading
from rapport.insights.tests.conftest import Loud, Say, loaded, post, react, written
from rapport.kit import clock, registry
from rapport.kit.errors import Conflict, NotFound


class Killed(BaseException):
    """Ends a run between two pages without a word, as a kill would."""


def newest() -> dict[int, str]:
    """The version whose word on each text readers take."""
    return {row["seq"]: row["version"] for row in written("loud")}


def posts(n: int) -> list[dict[str, object]]:
    return [post(str(k), "ana", 20 - k, f"text {k}") for k in range(n)]


def test_old_words_stand_until_a_text_is_read_again_and_no_text_has_two(
    say: Say, loud: Loud, pages_of_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*posts(5))
    react()
    loud.version = "2"
    write = events.annotate
    pages: list[int] = []

    def killed_at_the_second(table: Any) -> Any:
        pages.append(table.num_rows)
        if len(pages) == 2:
            raise Killed
        return write(table)

    with monkeypatch.context() as killed:
        killed.setattr(events, "annotate", killed_at_the_second)
        with pytest.raises(Killed):
            services.run(["loud"])
    loaded()
    assert newest() == {1: "2", 2: "2", 3: "1", 4: "1", 5: "1"}
    shown = selectors.texts_page(selectors.Wanted(name="loud")).texts
    assert [(t.seq, len(t.said), t.said[0].version) for t in shown] == [
        (5, 1, "1"), (4, 1, "1"), (3, 1, "1"), (2, 1, "2"), (1, 1, "2"),
    ]  # fmt: skip
    standing = selectors.standings()["loud"]
    assert (standing.version, standing.upto_seq, standing.is_behind) == ("2", 2, True)
    loud.asked = []
    assert [s.n_in for s in services.read_due()] == [3]
    assert loud.asked == [3, 4, 5], "what was read before it was killed is not read again"
    assert newest() == dict.fromkeys(range(1, 6), "2")
    assert services.read_due() == []


def test_staff_stops_a_reading_and_lets_it_go_on(
    say: Say, loud: Loud, pages_of_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*posts(5))
    react()
    loud.version = "2"

    def stop_after_a_page(done: int, total: int | None, what: str) -> None:
        services.stop("loud")

    (summary,) = services.run(["loud"], progress=stop_after_a_page)
    assert summary.n_in == 2
    assert "Stopped by staff" in Run.objects.get(pk=summary.id).error
    assert reading.due() == []
    assert services.read_due() == []
    say(post("new", "bo", 1, "just said"))
    react()
    assert newest()[max(newest())] == "2", "what arrives is still read"
    services.go_on("loud")
    assert reading.due() == ["loud"]
    services.read_due()
    assert set(newest().values()) == {"2"}


@pytest.fixture
def two(loud: Loud, monkeypatch: pytest.MonkeyPatch) -> Loud:
    """A second model beside the loud one."""
    other = dataclasses.replace(
        loud,
        name="other",
        writes="other",
        gives=(dataclasses.replace(loud.gives[0], name="other"),),
        asked=[],
    )
    found = {m.name: registry.Plugin(m.name, "insights", "test", m) for m in (loud, other)}
    monkeypatch.setattr(registry, "plugins", lambda kind: found)
    return other


def test_one_that_is_behind_catches_up_and_then_they_read_together(
    say: Say, two: Loud, loud: Loud, pages_of_two: None
) -> None:
    say(*posts(3))
    services.run(["loud"])
    loud.asked = []
    say(*[post(f"n{k}", "bo", 1, f"new {k}") for k in range(3)])
    before = AnnotationCursor.objects.get(model="loud").done_seq
    first, second = services.run(["loud", "other"])
    assert (first.n_in, second.n_in) == (3, 6)
    assert all(seq > before for seq in loud.asked)
    assert two.asked[:3] == [1, 2, 3]
    runs = {(r["seq"], r["run"]) for r in written("loud")[3:]}
    assert runs <= {(r["seq"], r["run"]) for r in written("other")}, (
        "their words on a page are one body of the log"
    )


def test_one_that_fails_stops_no_other(say: Say, two: Loud, loud: Loud) -> None:
    say(*posts(2))
    loud.label = "shouting"
    failed, done = services.run(["loud", "other"])
    assert (failed.state, done.state, done.n_out) == ("failed", "done", 2)
    assert "shouting" in failed.error
    say(post("new", "bo", 1, "just said"))
    react()
    assert AnnotationCursor.objects.get(model="loud").done_seq == 0
    assert [row["seq"] for row in written("other")][-1] > 2, "the other reads what arrives"
    loud.label = "loud"
    (again,) = services.run(["loud"])
    assert (again.state, again.n_in) == ("done", 3)


def test_one_that_cannot_begin_stops_no_other(
    say: Say, two: Loud, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Loud, "fit", lambda self, *_: b"x" if self is two else 1 / 0)
    say(*posts(2))
    react()
    assert (len(written("loud")), len(written("other"))) == (0, 2)


def test_one_that_failed_is_left_in_peace_longer_each_time_and_a_new_version_is_not(
    say: Say, loud: Loud, noon: dt.datetime
) -> None:
    say(*posts(2))
    loud.label = "shouting"
    react()
    at = noon
    for rest_h in (1, 2, 4, 8, 16, 24, 24):
        with clock.frozen(at):
            assert reading.due() == ["loud"]
            (failed,) = services.read_due()
            assert failed.state == "failed"
        rest = dt.timedelta(hours=rest_h)
        with clock.frozen(at + rest - dt.timedelta(seconds=1)):
            assert reading.due() == []
        at += rest
    loud.version, loud.label = "2", "loud"
    (done,) = services.read_due()
    assert (done.state, done.n_in) == ("done", 2)


def test_texts_that_wait_are_counted_now_and_then_and_what_was_read_since_is_taken_off(
    say: Say, loud: Loud, pages_of_two: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*posts(5))
    counted: list[tuple[int, int]] = []
    count = reading._count

    def noted(con: Any, gap: tuple[int, int]) -> int:
        counted.append(gap)
        return count(con, gap)

    monkeypatch.setattr(reading, "_count", noted)
    waiting = [reading.standings()[0].n_waiting]
    services.run(["loud"], progress=lambda *_: waiting.append(reading.standings()[0].n_waiting))
    assert waiting == [5, 3, 1, 0]
    assert counted == [(1, 5)]


def test_whether_texts_wait_is_not_asked_of_the_log_for_one_that_is_stopped(
    say: Say, loud: Loud, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(*posts(2))
    react()
    loud.version = "2"
    assert reading.due() == ["loud"]
    services.stop("loud")
    monkeypatch.setattr(reading.lake, "connect", lambda: pytest.fail("nobody is to be asked after"))
    assert reading.due() == []


def test_going_back_has_texts_read_again_and_says_where_there_is_no_way(say: Say, loud: Loud) -> None:
    say(*posts(2))
    react()
    keeping.keep("loud", "1+1", b"x")
    services.run(["loud"])
    assert set(newest().values()) == {"1+1"}
    assert services.rollback("loud") == "1"
    assert set(newest().values()) == {"1+1"}, "the old words stand meanwhile"
    services.read_due()
    assert set(newest().values()) == {"1"}
    with pytest.raises(Conflict, match="no version before 1"):
        services.rollback("loud")
    with pytest.raises(NotFound, match="keeps no version '1\\+7'"):
        services.rollback("loud", "1+7")
    assert services.rollback("loud", "1+1") == "1+1"
    loud.version = "2"
    with pytest.raises(Conflict, match="learnt by an older loud"):
        services.rollback("loud", "1+1")
    assert [(v.version, v.serves, v.can_serve) for v in selectors.versions("loud")] == [
        ("1+1", False, False), ("1", False, False), ("2", True, True),
    ]  # fmt: skip


def test_another_version_put_in_place_while_one_reads_takes_over(
    say: Say, loud: Loud, pages_of_two: None
) -> None:
    say(*posts(6))
    react()
    loud.version = "2"
    done: list[int] = []

    def taught_after_a_page(at: int, total: int | None, what: str) -> None:
        done.append(at)
        if len(done) == 1:
            with annotating.lock(loud):  # type: ignore[arg-type]
                keeping.keep("loud", "2+1", b"x")

    services.run(["loud"], progress=taught_after_a_page)
    assert set(newest().values()) == {"2+1"}
