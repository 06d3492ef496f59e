"""People of the market allow, refuse and take back, and no mailing goes where it was refused."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest

from rapport.demo import market
from rapport.demo.tests.conftest import END


@pytest.fixture(scope="module")
def con() -> duckdb.DuckDBPyConnection:
    con = duckdb.connect()
    con.register("event", pa.concat_tables(market.generate(2500, 7, END, events_scale=0.3)))
    con.execute(
        "CREATE TABLE said AS SELECT *, substr(name, 9) AS state, json_extract_string(properties, '$.purpose') AS purpose,"
        " coalesce(json_extract_string(properties, '$.channel'), '') AS on_channel,"
        " json_extract_string(properties, '$.how') AS how FROM event WHERE name LIKE 'consent_%'"
    )
    return con


def test_every_purpose_that_can_be_answered_is(con: duckdb.DuckDBPyConnection) -> None:
    found = {
        (purpose, channel)
        for purpose, channel in con.execute("SELECT DISTINCT purpose, on_channel FROM said").fetchall()
    }
    assert found == {("marketing", channel) for channel in ("email", "sms", "phone", "post", "push")} | {
        ("personalisation", ""),
        ("research", "email"),
        ("analytics", ""),
        ("profiling", ""),
    }


def test_nobody_takes_back_what_they_did_not_give(con: duckdb.DuckDBPyConnection) -> None:
    (n,) = con.execute(
        "SELECT count(*) FROM said AS w WHERE state = 'withdrawn' AND purpose NOT IN ('analytics', 'profiling')"
        " AND NOT EXISTS (FROM said AS g WHERE g.state = 'granted' AND g.identifier = w.identifier"
        " AND g.purpose = w.purpose AND g.on_channel = w.on_channel AND g.ts < w.ts)"
    ).fetchone() or (None,)
    assert n == 0


def test_each_says_yes_or_no_once(con: duckdb.DuckDBPyConnection) -> None:
    (n,) = con.execute(
        "SELECT count(*) FROM (SELECT 1 FROM said WHERE state <> 'withdrawn'"
        " GROUP BY identifier, purpose, on_channel HAVING count(*) > 1)"
    ).fetchone() or (None,)
    assert n == 0


def test_the_shares_are_a_shops(con: duckdb.DuckDBPyConnection) -> None:
    n = dict(
        con.execute("SELECT state, count(*) FROM said WHERE purpose = 'marketing' GROUP BY state").fetchall()
    )
    assert n["granted"] > n["denied"] > n["withdrawn"] > 30
    objections = dict(
        con.execute(
            "SELECT purpose, count(*) FROM said WHERE state = 'withdrawn' GROUP BY purpose"
        ).fetchall()
    )
    assert 10 < objections["analytics"] < objections["profiling"] < 120
    evidence = con.execute("SELECT count(*) FROM said WHERE how IS NULL").fetchone()
    assert evidence == (0,)
