"""Bulk writes: one statement for many rows, the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.db import IntegrityError, connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import bulk, clock

Row = tuple[int, str, int]


@pytest.fixture
def shelf(db: None) -> Iterator[str]:
    """A table with a key, a text and a time, gone with the test's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE kit_shelf (key INTEGER PRIMARY KEY, content TEXT NOT NULL, since INTEGER)"
        )
    yield "kit_shelf"
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE kit_shelf")


def rows_of(table: str) -> list[Row]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT key, content, since FROM {table} ORDER BY key")
        return list(cursor.fetchall())


def put(table: str, rows: list[Row], **how: object) -> int:
    return bulk.upsert(table, ("key", "content", "since"), rows, conflict=("key",), **how)  # type: ignore[arg-type]


def test_new_rows_are_inserted_over_many_slices(shelf: str) -> None:
    rows = [(key, f"row {key}", key) for key in range(25)]
    assert put(shelf, rows, slice_rows=10) == 25
    assert rows_of(shelf) == rows


def test_without_update_the_old_row_stays(shelf: str) -> None:
    put(shelf, [(1, "first", 1)])
    put(shelf, [(1, "second", 2), (2, "new", 2)])
    assert rows_of(shelf) == [(1, "first", 1), (2, "new", 2)]


def test_only_the_named_columns_are_updated(shelf: str) -> None:
    put(shelf, [(1, "first", 1)])
    put(shelf, [(1, "second", 2)], update=("content",))
    assert rows_of(shelf) == [(1, "second", 1)]


def test_a_guard_keeps_the_newer_row(shelf: str) -> None:
    guard = f"excluded.since >= {shelf}.since"
    put(shelf, [(1, "newer", 10)])
    put(shelf, [(1, "older", 5), (2, "new", 5)], update=("content", "since"), where=guard)
    assert rows_of(shelf) == [(1, "newer", 10), (2, "new", 5)]
    put(shelf, [(1, "newest", 11)], update=("content", "since"), where=guard)
    assert rows_of(shelf)[0] == (1, "newest", 11)


def test_a_generator_is_read_once_and_nothing_is_fine(shelf: str) -> None:
    assert bulk.upsert(shelf, ("key", "content"), ((k, "x") for k in range(3)), conflict=("key",)) == 3
    assert bulk.upsert(shelf, ("key", "content"), iter(()), conflict=("key",)) == 0
    assert len(rows_of(shelf)) == 3


def test_values_are_bound_not_pasted(shelf: str) -> None:
    put(shelf, [(1, "'); DROP TABLE kit_shelf; -- 100 %s ?", 1)])
    assert rows_of(shelf) == [(1, "'); DROP TABLE kit_shelf; -- 100 %s ?", 1)]


def test_a_refused_row_takes_its_slice_back(shelf: str) -> None:
    bad = [(1, "fine", 1), (2, None, 2)]
    with pytest.raises(IntegrityError), transaction.atomic():
        put(shelf, bad)  # type: ignore[arg-type]
    assert rows_of(shelf) == []


@given(st.lists(st.tuples(st.integers(0, 20), st.text("ab ñ", max_size=5), st.integers(0, 9)), max_size=60))
def test_the_last_of_many_equal_keys_wins(rows: list[Row]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("DELETE FROM kit_shelf")
        put("kit_shelf", rows, update=("content", "since"), slice_rows=7)
        assert rows_of("kit_shelf") == sorted({row[0]: row for row in rows}.values())


test_the_last_of_many_equal_keys_wins = pytest.mark.usefixtures("shelf")(
    test_the_last_of_many_equal_keys_wins
)


@pytest.mark.django_db(transaction=True)
def test_slices_commit_one_by_one_with_a_pause_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else a bulk write would hold SQLite's only write lock until its end, and every web request with it."""
    waits: list[tuple[float, bool]] = []
    monkeypatch.setattr(clock, "sleep", lambda s: waits.append((s, connection.in_atomic_block)))
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE kit_shelf (key INTEGER PRIMARY KEY, content TEXT NOT NULL, since INTEGER)"
        )
    try:
        put("kit_shelf", [(key, "x", key) for key in range(25)], slice_rows=10)
        assert waits == [(bulk.PAUSE_S, False)] * 2
        with pytest.raises(IntegrityError):
            put("kit_shelf", [(30, "kept", 1), (31, "kept", 1), (32, None, 1)], slice_rows=2)  # type: ignore[list-item]
        assert [row[0] for row in rows_of("kit_shelf")][-2:] == [30, 31]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE kit_shelf")


@pytest.mark.django_db(transaction=True)
def test_inside_an_open_transaction_nothing_commits_and_nothing_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(clock, "sleep", waits.append)
    with connection.cursor() as cursor:
        cursor.execute(
            "CREATE TABLE kit_shelf (key INTEGER PRIMARY KEY, content TEXT NOT NULL, since INTEGER)"
        )
    try:
        with transaction.atomic():
            put("kit_shelf", [(key, "x", key) for key in range(25)], slice_rows=10)
            transaction.set_rollback(True)  # the caller gives up
        assert rows_of("kit_shelf") == []
        assert waits == []
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE kit_shelf")
