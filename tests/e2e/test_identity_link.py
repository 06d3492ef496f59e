"""Rows of a file compared with each other, whatever the file looks like; nothing is imported."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from rapport.cli.identity import identity_command
from rapport.kit.errors import Invalid, NotFound
from rapport.people.services.linking_files import link_file

ROWS = [
    ("p1", "ana", "ruiz", "19800102", "cadiz"),
    ("p2", "anna", "ruiz", "19800102", "cadiz"),
    ("p3", "bo", "berg", "19751231", "basel"),
    ("p4", "pia", "quint", "19900505", "kiel"),
]
NAMES = ["rec_id", "given_name", "surname", "date_of_birth", "suburb"]


@pytest.fixture
def spaced(tmp_path: Path) -> Path:
    """Blanks after the commas of head and rows, as the febrl files have them."""
    file = tmp_path / "spaced.csv"
    file.write_text("\n".join(", ".join(row) for row in [tuple(NAMES), *ROWS]) + "\n", "utf-8")
    return file


def named(file: Path, **options: str) -> list[tuple[str, str]]:
    found = link_file(file, low=0.5, **options)  # type: ignore[arg-type]
    return list(zip(found.a.to_pylist(), found.b.to_pylist(), strict=True))


def test_csv_json_lines_and_parquet_give_the_same_pairs(home: Path, spaced: Path, tmp_path: Path) -> None:
    lines, columns = tmp_path / "rows.jsonl", tmp_path / "rows.parquet"
    lines.write_text("".join(json.dumps(dict(zip(NAMES, r, strict=True))) + "\n" for r in ROWS), "utf-8")
    pq.write_table(pa.Table.from_pylist([dict(zip(NAMES, r, strict=True)) for r in ROWS]), columns)
    assert [named(f) for f in (spaced, lines, columns)] == [[("p1", "p2")]] * 3
    found = link_file(spaced)
    assert found.mapping == {
        "given_name": "given_name",
        "family_name": "surname",
        "birth_date": "date_of_birth",
        "city": "suburb",
    }
    assert (found.id_column, found.left_out, found.n_faults) == ("rec_id", (), 0)


def test_what_is_wrong_with_a_file_is_said(home: Path, spaced: Path, tmp_path: Path) -> None:
    towns = tmp_path / "towns.csv"
    towns.write_text("id,city\n1,Kiel\n2,Kiel\n", "utf-8")
    with pytest.raises(Invalid, match="no column says who somebody is, among city"):
        link_file(towns)
    with pytest.raises(Invalid, match="1 values of surname stand in more than one row, for example 'ruiz'"):
        link_file(spaced, id_column="surname")
    with pytest.raises(Invalid, match="there is no column 'nr'"):
        link_file(spaced, id_column="nr")
    with pytest.raises(NotFound, match="there is no file"):
        link_file(tmp_path / "none.csv")
    towns.write_text("id,name\n", "utf-8")
    with pytest.raises(Invalid, match="names columns and has no rows"):
        link_file(towns)
    towns.write_text("id,name\n1,Ana\n,Bo\n", "utf-8")
    with pytest.raises(Invalid, match="line 3 has no id"):
        link_file(towns)


def test_the_command_prints_pairs_with_their_probability(home: Path, spaced: Path) -> None:
    done = CliRunner().invoke(identity_command, ["link", str(spaced), "--threshold", "0.5", "--json"])
    document = json.loads(done.stdout)
    (pair,) = document["pairs"]
    assert (pair["a"], pair["b"], document["rows"], document["id"]) == ("p1", "p2", 4, "rec_id")
    assert 0.5 <= pair["probability"] <= 1
    plain = CliRunner().invoke(identity_command, ["link", str(spaced), "--map", "suburb="])
    assert "p1" in plain.stdout
    assert "Not compared: suburb." in plain.stderr
    assert CliRunner().invoke(identity_command, ["link", str(spaced), "--threshold", "2"]).exit_code == 2
