"""Where reading was left is kept, read again and moved on with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence

from rapport.kit import marks
from rapport.kit.marks import Found, Marks

NOON = dt.datetime(2026, 3, 2, 12, 0, tzinfo=dt.UTC)


def one(n: int, version: str = "") -> Found[int]:
    return Found(str(n), NOON + dt.timedelta(minutes=n), n, version)


def newest_first(last: int, size: int = 10) -> Iterator[Sequence[Found[int]]]:
    for top in range(last, 0, -size):
        yield [one(n) for n in range(top, max(top - size, 0), -1)]


def test_a_list_is_walked_back_to_where_it_was_left() -> None:
    kept = Marks()
    assert list(kept.new(kept.walk("all", newest_first(12), NOON).found)) == list(range(1, 13))
    kept = Marks.read(kept.text())
    pages = newest_first(60)
    walk = kept.walk("all", pages, NOON)
    assert walk.cut is None
    assert walk.since == NOON + dt.timedelta(minutes=12) - marks.MARGIN
    assert list(kept.new(walk.found)) == list(range(13, 61))
    assert next(pages, None) is not None or walk.found[0].said <= 12, "it went no further back than it had to"


def test_a_walk_that_is_too_long_says_where_it_ended() -> None:
    last = 10 * marks.PAGES_MAX + 50
    walk = Marks().walk("all", newest_first(last), NOON)
    assert walk.cut == NOON + dt.timedelta(minutes=51)
    assert Marks().walk("all", newest_first(10 * marks.PAGES_MAX), NOON).cut is not None
    assert Marks().walk("all", newest_first(10 * (marks.PAGES_MAX - 1)), NOON).cut is None
    assert not Marks().walk("all", iter(()), NOON).found


def test_what_has_another_version_has_changed_once() -> None:
    kept = Marks()
    assert list(kept.new([one(1, "a"), one(1, "a")])) == [1]
    assert not list(kept.changed([one(1, "a"), one(2, "x")]))
    assert list(kept.changed([one(1, "b"), one(1, "b")])) == [1]


def test_no_more_is_kept_than_is_needed_and_rubbish_begins_anew() -> None:
    kept = Marks(known={str(n): "" for n in range(marks.KNOWN_MAX + 5)})
    assert next(iter(Marks.read(kept.text()).known)) == "5"
    for text in ("", "[]", '{"left": 3}', '{"left": {"a": 1}, "places": {"a": "b"}}', "no JSON"):
        assert Marks.read(text) == Marks()


def test_things_take_turns_and_wait() -> None:
    kept = Marks()
    assert [list(kept.part("x", range(5), 2)) for _ in range(4)] == [[0, 1], [2, 3], [4], [0, 1]]
    assert kept.is_due("x", 60, NOON)
    assert not kept.is_due("x", 60, NOON + dt.timedelta(seconds=59))
    assert kept.is_due("x", 60, NOON + dt.timedelta(seconds=60))
    assert kept.is_due("x", 60, NOON), "a clock that was set back does not stop it"


def test_what_is_gone_stays_gone() -> None:
    kept = Marks()
    assert list(kept.new([one(1, "a"), one(2, "a")])) == [1, 2]
    kept.forget("1")
    kept = Marks.read(kept.text())
    assert kept.held() == ["2"]
    assert not list(kept.new([one(1, "a")]))
    assert not list(kept.changed([one(1, "b")]))


def test_a_page_of_which_nothing_can_be_read_is_passed() -> None:
    kept = Marks()
    pages: list[list[Found[str]]] = [[], [Found("a", NOON, "a")], [], [Found("b", NOON, "b")], []]
    walk = kept.walk("list", pages, NOON - dt.timedelta(days=1))
    assert ([one.id for one in walk.found], walk.cut) == (["a", "b"], None)
    endless: list[list[Found[str]]] = [[Found("c", NOON, "c")], *([[]] * marks.PAGES_MAX)]
    assert kept.walk("other", endless, NOON - dt.timedelta(days=1)).cut == NOON
