"""SQL for analysts: the lake's tables, and what the operational store knows of people as relations beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import duckdb
import pyarrow as pa

from rapport.events import lake
from rapport.kit.errors import Denied, Invalid
from rapport.people.selectors import rows

_TIME = pa.timestamp("us", tz="UTC")

# Relation: table of the operational store, columns. Domains above add theirs with `offer`.
RELATIONS: dict[str, tuple[str, pa.Schema]] = {
    "person": (
        "people_person",
        pa.schema(
            [
                ("id", pa.int64()),
                ("kind", pa.string()),
                ("display_name", pa.string()),
                ("email", pa.string()),
                ("country", pa.string()),
                ("language", pa.string()),
                ("n_identifiers", pa.int64()),
            ]
        ),
    ),
    "identifier": (
        "people_identifier",
        pa.schema(
            [
                ("subject", pa.int64()),
                ("namespace", pa.string()),
                ("value", pa.string()),
                ("first_seq", pa.int64()),
            ]
        ),
    ),
    "identity": (
        "people_identity",
        pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())]),
    ),
    "trait": (
        "people_trait",
        pa.schema(
            [
                ("subject", pa.int64()),
                ("name", pa.string()),
                ("value", pa.string()),
                ("origin", pa.string()),
                ("confidence", pa.float64()),
                ("observed_at", _TIME),
                ("source", pa.string()),
            ]
        ),
    ),
    "score": (
        "people_score",
        pa.schema(
            [
                ("person", pa.int64()),
                ("name", pa.string()),
                ("value", pa.float64()),
                ("unit", pa.string()),
                ("as_of", _TIME),
                ("model", pa.string()),
                ("version", pa.string()),
                ("low", pa.float64()),
                ("high", pa.float64()),
                ("label", pa.string()),
                ("reason", pa.string()),
            ]
        ),
    ),
}

_WORD = re.compile(r"[a-z_]+")


def offer(name: str, table: str, schema: pa.Schema) -> None:
    """Let analysts ask a table of the operational store under a name; called when a domain's app is ready."""
    if RELATIONS.setdefault(name, (table, schema)) != (table, schema):
        raise Invalid(f"analysts know another {name!r} already", "Offer it under another name.")


@contextmanager
def analyst_engine(statement: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that can answer `statement`, and no statement that would change anything.

    Only the operational relations that the statement names are read. Raises Denied for anything but a
    question, Invalid where it is not one statement.
    """
    con = lake.connect()
    try:
        _only_a_question(con, statement)
        for name in sorted(set(_WORD.findall(statement.lower())) & set(RELATIONS)):
            table, schema = RELATIONS[name]
            columns = ", ".join(rows.time(f.name) if f.type == _TIME else f.name for f in schema)
            lake.give(con, name, rows.table(f"SELECT {columns} FROM {table}", schema))
        con.execute("CREATE OR REPLACE TEMP VIEW order_line AS " + _ORDER_LINE)
        yield con
    finally:
        con.close()


_ORDER_LINE = (
    "SELECT e.seq, e.ts, e.subject, e.name, e.source, e.channel, e.currency,"
    " json_extract_string(e.properties, '$.order_id') AS order_id, i.product_code, i.product_name, i.category,"
    " i.quantity, i.unit_price_minor FROM (SELECT *, unnest(from_json(json_extract(properties, '$.items'),"
    ' \'[{"product_code":"VARCHAR","product_name":"VARCHAR","category":"VARCHAR","quantity":"DOUBLE",'
    "\"unit_price_minor\":\"BIGINT\"}]')) AS i FROM lake.event WHERE name IN ('order_placed', 'order_refunded')) AS e"
)


def _only_a_question(con: duckdb.DuckDBPyConnection, statement: str) -> None:
    try:
        found = con.extract_statements(statement)
    except duckdb.Error as error:
        raise Invalid(f"the question is not SQL: {error}", "`rapport sql --help` names the views.") from None
    if len(found) != 1:
        raise Invalid(f"there are {len(found)} statements", "Ask one question at a time.")
    allowed = {duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN}
    if found[0].type not in allowed:
        raise Denied(
            "only questions may be asked here", "Begin with SELECT, WITH, FROM, DESCRIBE or EXPLAIN."
        )
