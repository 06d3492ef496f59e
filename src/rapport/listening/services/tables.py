"""Files of rows and columns in chunks: JSON lines and Parquet here, CSV beside it.

A chunk is an Arrow table with the line (or row) each row came from. What cannot even be a row (too many
columns, no JSON) is set aside as a fault with its line; what its columns say is judged later.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rapport.kit import home, ids
from rapport.kit.errors import Invalid
from rapport.listening.rules.fields import normal_name
from rapport.listening.services import files, linewise
from rapport.listening.services.files import Given

CHUNK_ROWS = 500_000
CHUNK_BYTES = 96 << 20
SAMPLE_LINES = 1_000
# Texts that are a number or a truth value as they stand.
FORMS = {"number": r"-?(0|[1-9][0-9]{0,14})(\.[0-9]{1,15})?", "boolean": "(?i)true|false"}
HARD_SPACE = "\u00a0".encode()
SHOWN_CHARS = 2_000  # of one value of a refused row


@dataclass(frozen=True, slots=True)
class Fault:
    """A row that could not be read as one: its line, what is wrong (a code of rules.values) and what stood there."""

    line: int
    reason: str
    row: dict[str, Any]
    about: dict[str, Any] = field(default_factory=dict)  # what the message names


@dataclass(slots=True)
class Chunk:
    """Rows of a file: column `line`, and then those the reader's expressions name."""

    table: pa.Table
    faults: list[Fault] = field(default_factory=list)
    has_nul: bool = False  # whether one may be in it
    has_odd_space: bool = False  # whether there may be tabs or hard spaces around its cells


class Table(Protocol):
    """A file of rows: its columns, its chunks, and how a column is written in SQL over a chunk."""

    columns: list[str]
    description: str

    def chunks(self, *, rows: int = ..., size: int = ...) -> Iterator[Chunk]:
        """The rows in order, from the beginning each time."""
        ...

    def sound(self, con: duckdb.DuckDBPyConnection, chunk: Chunk) -> Chunk:
        """The chunk without rows that are none, which join its faults."""
        ...

    def relation(self, columns: Sequence[str]) -> str:
        """SQL for the relation in which `cell` is understood, made for these columns."""
        ...

    def cell(self, column: str) -> tuple[str, bool]:
        """A column as SQL over the relation, and whether it is text."""
        ...

    def rest(self, names: dict[str, str], dropped: Sequence[str]) -> str:
        """SQL for a JSON object of the columns in `names` (column to property), NULL where it has none."""
        ...

    def content(self, dropped: Sequence[str]) -> str:
        """SQL for the text of a whole row, the same whatever the file is called."""
        ...

    def close(self) -> None:
        """Remove what was made to read it."""
        ...

    def nul(self) -> str:
        """SQL for whether a row holds a NUL character."""
        ...

    def raw(self, table: pa.Table) -> list[dict[str, Any]]:
        """Rows of a chunk as somebody can correct them."""
        ...


def literal(text: str) -> str:
    """A text as SQL."""
    return "'" + text.replace("'", "''") + "'"


class Lines:
    """JSON lines: one object a line."""

    def __init__(self, given: Given | None, columns: list[str] | None = None) -> None:
        self.given = given
        self.description = f"JSON lines{given.description if given else ''}"
        self.columns = columns if columns is not None else self._columns_of(given) if given else []
        self.taken: dict[str, int] = {}

    @staticmethod
    def _columns_of(given: Given) -> list[str]:
        columns: dict[str, None] = {}
        for line in given.sample.split(b"\n")[:SAMPLE_LINES]:
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict):
                columns.update(dict.fromkeys(row))
        if not columns:
            shown = given.sample[:80].decode("utf-8", "replace")
            raise Invalid(
                f"{given.name} has no JSON object in its first lines: it begins {shown!r}",
                "Write one object a line.",
            )
        return list(columns)

    def chunks(self, *, rows: int = CHUNK_ROWS, size: int = CHUNK_BYTES) -> Iterator[Chunk]:
        first = 0
        parts: list[Chunk] = []
        for block in files.blocks(self.given) if self.given else ():
            texts = linewise.texts_of(block)
            table = pa.table({"line": pa.array(texts.numbers + first), "raw": texts.lines})
            faults = [Fault(first + k, "bad_utf8", {"raw": shown}) for k, shown in texts.not_utf8]
            odd_space = b"\\t" in block or HARD_SPACE in block or b"\\u00a0" in block
            parts.append(Chunk(table, faults, b"\\u0000" in block, odd_space))
            first += texts.n
            if sum(p.table.num_rows for p in parts) >= rows or sum(p.table.nbytes for p in parts) >= size:
                yield together(parts)
                parts = []
        if parts:
            yield together(parts)

    def _path(self, column: str) -> str:
        """`$."a"`, and where no column is called `a.b` but one `a` is, `$."a"."b"`."""
        steps = [column]
        if column not in self.columns and "." in column:
            steps = column.split(".")
        return literal("$" + "".join('."' + step.replace('"', '\\"') + '"' for step in steps))

    def sound(self, con: duckdb.DuckDBPyConnection, chunk: Chunk) -> Chunk:
        con.register("chunk", chunk.table)
        is_object = "CASE WHEN json_valid(raw) THEN json_type(raw) = 'OBJECT' ELSE false END"
        mask = con.execute(f"SELECT {is_object} AS ok FROM chunk").to_arrow_table()["ok"]
        if pc.all(mask).as_py():
            return chunk
        others = chunk.table.filter(pc.invert(mask))
        faults = [
            Fault(line, "not_object", shortened({"raw": text}))
            for line, text in zip(others["line"].to_pylist(), others["raw"].to_pylist(), strict=True)
        ]
        return replace(chunk, table=chunk.table.filter(mask), faults=chunk.faults + faults)

    def relation(self, columns: Sequence[str]) -> str:
        self.taken = {column: k for k, column in enumerate(columns, start=1)}
        paths = ", ".join(self._path(c) for c in columns)
        return (
            f"(SELECT line, raw, json_extract_string(raw, [{paths}]) AS j FROM chunk)" if columns else "chunk"
        )

    def cell(self, column: str) -> tuple[str, bool]:
        return f"j[{self.taken[column]}]", True

    def rest(self, names: dict[str, str], dropped: Sequence[str]) -> str:
        gone = [c for c in self.columns if c not in names] + [c for c in dropped if c not in self.columns]
        return f"nullif(json_merge_patch(raw, {literal(json.dumps(dict.fromkeys(gone)))})::VARCHAR, '{{}}')"

    def content(self, dropped: Sequence[str]) -> str:
        if not dropped:
            return "raw"
        return f"json_merge_patch(raw, {literal(json.dumps(dict.fromkeys(dropped)))})::VARCHAR"

    def close(self) -> None:
        pass

    def nul(self) -> str:
        return "contains(raw, '\\u0000')"

    def raw(self, table: pa.Table) -> list[dict[str, Any]]:
        return [shortened(json.loads(text)) for text in table["raw"].to_pylist()]


class Columns:
    """Parquet, and any rows that Arrow holds already."""

    is_ours = False  # whether the file is a copy made here

    def __init__(self, given: Given | None, path: Path | None = None, rows: pa.Table | None = None) -> None:
        self.given, self.path, self.rows = given, path, rows
        try:
            schema = pq.read_schema(path) if path else rows.schema if rows is not None else pa.schema([])
        except (pa.ArrowInvalid, OSError) as error:
            name = given.name if given else ""
            raise Invalid(
                f"{name} begins like Parquet and cannot be read: {error}", "Write it again."
            ) from None
        # An index that pandas wrote is no column of anybody's.
        self.columns = [c for c in schema.names if not c.startswith("__index_level_")]
        self.types = {c: schema.field(c).type for c in self.columns}
        self.place = {c: f"c{k}" for k, c in enumerate(self.columns)}
        self.description = f"Parquet{given.description if given else ''}"

    def chunks(self, *, rows: int = CHUNK_ROWS, size: int = CHUNK_BYTES) -> Iterator[Chunk]:
        del size  # row groups are read whole anyway
        first = 1
        for table in self._tables(rows):
            lines = pa.array(np.arange(first, first + table.num_rows, dtype=np.int64))
            first += table.num_rows
            found = _bytes_in(table)
            yield Chunk(
                pa.table([lines, *table.columns], names=["line", *self.place.values()]),
                has_nul=0 in found,
                has_odd_space=bool({ord("\t"), HARD_SPACE[-1]} & found),
            )

    def _tables(self, rows: int) -> Iterator[pa.Table]:
        if self.rows is not None:
            yield self.rows.select(self.columns)
        elif self.path is not None:
            with pq.ParquetFile(self.path) as file:
                waiting: list[pa.RecordBatch] = []
                for batch in file.iter_batches(batch_size=min(rows, 122_880), columns=self.columns):
                    waiting.append(batch)
                    if sum(b.num_rows for b in waiting) >= rows:
                        yield pa.Table.from_batches(waiting)
                        waiting = []
                    if self.given:
                        self.given.read_bytes += int(
                            self.given.size_bytes * batch.num_rows / max(1, file.metadata.num_rows)
                        )
                if waiting:
                    yield pa.Table.from_batches(waiting)

    def sound(self, con: duckdb.DuckDBPyConnection, chunk: Chunk) -> Chunk:
        del con
        return chunk

    def close(self) -> None:
        if self.is_ours and self.path:
            self.path.unlink(missing_ok=True)

    def nul(self) -> str:
        return (
            " OR ".join(f"contains({self.place[c]}, chr(0))" for c in self.columns if self.cell(c)[1])
            or "false"
        )

    def relation(self, columns: Sequence[str]) -> str:
        del columns
        return "chunk"

    def cell(self, column: str) -> tuple[str, bool]:
        kind = self.types[column]
        return self.place[column], pa.types.is_string(kind) or pa.types.is_large_string(kind)

    def rest(self, names: dict[str, str], dropped: Sequence[str]) -> str:
        del dropped
        return members(
            {c: n for c, n in names.items() if c in self.place},
            self.place,
            {c: "json" for c in names if not self.cell(c)[1]},
        )

    def content(self, dropped: Sequence[str]) -> str:
        return row_text([c for c in self.columns if c not in dropped], self.place)

    def raw(self, table: pa.Table) -> list[dict[str, Any]]:
        named = table.drop_columns(["line"]).rename_columns(self.columns)
        return [
            shortened(
                {c: v if isinstance(v, (int, float, bool)) or v is None else str(v) for c, v in row.items()}
            )
            for row in named.to_pylist()
        ]


def _bytes_in(table: pa.Table) -> set[int]:
    """Which bytes occur in a table's texts, or beside them in the same buffers."""
    found = np.zeros(256, np.bool_)
    for column in table.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            for chunk in column.chunks:
                letters = chunk.buffers()[2]
                if letters is not None:
                    found[np.frombuffer(letters, np.uint8)] = True
    return set(np.flatnonzero(found).tolist())


def parquet_table(given: Given) -> Columns:
    """A Parquet file; one that was compressed once more is unpacked first."""
    if not given.packing:
        return Columns(given, given.path)
    path = home.path("tmp", f"{ids.uuid7()}.parquet")
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for block in files.blocks(given, files.anywhere):
            file.write(block)
    if given.broken:
        path.unlink()
        raise Invalid(given.broken, "Transfer the file again; of a broken Parquet file no row can be read.")
    table = Columns(given, path)
    table.is_ours = True
    return table


def members(names: dict[str, str], place: dict[str, str], forms: dict[str, str]) -> str:
    """SQL for a JSON object of columns, empty ones left out; NULL where all are.

    `forms`: json writes a value as its type says, number and boolean take a text as such.
    """
    if not names:
        return "NULL::VARCHAR"
    parts = []
    for column, name in names.items():
        cell = place[column]
        key = literal(json.dumps(name) + ":")
        form = forms.get(column, "text")
        if form == "json":
            parts.append(
                f"{key} || nullif(nullif(nullif(to_json({cell})::VARCHAR, 'NaN'), 'Infinity'), '-Infinity')"
            )
            continue
        text = f"nullif(trim({cell}), '')"
        value = f"to_json({text})::VARCHAR"
        if form in FORMS:  # said by the first chunk; a cell of a later one may be none
            value = (
                f"CASE WHEN regexp_full_match({text}, '{FORMS[form]}') THEN lower({text}) ELSE {value} END"
            )
        parts.append(f"{key} || {value}")
    return f"'{{' || nullif(concat_ws(',', {', '.join(parts)}), '') || '}}'"


def row_text(columns: Sequence[str], place: dict[str, str]) -> str:
    """SQL for the text of a row: names and values by name, so that neither order nor empty columns matter."""
    ordered = sorted(columns, key=normal_name)
    parts = [f"{literal(normal_name(c) + '=')} || nullif({place[c]}::VARCHAR, '')" for c in ordered]
    return f"concat_ws(chr(31), {', '.join(parts)})"


def together(parts: list[Chunk]) -> Chunk:
    """Several chunks as one."""
    return Chunk(
        pa.concat_tables([p.table for p in parts]),
        [fault for p in parts for fault in p.faults],
        any(p.has_nul for p in parts),
        any(p.has_odd_space for p in parts),
    )


def shortened(row: dict[str, Any]) -> dict[str, Any]:
    """A row in which no text is longer than can be looked at."""
    return {
        k: f"{v[:SHOWN_CHARS]}… ({len(v):,} characters)" if isinstance(v, str) and len(v) > SHOWN_CHARS else v
        for k, v in row.items()
    }
