"""Make the files of a generation again without somebody who was erased."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from rapport.events import lake
from rapport.people.selectors import wholesale
from rapport.segments.selectors import columns_held
from rapport.segments.selectors.columns_held import Generation
from rapport.segments.selectors.columns_profile import quoted
from rapport.segments.services import columns_writing


def without(held: Generation, subjects: Sequence[int]) -> tuple[Generation, int]:
    """The same generation as if these subjects had never been; gives also how many rows that took.

    Left out with them are the profiles of whoever changed since, for what others were told may have quoted
    them; readers have those from the operational store until the next renewal.
    """
    con = lake.new_engine()
    con.execute("RESET disabled_optimizers")
    store_names = {name: quoted(Path(name).stem) for name in held.files}
    n = 0
    made: dict[str, str] = {}
    try:
        for name, alias in store_names.items():
            con.execute(f"ATTACH '{columns_held.file(name)}' AS {alias} (READ_ONLY)")
        lake.give(con, "gone", pa.table({"subject": pa.array(np.unique(np.asarray(subjects, np.int64)))}))
        changed = wholesale.persons_since(held.change)
        lake.give(con, "stamped", pa.table({"person": changed}))
        old = store_names[held.profile]
        con.execute(
            "CREATE OR REPLACE TEMP TABLE left_out AS SELECT subject AS person FROM gone UNION SELECT person FROM"
            f" stamped UNION SELECT person FROM {old}.belongs WHERE subject IN (SELECT subject FROM gone)"
        )
        taken = _counted_of(con, [store_names[name] for name in held.parts])
        for name in held.parts:
            made[name] = columns_held.new_name("day")
            with columns_writing.new_file(con, made[name]) as part:
                n += _copy_part(con, store_names[name], part)
        made[held.profile] = columns_held.new_name("profile")
        with columns_writing.new_file(con, made[held.profile]) as file:
            n += _copy(
                con, f"{old}.profile", f"{file}.profile", "person NOT IN (SELECT person FROM left_out)"
            )
            n += _copy(con, f"{old}.belongs", f"{file}.belongs", "subject NOT IN (SELECT subject FROM gone)")
            units = dict(con.execute(f"SELECT name, unit FROM {old}.column_").fetchall())
            columns_writing.describe(con, file, units)
    finally:
        con.close()
    again = replace(
        held,
        number=held.number + 1,
        profile=made[held.profile],
        parts=tuple(made[name] for name in held.parts),
        counted=held.counted - taken,
    )
    return again, n


def _counted_of(con: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> int:
    """Events counted of those who are gone, each where it still holds."""
    n = 0
    for at, part in enumerate(parts):
        still = (
            f" AND d.subject NOT IN (SELECT subject FROM {parts[1]}.hidden)"
            if at == 0 and len(parts) > 1
            else ""
        )
        for table in ("day", "other"):
            row = con.execute(
                f"SELECT coalesce(sum(d.n), 0)::BIGINT FROM {part}.{table} AS d JOIN {part}.day_key AS k"
                f' ON d."key" = k."key" WHERE k.dimension = \'\' AND d.subject IN (SELECT subject FROM gone){still}'
            ).fetchone()
            n += int(row[0]) if row else 0
    return n


_GONE = "subject NOT IN (SELECT subject FROM gone)"


def _copy_part(con: duckdb.DuckDBPyConnection, old: str, part: str) -> int:
    n = sum(_copy(con, f"{old}.{t}", f"{part}.{t}", _GONE) for t in ("day", "other", "annotated", "hidden"))
    con.execute(f"CREATE TABLE {part}.reannotated AS SELECT * FROM {old}.reannotated")
    columns_writing.write_keys(con, part, f"{old}.day_key")
    columns_writing.write_labels(con, part)
    return n


def _copy(con: duckdb.DuckDBPyConnection, old: str, new: str, where: str) -> int:
    con.execute(f"CREATE TABLE {new} AS SELECT * FROM {old} WHERE {where}")
    return columns_writing.count(con, old) - columns_writing.count(con, new)
