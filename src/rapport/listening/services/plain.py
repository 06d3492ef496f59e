"""A file's cells as text, for whoever compares rows and imports nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from rapport.events import lake
from rapport.kit.errors import Invalid
from rapport.listening.services import files, staging
from rapport.listening.services.tables import Table


@dataclass(slots=True)
class PlainFile:
    """A file of rows and columns that is being read."""

    table: Table
    n_faults: int = 0  # rows that could not be read as one, so far

    @property
    def columns(self) -> list[str]:
        return self.table.columns

    def texts(self, wanted: Mapping[str, str]) -> Iterator[pa.Table]:
        """Tables of `line` and, for each name, the text of its column without blanks around it, NULL if empty."""
        missing = [c for c in wanted.values() if c not in self.columns]
        if missing:
            raise Invalid(f"there is no column {missing[0]!r}", f"There are: {', '.join(self.columns)}.")
        with lake.new_engine() as con:
            for chunk in self.table.chunks():
                sound = self.table.sound(con, chunk)
                self.n_faults += len(sound.faults)
                con.register("chunk", sound.table)
                # First the relation: what a cell is called in it is settled by that.
                asked = self.table.relation(sorted(set(wanted.values())))
                cells = [
                    f"nullif(trim(CAST({self.table.cell(column)[0]} AS VARCHAR)), '') AS \"{name}\""
                    for name, column in wanted.items()
                ]
                yield con.execute(f"SELECT line, {', '.join(cells)} FROM {asked} AS r").to_arrow_table()


@contextmanager
def plain_file(path: str | Path) -> Iterator[PlainFile]:
    """Open a file of rows (CSV, JSON lines, Parquet); Invalid or NotFound say why it cannot be read."""
    table = staging.table_of(files.look_at(path))
    try:
        yield PlainFile(table)
    finally:
        table.close()
