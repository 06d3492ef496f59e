"""The spool: durable, numbered, released late."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rapport.events import spool
from rapport.kit import clock
from rapport.kit.errors import Invalid, NotFound


@pytest.fixture
def box(tmp_path: Path) -> spool.Spool:
    made = spool.Spool(tmp_path / "spool" / "spool.sqlite3")
    made.create()
    return made


def body(n: int = 1) -> spool.Body:
    return spool.Body(spool.SEGMENT, "site", n, b"{}")


def test_each_body_gets_the_next_numbers(box: spool.Spool) -> None:
    ranges = box.append([body(3), body(1), body(2)])
    assert [(r.first, r.last) for r in ranges] == [(1, 3), (4, 4), (5, 6)]
    assert box.next_seq() == 7
    assert [b.first for b in box.read(1, max_events=100, max_bytes=10**6)] == [1, 4, 5]


def test_a_read_in_the_middle_of_a_body_gives_the_whole_body(box: spool.Spool) -> None:
    box.append([body(3), body(1)])
    assert [b.first for b in box.read(2, max_events=100, max_bytes=10**6)] == [1, 4]


def test_limits_leave_at_least_one_body(box: spool.Spool) -> None:
    box.append([body(50), body(50)])
    assert len(box.read(1, max_events=10, max_bytes=10**6)) == 1
    assert len(box.read(1, max_events=1000, max_bytes=1)) == 1


def test_numbers_are_not_used_again_after_everything_was_purged(box: spool.Spool) -> None:
    box.append([body(5)])
    box.release(5)
    assert box.purge(older_than_s=-1) == 1
    assert box.append([body(1)])[0].first == 6


def test_a_released_range_is_kept_a_day(box: spool.Spool) -> None:
    start = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
    with clock.frozen(start):
        box.append([body(5)])
        box.release(5)
    with clock.frozen(start + dt.timedelta(hours=23)):
        assert box.purge() == 0
    with clock.frozen(start + dt.timedelta(hours=25)):
        assert box.purge() == 1


def test_a_body_of_nothing_is_refused_and_the_others_of_its_commit_too(box: spool.Spool) -> None:
    with pytest.raises(Invalid, match="no events"):
        box.append([body(1), body(0)])
    assert box.next_seq() == 1
    assert box.read(1, max_events=10, max_bytes=10**6) == []


def test_many_writers_never_share_a_number(box: spool.Spool) -> None:
    with ThreadPoolExecutor(8) as pool:
        ranges = [r for rs in pool.map(lambda _: box.append([body(3)]), range(40)) for r in rs]
    numbers = [n for r in ranges for n in range(r.first, r.last + 1)]
    assert sorted(numbers) == list(range(1, 121))


def test_write_keys_are_kept_as_hashes(box: spool.Spool) -> None:
    key = box.add_write_key("shop")
    assert box.write_keys() == {spool.hash_key(key): "shop"}
    assert key.encode() not in box.path.read_bytes()
    box.revoke_write_key(spool.hash_key(key))
    assert box.write_keys() == {}


def test_no_data_folder_is_said_in_words(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no spool"):
        spool.Spool(tmp_path / "nowhere" / "spool.sqlite3").next_seq()


def test_staged_files_that_nobody_names_are_swept(box: spool.Spool) -> None:
    orphan = box.staging_path()
    orphan.write_bytes(b"x")
    import os

    os.utime(orphan, (0, 0))
    box.purge()
    assert not orphan.exists()


@pytest.mark.parametrize("fails", ["release", "purge", "append"])
def test_what_fails_keeps_nobody_else_from_writing(box: spool.Spool, fails: str) -> None:
    box.append([body(1)])
    table = {"release": "released", "purge": "body", "append": "state"}[fails]
    verb = {"release": "INSERT", "purge": "DELETE", "append": "UPDATE"}[fails]
    box.connection().execute(
        f"CREATE TRIGGER bad BEFORE {verb} ON {table} BEGIN SELECT RAISE(ABORT, 'bad'); END"
    )
    if fails == "purge":
        box.release(1)
    calls: dict[str, Callable[[], object]] = {
        "release": lambda: box.release(1),
        "purge": lambda: box.purge(older_than_s=-1),
        "append": lambda: box.append([body(1)]),
    }
    with pytest.raises(sqlite3.IntegrityError):
        calls[fails]()
    other = spool.Spool(box.path)
    other.connection().execute("PRAGMA busy_timeout = 0")
    other.connection().execute("DROP TRIGGER bad")
    assert other.append([body(1)])[0].first == 2
    calls[fails]()
