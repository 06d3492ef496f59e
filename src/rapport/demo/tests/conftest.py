"""One market for all tests here: lived through once, looked at from all sides."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from rapport.demo import market
from rapport.demo.block import Block

END = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
START = END - dt.timedelta(days=730)


@dataclass(frozen=True)
class Seen:
    """A market as tables: `event`, and the truth by file name."""

    con: duckdb.DuckDBPyConnection
    block: Block
    listings: pa.Table

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return self.con.execute(sql).fetchall()

    def one(self, sql: str) -> float:
        row = self.con.execute(sql).fetchone()
        assert row is not None
        return float(row[0])


@pytest.fixture(scope="session")
def seen() -> Iterator[Seen]:
    """2,000 people, seed 11."""
    made = market.market(2000, 11, END)
    (block,) = made.blocks()
    con = duckdb.connect(config={"threads": 1})
    con.execute("SET TimeZone = 'UTC'")
    con.register("event", block.touchpoints)
    for name, table in block.truth.items():
        con.register(name, table)
    # Who each identifier truly belongs to; a shared device belongs to two.
    con.execute("CREATE TABLE owner AS SELECT unnest(identifiers) AS identifier, person FROM person")
    con.execute(
        "CREATE TABLE single AS SELECT * FROM owner QUALIFY count(*) OVER (PARTITION BY identifier) = 1"
    )
    con.execute(
        "CREATE TABLE orders AS SELECT person, ts, value_minor, channel, properties FROM event"
        " JOIN single USING (identifier) WHERE name = 'order_placed'"
    )
    yield Seen(con, block, made.listings())
    con.close()
