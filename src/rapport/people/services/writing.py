"""Writes to the operational store in short slices, each stamped with the number of its change.

Whoever takes the next number holds the row of the counter until the transaction ends. So writers of
identities and persons wait for one another on every engine, and when a reader sees number n, every
change up to n is there to be seen: `snapshot plus rows changed since` misses nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from rapport.kit import bulk, clock
from rapport.people.rules import graph
from rapport.people.selectors import rows
from rapport.people.selectors.rows import CHANGES, SCORES

SLICE_ROWS = 2_000  # as in kit.bulk: a slice of this size holds the write lock for well under 50 ms


def next_change() -> int:
    """The next number of the counter; the caller is in a transaction."""
    return CHANGES.next()


@contextmanager
def change() -> Iterator[int]:
    """One transaction with its own number."""
    with transaction.atomic():
        yield next_change()


def touch(persons: graph.Subjects, number: int) -> None:
    """Say that something of these persons changed that their rows do not show, inside the caller's change."""
    for at in range(0, len(persons), SLICE_ROWS):
        with connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE people_person SET changed_seq = %s WHERE {rows.among('id')}",
                [number, rows.listed(persons[at : at + SLICE_ROWS])],
            )


def scores_change() -> None:
    """Say that many scores change: whoever keeps a copy reads all of them anew, and not person by person."""
    with transaction.atomic():
        SCORES.next()


def pause() -> None:
    """Between two slices: let a waiting writer in, unless a transaction is open that would not let it."""
    if not connection.in_atomic_block:
        clock.sleep(bulk.PAUSE_S)


def tuples(rows: pa.Table) -> Iterable[tuple[Any, ...]]:
    """Rows as the database driver takes them."""
    return zip(*[bound(rows[name]) for name in rows.column_names], strict=True)


def bound(column: pa.ChunkedArray) -> list[Any]:
    """A column as the driver takes it; SQLite keeps times as text, always with a fraction, so that they sort."""
    if pa.types.is_timestamp(column.type) and connection.vendor == "sqlite":
        column = pc.strftime(column, "%Y-%m-%d %H:%M:%S")
    return list(column.to_pylist())


def stamped(
    name: str, rows: pa.Table, *, conflict: Sequence[str], update: Sequence[str] = (), where: str = ""
) -> None:
    """Upsert into a people_* table that carries `changed_seq`, one change a slice."""
    columns = [*rows.column_names, "changed_seq"]
    updated = [*update, "changed_seq"] if update else []
    for at in range(0, rows.num_rows, SLICE_ROWS):
        if at:
            pause()
        with change() as number:
            part = rows.slice(at, SLICE_ROWS)
            part = part.append_column("changed_seq", pa.array([number] * part.num_rows, pa.int64()))
            bulk.upsert(
                f"people_{name}", columns, tuples(part), conflict=conflict, update=updated, where=where
            )


def execute_many(sql: str, rows: Iterable[Sequence[Any]]) -> None:
    """One statement for each row, in the caller's transaction."""
    bulk.execute_many(sql, rows)


def delete(name: str, key: str, numbers: Sequence[int]) -> None:
    """Delete the rows of a people_* table by key, in the caller's transaction."""
    execute_many(f"DELETE FROM people_{name} WHERE {key} = %s", ((n,) for n in numbers))
