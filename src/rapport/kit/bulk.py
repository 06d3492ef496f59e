"""Bulk writes to the operational store: many rows a statement, in slices short enough for others to write.

One SQL text serves SQLite and PostgreSQL: `INSERT ... ON CONFLICT` is the same in both.
"""

from __future__ import annotations

import datetime as dt
import itertools
import sqlite3
import uuid
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

from django.db import connection, transaction

from rapport.kit import clock

SLICE_ROWS = 2_000  # a slice of this size holds the write lock for well under 50 ms
ASKED_AT_ONCE = 500  # parameters of one condition; SQLite takes a thousand and more
PAUSE_S = 0.002  # long enough for a waiting web request to take the lock

T = TypeVar("T")


def upsert(
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    *,
    conflict: Sequence[str],
    update: Sequence[str] = (),
    where: str = "",
    slice_rows: int = SLICE_ROWS,
) -> int:
    """Insert rows; on `conflict` columns update `update` ones (or keep the old row). Gives rows sent.

    `where` may guard the update, for example `excluded.at >= people_trait.at`. Inside a transaction
    that is already open, no slice commits on its own.
    """
    names = ", ".join(columns)
    marks = ", ".join(["%s"] * len(columns))
    action = "DO NOTHING"
    if update:
        action = "DO UPDATE SET " + ", ".join(f"{c} = excluded.{c}" for c in update)
        if where:
            action += f" WHERE {where}"
    sql = f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({', '.join(conflict)}) {action}"
    return execute_many(sql, rows, slice_rows=slice_rows)


def parts(items: Sequence[T], at_once: int = ASKED_AT_ONCE) -> Iterator[Sequence[T]]:
    """The items in parts that one statement takes as parameters."""
    return (items[at : at + at_once] for at in range(0, len(items), at_once))


def execute_many(sql: str, rows: Iterable[Sequence[Any]], *, slice_rows: int = SLICE_ROWS) -> int:
    """Run one statement for every row, a slice a transaction. Gives the rows sent."""
    sent = 0
    iterator = iter(rows)
    nested = connection.in_atomic_block
    while chunk := list(itertools.islice(iterator, slice_rows)):
        if sent and not nested:
            clock.sleep(PAUSE_S)
        with transaction.atomic(), connection.cursor() as cursor:
            _executemany(cursor, sql, chunk)
        sent += len(chunk)
    return sent


def _executemany(cursor: Any, sql: str, chunk: Sequence[Sequence[Any]]) -> None:
    if connection.vendor == "sqlite":
        # The driver itself: Django's wrapper would format every statement for its debug log.
        raw: sqlite3.Cursor = cursor.cursor.cursor if hasattr(cursor.cursor, "cursor") else cursor.cursor
        with connection.wrap_database_errors:
            sqlite3.Cursor.executemany(raw, sql.replace("%s", "?"), chunk)
    else:
        cursor.executemany(sql, chunk)


def uuid_value(value: uuid.UUID) -> Any:
    """A UUID as this database's driver stores it under Django's UUIDField."""
    return value.hex if connection.vendor == "sqlite" else value


def time_value(value: dt.datetime | None) -> Any:
    """An aware time as this database's driver stores it under Django's DateTimeField."""
    if value is None or connection.vendor != "sqlite":
        return value
    return value.astimezone(dt.UTC).replace(tzinfo=None).isoformat(sep=" ")
