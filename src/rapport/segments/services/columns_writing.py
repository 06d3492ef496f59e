"""What every way of making the columns' files writes alike: a new file, its keys, its labels, its columns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from rapport.segments.selectors import columns_held, columns_profile
from rapport.segments.selectors.columns_profile import quoted

DAY_COLUMNS = (
    '"key" INTEGER, day DATE, person BIGINT, subject BIGINT, n BIGINT, value_minor BIGINT,'
    " first_ts TIMESTAMPTZ, last_ts TIMESTAMPTZ"
)


OTHER_COLUMNS = (
    'subject BIGINT, "key" INTEGER, day DATE, n BIGINT, value_minor BIGINT, first_ts TIMESTAMPTZ,'
    " last_ts TIMESTAMPTZ"
)


@contextmanager
def new_file(con: duckdb.DuckDBPyConnection, name: str) -> Iterator[str]:
    """A new file to write, under its alias; closed and whole afterwards."""
    alias = quoted(Path(name).stem)
    con.execute(f"ATTACH '{columns_held.file(name)}' AS {alias}")
    try:
        yield alias
        con.execute(f"CHECKPOINT {alias}")
    except BaseException:
        _roll_back(con)
        con.execute(f"DETACH {alias}")
        columns_held.file(name).unlink(missing_ok=True)
        raise
    con.execute(f"DETACH {alias}")


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.TransactionException:
        return  # none was open


def next_number() -> int:
    held = columns_held.current()
    return held.number + 1 if held else 1


def write_keys(con: duckdb.DuckDBPyConnection, part: str, keys: str) -> None:
    """The kinds of counters there are in a part, and how many of each."""
    con.execute(
        f'CREATE TABLE {part}.day_key AS SELECT k."key", k.name, k.dimension,'
        " coalesce(d.n_rows, 0) AS n_rows, coalesce(d.n, 0) AS n, coalesce(d.has_value, false) AS has_value"
        f' FROM {keys} AS k LEFT JOIN (SELECT "key", count(*) AS n_rows, sum(n)::BIGINT AS n,'
        f' bool_or(value_minor <> 0) AS has_value FROM {part}.day GROUP BY "key") AS d ON k."key" = d."key"'
        f' WHERE d."key" IS NOT NULL OR k."key" IN (SELECT "key" FROM {part}.other)'
        ' ORDER BY k."key"'
    )


def write_labels(con: duckdb.DuckDBPyConnection, part: str) -> None:
    con.execute(f"CREATE TABLE {part}.label_ AS SELECT DISTINCT name, label FROM {part}.annotated")


def describe(con: duckdb.DuckDBPyConnection, file: str, units: dict[str, str]) -> None:
    columns_profile.describe(con, f"{file}.profile", f"{file}.column_", units)
    con.execute(
        f"CREATE TABLE {file}.namespace_ AS SELECT DISTINCT unnest(namespaces) AS namespace FROM {file}.profile"
    )


def count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0
