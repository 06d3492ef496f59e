"""Named queries: a header each, prepared at start, run with the parameters they name."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from rapport.kit import query
from rapport.kit.errors import Invalid, NotFound

HEADER = "-- grain: one row per shop\n-- needs: shop, town\n-- gives: name, n\n-- units: n in pieces\n"


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE shop AS SELECT 'Ana' AS name, 3 AS n UNION ALL SELECT 'Bo', 5")
        yield connection


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A package with one query of its own and one in a package below."""
    for folder, name in (("stall", "totals"), ("stall/till", "receipts")):
        (tmp_path / folder / "sql").mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text("")
        (tmp_path / folder / "sql" / f"{name}.sql").write_text(HEADER + "SELECT name, n FROM shop\n")
    (tmp_path / "stall" / "sql" / "notes.txt").write_text("not a query")
    monkeypatch.syspath_prepend(tmp_path)
    query.load.cache_clear()
    yield "stall"
    query.load.cache_clear()
    for module in [m for m in sys.modules if m.partition(".")[0] == "stall"]:
        del sys.modules[module]


def test_the_header_is_read_and_ends_at_the_first_statement() -> None:
    parsed = query.parse("shops/all", HEADER + "-- a remark without a key\nSELECT 1\n-- late: not header\n")
    assert dict(parsed.header) == {
        "grain": "one row per shop",
        "needs": "shop, town",
        "gives": "name, n",
        "units": "n in pieces",
    }
    assert parsed.needs == ("shop", "town")


@pytest.mark.parametrize("missing", query.REQUIRED)
def test_a_missing_key_is_named(missing: str) -> None:
    kept = "".join(line for line in HEADER.splitlines(True) if not line.startswith(f"-- {missing}"))
    with pytest.raises(Invalid, match=f"shops/all lacks {missing} in its header"):
        query.parse("shops/all", kept + "SELECT 1")


def test_a_query_is_found_by_package_and_name(package: str) -> None:
    assert query.load(package, "totals").name == "stall/totals"
    with pytest.raises(NotFound, match="stall has no query 'missing'"):
        query.load(package, "missing")


def test_all_of_a_package_walks_down_and_reads_sql_alone(package: str) -> None:
    assert [q.name for q in query.all_of(package)] == ["stall/totals", "stall.till/receipts"]


def test_run_passes_only_the_parameters_that_are_named(con: duckdb.DuckDBPyConnection) -> None:
    one = query.parse("shops/one", HEADER + "SELECT n FROM shop WHERE name = $name")
    assert query.run(con, one, {"name": "Bo", "unused": 1}).fetchall() == [(5,)]
    none = query.parse("shops/none", HEADER + "SELECT count(*) FROM shop")
    assert query.run(con, none, {"unused": 1}).fetchall() == [(2,)]
    assert query.run(con, none).fetchall() == [(2,)]


def test_a_parameter_whose_name_begins_another_is_not_passed(con: duckdb.DuckDBPyConnection) -> None:
    one = query.parse("shops/one", HEADER + "SELECT n FROM shop WHERE name = $name_full")
    assert query.run(con, one, {"name_full": "Ana", "name": "ignored"}).fetchall() == [(3,)]


def test_prepare_accepts_what_the_engine_understands(con: duckdb.DuckDBPyConnection) -> None:
    query.prepare(con, query.parse("shops/one", HEADER + "SELECT n FROM shop WHERE name = $name"))
    query.prepare(con, query.parse("shops/two", HEADER + "SELECT n FROM shop WHERE name = $name"))


@pytest.mark.parametrize(
    "text", ["CHOOSE 1", "SELECT missing FROM shop", "SELECT 1 FROM market", "SELECT nosuch(n) FROM shop"]
)
def test_prepare_names_the_query_it_cannot_understand(con: duckdb.DuckDBPyConnection, text: str) -> None:
    with pytest.raises(Invalid, match="query shops/bad is not understood") as refused:
        query.prepare(con, query.parse("shops/bad", HEADER + text))
    assert "nothing was run" in refused.value.hint


def test_prepare_runs_nothing(con: duckdb.DuckDBPyConnection) -> None:
    query.prepare(con, query.parse("shops/empty", HEADER + "DELETE FROM shop"))
    assert con.execute("SELECT count(*) FROM shop").fetchall() == [(2,)]


def test_prepare_refuses_a_second_statement_and_does_not_run_it(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Invalid, match="shops/two holds 2 statements"):
        query.prepare(con, query.parse("shops/two", HEADER + "SELECT 1; DELETE FROM shop"))
    assert con.execute("SELECT count(*) FROM shop").fetchall() == [(2,)]
