"""Rows of the operational store for many numbers at once, as Arrow."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from rapport.kit.snapshots import Changes
from rapport.people.rules.graph import Subjects, as_subjects

CHUNK = 50_000  # numbers a statement; more would only hold more memory

CHANGES = Changes("people_watermark")
SCORES = Changes("people_watermark", "score")  # of many scores at once; of a few, the persons change

_TIME = pa.timestamp("us", tz="UTC")


def among(column: str) -> str:
    """A condition that takes a whole list of numbers as one parameter, see `listed`."""
    if connection.vendor == "sqlite":
        return f"{column} IN (SELECT value FROM json_each(%s))"
    return f"{column} = ANY(%s)"


def listed(numbers: Subjects | Sequence[int]) -> Any:
    """The parameter of `among`."""
    plain = as_subjects(numbers).tolist()
    return json.dumps(plain) if connection.vendor == "sqlite" else plain


def table(sql: str, schema: pa.Schema, params: Sequence[Any] = ()) -> pa.Table:
    """The rows of a SELECT whose columns are those of the schema, in its order; times in UTC."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        columns = list(zip(*cursor.fetchall(), strict=True)) or [()] * len(schema)
    return pa.table([_column(v, f) for v, f in zip(columns, schema, strict=True)], schema=schema)


def _column(values: Sequence[Any], field: pa.Field) -> pa.Array:
    if field.type == _TIME and isinstance(next((v for v in values if v is not None), None), str):
        # SQLite keeps times as text, some written by the ORM without a fraction.
        return pc.assume_timezone(pa.array(values, pa.string()).cast(pa.timestamp("us")), "UTC")
    return pa.array(values, field.type)


def time(column: str) -> str:
    """A time column in a SELECT for `table`: on SQLite as the text it is, for Arrow to read in one go."""
    return f"CAST({column} AS TEXT)" if connection.vendor == "sqlite" else column


def of(
    name: str, schema: pa.Schema, key: str, numbers: Subjects, *, where: str = "", params: Sequence[Any] = ()
) -> pa.Table:
    """Rows of a people_* table whose `key` is among the numbers; `where` narrows them further."""
    parts = [
        time("observed_at") if f.name == "at" else time(f.name) if f.type == _TIME else f.name for f in schema
    ]
    sql = f"SELECT {', '.join(parts)} FROM people_{name} WHERE {among(key)}"
    if where:
        sql += f" AND {where}"
    found = [
        table(sql, schema, [listed(numbers[at : at + CHUNK]), *params])
        for at in range(0, len(numbers), CHUNK)
    ]
    return pa.concat_tables(found) if found else schema.empty_table()


def numbers(rows: pa.Table, column: str) -> Subjects:
    """A column of numbers as NumPy has it."""
    return np.asarray(rows[column].to_numpy(zero_copy_only=False), dtype=np.int64)


def present_change() -> int:
    """The number of the newest change of identities and persons; 0 before the first."""
    return CHANGES.present()[1]
