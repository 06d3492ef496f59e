"""Probable links among the rows of a file, which is read and not imported."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.errors import Invalid
from rapport.listening.services.plain import PlainFile, plain_file
from rapport.people.rules import columns
from rapport.people.services import linking

# One of these has to be there: a town or an occupation alone says nothing of who somebody is.
WHO = ("given_name", "family_name", "name", "birth_date", "email", "phone", "number")


@dataclass(frozen=True, slots=True)
class LinkedFile:
    """What was compared of a file, and the pairs found: a and b as the file names its rows."""

    id_column: str  # '' where rows are named by their line
    mapping: dict[str, str]  # field to column
    left_out: tuple[str, ...]  # columns that were not compared
    n_faults: int  # rows that could not be read
    a: pa.Array
    b: pa.Array
    links: linking.Links


def link_file(
    path: str | Path,
    *,
    id_column: str = "",
    stated: Mapping[str, str] | None = None,
    low: float = linking.LOW,
    progress: linking.Progress | None = None,
) -> LinkedFile:
    """Compare the rows of a file (CSV, JSON lines, Parquet) with each other.

    `id_column` names a row's number; without it the column that looks like one is taken, or else the line.
    `stated` is column to field over what the names of the columns give away, an empty field leaves one out.
    """
    with plain_file(path) as file:
        name = _id_column(file, id_column)
        mapping = _mapping(file, name, stated or {})
        wanted = {**mapping, **({"row": name} if name else {})}
        parts = list(file.texts(wanted))
        if not parts or not sum(p.num_rows for p in parts):
            raise Invalid(f"{Path(path).name} names columns and has no rows", "There is nothing to compare.")
        table = pa.concat_tables(parts)
        faults = file.n_faults
    names = table["row"] if name else table["line"]
    if name:
        _check_ids(table, name)
    numbers = pa.array(np.arange(table.num_rows, dtype=np.int64))
    fields = {f: table[f] if f in mapping else pa.nulls(table.num_rows, pa.string()) for f in columns.FIELDS}
    links = linking.link(pa.table({"id": numbers, **fields}), low=low, progress=progress)
    return LinkedFile(
        id_column=name,
        mapping=mapping,
        left_out=tuple(c for c in file.columns if c not in {name, *mapping.values()}),
        n_faults=faults,
        a=names.take(links.pairs["a"]),
        b=names.take(links.pairs["b"]),
        links=links,
    )


def _id_column(file: PlainFile, asked: str) -> str:
    if asked and asked not in file.columns:
        raise Invalid(f"there is no column {asked!r}", f"There are: {', '.join(file.columns)}.")
    return asked or columns.id_column(file.columns) or ""


def _mapping(file: PlainFile, id_column: str, stated: Mapping[str, str]) -> dict[str, str]:
    names = [c for c in file.columns if c != id_column]
    mapping = columns.recognised(names, stated=stated)
    if not set(mapping) & set(WHO):
        raise Invalid(
            f"no column says who somebody is, among {', '.join(names) or 'none'}",
            f"Name one, for example --map {names[0] if names else 'COLUMN'}=name;"
            f" fields: {', '.join(columns.FIELDS)}.",
        )
    return mapping


def _check_ids(table: pa.Table, name: str) -> None:
    """Two rows of one number could not be told apart in what is printed."""
    ids = table["row"]
    if ids.null_count:
        line = table["line"].filter(pc.is_null(ids))[0]
        raise Invalid(f"line {line} has no {name}", "Give every row its number, or name another --id column.")
    counts = pc.value_counts(ids)
    twice = counts.filter(pc.greater(counts.field("counts"), 1))
    if len(twice):
        raise Invalid(
            f"{len(twice)} values of {name} stand in more than one row, for example"
            f" {twice[0]['values'].as_py()!r}",
            "Name the column that tells rows apart with --id.",
        )
