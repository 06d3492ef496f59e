"""People as rows to be compared: one row a person, made in sets, in pieces that fit into memory."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from rapport.kit import query
from rapport.people.rules import columns, profile
from rapport.people.selectors import identity, rows

PIECE_ROWS = 100_000
_TOLD = pa.schema(
    [("subject", pa.int64()), ("name", pa.string()), ("origin", pa.string()), ("value", pa.string())]
)
_REACHED = pa.schema([("subject", pa.int64()), ("namespace", pa.string()), ("value", pa.string())])


def make_records(con: duckdb.DuckDBPyConnection) -> int:
    """Make the relation `record` of this connection, one row a known person; gives how many there are.

    Handles and devices alone are nobody to compare: an author becomes a person by their own act alone.
    """
    con.register("identity_given", identity.identity_arrow())
    con.execute("CREATE OR REPLACE TABLE belongs AS SELECT subject, person FROM identity_given")
    con.unregister("identity_given")
    con.execute("CREATE OR REPLACE TABLE told (subject BIGINT, name VARCHAR, origin VARCHAR, value VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE contact (subject BIGINT, namespace VARCHAR, value VARCHAR)")
    con.execute("CREATE OR REPLACE TABLE somebody (id BIGINT)")
    for piece in _told():
        _append(con, "told", piece)
    for piece in _pieces(
        "SELECT subject, namespace, value FROM people_identifier WHERE namespace IN ('email', 'phone')"
        " AND subject > %s ORDER BY subject LIMIT %s",
        _REACHED,
    ):
        _append(con, "contact", piece)
    people = pa.schema([("subject", pa.int64())])
    for piece in _pieces(
        "SELECT id FROM people_person WHERE kind = 'person' AND id > %s ORDER BY id LIMIT %s", people
    ):
        _append(con, "somebody", piece)
    con.execute(f"CREATE OR REPLACE TABLE record AS {query.load('rapport.people', 'records').text}")
    for name in ("belongs", "told", "contact", "somebody"):
        con.execute(f"DROP TABLE {name}")
    row = con.execute("SELECT count(*) FROM record").fetchone()
    return int(row[0]) if row else 0


def _told() -> Iterator[pa.Table]:
    """What was told, under the names of the fields; sources call them as they like."""
    names = rows.table("SELECT DISTINCT name FROM people_trait", pa.schema([("name", pa.string())]))
    field_of = {c: f for f, c in columns.recognised(names["name"].to_pylist(), keeps_name=True).items()}
    told = pa.array(list(field_of), pa.string())
    fields = pa.array(list(field_of.values()), pa.string())
    sql = (
        "SELECT subject, name, origin, value FROM people_trait WHERE subject > %s AND subject <= %s"
        f" AND name IN ({', '.join(['%s'] * len(field_of))}) ORDER BY subject"
    )
    for low, high in _spans() if field_of else ():
        piece = rows.table(sql, _TOLD, [low, high, *field_of])
        named = fields.take(pc.index_in(piece["name"], value_set=told))
        yield piece.set_column(1, "name", named).set_column(3, "value", profile.plain(piece["value"]))


def _spans() -> Iterator[tuple[int, int]]:
    """Ranges of subjects with some thousand identifiers each."""
    last = -1
    while True:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT max(subject) FROM (SELECT subject FROM people_identity WHERE subject > %s"
                " ORDER BY subject LIMIT %s) AS piece",
                [last, PIECE_ROWS],
            )
            row = cursor.fetchone()
        if row is None or row[0] is None:
            return
        yield last, int(row[0])
        last = int(row[0])


def _pieces(sql: str, schema: pa.Schema) -> Iterator[pa.Table]:
    last = -1
    while True:
        piece = rows.table(sql, schema, [last, PIECE_ROWS])
        if piece.num_rows == 0:
            return
        yield piece
        last = int(rows.numbers(piece, "subject")[-1])


def _append(con: duckdb.DuckDBPyConnection, name: str, piece: pa.Table) -> None:
    con.register("piece", piece)
    con.execute(f"INSERT INTO {name} SELECT * FROM piece")
    con.unregister("piece")
