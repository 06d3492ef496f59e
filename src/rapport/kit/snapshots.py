"""A counter of changes in the operational store, and Parquet snapshots that hold all changes up to one.

A set-based reader takes the newest snapshot and the rows changed since, instead of the whole table.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection

from rapport.kit import home, ids

ATTEMPTS = 3
KEPT = 2  # snapshots: the newest, and the one before for whoever is just opening it


@dataclass(frozen=True, slots=True)
class Changes:
    """The counter of changes in a watermark table: a number that only grows, and the database's epoch."""

    table: str
    name: str = "change"

    def next(self) -> int:
        """The next number; the caller is in a transaction, and holds the row until it ends."""
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {self.table} (name, value, epoch) VALUES (%s, 1, %s)"
                f" ON CONFLICT (name) DO UPDATE SET value = {self.table}.value + 1 RETURNING value",
                [self.name, ids.token(18)],
            )
            return int(cursor.fetchone()[0])

    def present(self) -> tuple[str, int]:
        """The epoch, which tells this database from a restored copy, and the newest number; 0 before the first."""
        with connection.cursor() as cursor:
            cursor.execute(f"SELECT epoch, value FROM {self.table} WHERE name = %s", [self.name])
            row = cursor.fetchone()
        return (row[0], int(row[1])) if row else ("", 0)


@dataclass(frozen=True, slots=True)
class Snapshots:
    """The snapshots of one name, each a file that says in its name which epoch and change it holds."""

    name: str

    def read(
        self, epoch: str, present: int, reader: Callable[[Path], pa.Table]
    ) -> tuple[pa.Table, int] | None:
        """What `reader` makes of the newest snapshot of this database, and the change it holds, if any."""
        for _ in range(ATTEMPTS):
            held = {change: file for file, change in self._files(epoch)}
            if any(change > present for change in held):
                # A backup was restored: its counter went back, and will count these numbers again.
                self.discard()
                return None
            if not held:
                return None
            newest = max(held)
            try:
                return reader(held[newest]), newest
            except FileNotFoundError:
                continue  # somebody renewed it between our look and our read
        return None

    def write(self, table: pa.Table, epoch: str, change: int, **options: Any) -> None:
        """Write one that holds every change up to `change`, and drop the old ones; options as of Parquet."""
        folder = _folder()
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{self.name}-{_token(epoch)}-{change}.parquet"
        temporary = folder / f"{target.name}.{os.getpid()}"
        pq.write_table(table, temporary, compression="lz4", **options)
        temporary.replace(target)
        files = sorted(self._files(epoch), key=lambda held: held[1], reverse=True)
        kept = {file for file, _ in files[:KEPT]}
        for file in self._all():
            if file not in kept:
                file.unlink(missing_ok=True)

    def discard(self) -> None:
        """Drop every one: rows were deleted, which `changed since` cannot tell."""
        for file in self._all():
            file.unlink(missing_ok=True)

    def _all(self) -> Iterator[Path]:
        return _folder().glob(f"{self.name}-*.parquet")

    def _files(self, epoch: str) -> list[tuple[Path, int]]:
        found = []
        for file in self._all():
            _, of, change = file.stem.split("-")
            if of == _token(epoch) and change.isdigit():
                found.append((file, int(change)))
        return found


def _folder() -> Path:
    return home.path("snapshots")


def _token(epoch: str) -> str:
    return epoch.replace("-", "_")
