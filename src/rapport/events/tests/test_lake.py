"""Connections without a store behind them, and several statements in one transaction."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from rapport.events import lake


def test_a_scratch_connection_is_its_callers_alone(home: Path) -> None:
    with lake.scratch() as mine, lake.scratch() as theirs:
        mine.register("given", pa.table({"n": [1]}))
        theirs.register("given", pa.table({"n": [2, 3]}))
        assert mine.execute("SELECT sum(n) FROM given").fetchone() == (1,)
        assert theirs.execute("SELECT sum(n) FROM given").fetchone() == (5,)
    with lake.scratch() as later, pytest.raises(duckdb.CatalogException):
        later.execute("FROM given")


def test_a_scratch_connection_knows_no_store_and_belongs_to_one_data_folder(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder() -> str:
        with lake.scratch() as con:
            row = con.execute("SELECT current_setting('temp_directory')").fetchone()
            assert con.execute(
                "SELECT database_name FROM duckdb_databases() WHERE NOT internal"
            ).fetchall() == [("memory",)]
        assert row is not None
        return str(row[0])

    assert folder() == str(home / "tmp")
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "another"))
    assert folder() == str(tmp_path / "another" / "tmp")


def test_what_fails_together_leaves_nothing_and_the_connection_goes_on(home: Path) -> None:
    con = lake.connect()
    given = pa.table({"n": [1, 2]})
    with lake.together(con):
        lake.give(con, "kept", given)

    def fails() -> None:
        with lake.together(con):
            lake.give(con, "gone", given)
            con.execute("FROM nowhere")

    with pytest.raises(duckdb.CatalogException):
        fails()
    assert con.execute("SELECT sum(n) FROM kept").fetchone() == (3,)
    with pytest.raises(duckdb.CatalogException):
        con.execute("FROM gone")
    con.close()
