"""CSV: every record is a row or a fault, each with the line it stands on."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.listening.services import csvs, files
from rapport.listening.tests.conftest import Write


def read(path: Path) -> tuple[list[dict[str, Any]], list[tuple[int, str]]]:
    table = csvs.Csv(files.look_at(path))
    rows, faults = [], []
    for chunk in table.chunks():
        named = chunk.table.rename_columns(["line", *table.columns])
        rows += named.to_pylist()
        faults += [(f.line, f.reason) for f in chunk.faults]
    return rows, sorted(faults)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_the_delimiter_is_found(write: Write, delimiter: str, end: str) -> None:
    lines = [delimiter.join(cells) for cells in (["a", "b", "c"], ["1", "x y", ""], ["2", '"q""q"', "z"])]
    rows, faults = read(write("file", end.join(lines) + end))
    assert rows == [
        {"line": 2, "a": "1", "b": "x y", "c": ""},
        {"line": 3, "a": "2", "b": 'q"q', "c": "z"},
    ]
    assert faults == []


def test_too_few_and_too_many_columns_are_faults_of_their_lines(write: Write) -> None:
    rows, faults = read(write("file", 'a,b,c\n1,2,3\n4,5\n\n6,7,8,9\n7,"x\ny",9\n'))
    assert [(r["line"], r["a"]) for r in rows] == [(2, "1"), (6, "7")]
    assert faults == [(3, "columns"), (5, "columns")]


def test_a_quote_that_never_closes_spoils_its_own_line_alone(write: Write) -> None:
    text = 'a;b;c\n1;2;3\n4;"5;6\n7;8;9\n10;"11;12\n13;"four\nteen";15\n16;"17;18'
    rows, faults = read(write("file", text))
    assert [r["line"] for r in rows] == [2, 4, 6]
    assert rows[2]["b"] == "four\nteen"
    assert faults == [(3, "open_quote"), (5, "open_quote"), (8, "open_quote")]


def test_a_quote_inside_a_cell_is_a_letter_like_others(write: Write) -> None:
    rows, faults = read(write("file", 'a,b\n5" pipe,1\n6" pipe and 7" pipe,2\nx,"y"\n'))
    assert [r["a"] for r in rows] == ['5" pipe', '6" pipe and 7" pipe', "x"]
    assert faults == []


def test_other_bytes_than_utf8_spoil_their_own_line_alone(write: Write) -> None:
    rows, faults = read(write("file", b"a,b\n1,caf\xe9\n2,caf\xc3\xa9\n\n3,\xff\xfe\n4,x\n"))
    assert [(r["line"], r["b"]) for r in rows] == [(3, "café"), (6, "x")]
    assert faults == [(2, "bad_utf8"), (5, "bad_utf8")]


@pytest.mark.parametrize("size", [16, 50, 1 << 20])
def test_blocks_of_any_size_give_the_same_lines(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    text = "a,b\n" + "".join(f'{n},"t\n{n}"\n' if n % 3 else f"{n},x,\n" for n in range(40))
    rows, faults = read(write("file", text))
    assert [int(r["a"]) for r in rows] == [n for n in range(40) if n % 3]
    lines = text.split("\n")
    assert all(lines[r["line"] - 1].startswith(r["a"] + ',"t') for r in rows)
    assert all(lines[line - 1].endswith("x,") for line, _ in faults)
    assert len(faults) == 14


def test_a_quote_left_open_for_megabytes_gives_the_rest_back(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(csvs, "OPEN_BYTES_MAX", 2_000)
    monkeypatch.setattr(files, "BLOCK_BYTES", 500)
    rows, faults = read(write("file", 'a,b\n1,"open\n' + "".join(f"{n},x\n" for n in range(2, 1000))))
    assert [int(r["a"]) for r in rows] == list(range(2, 1000))
    assert faults == [(2, "open_quote")]


def test_names_are_made_where_the_first_line_lacks_them(write: Write) -> None:
    table = csvs.Csv(files.look_at(write("file", "Name, name ,,Name\n1,2,3,4\n")))
    assert table.columns == ["name", "name_2", "column 3", "name_3"]


def test_a_first_line_of_numbers_names_nothing(write: Write) -> None:
    with pytest.raises(Invalid, match="names no columns"):
        csvs.Csv(files.look_at(write("file", "1,2015-02-24,3.5\n2,2015-02-25,4\n")))


CELLS = st.text(alphabet=st.sampled_from("ab1 ,;\"\r\n'é\u2028"), max_size=8)


@given(
    rows=st.lists(st.lists(CELLS, min_size=3, max_size=3), min_size=1, max_size=30),
    size=st.sampled_from([8, 33, 1 << 16]),
)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_written_as_csv_is_read_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, rows: list[list[str]], size: int
) -> None:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(["first", "second", "third"])
    lines = []
    for row in rows:
        lines.append(sink.getvalue().count("\n") + 1)
        writer.writerow(row)
    path = tmp_path_factory.mktemp("csv") / "file"
    path.write_bytes(sink.getvalue().encode())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(files, "BLOCK_BYTES", size)
        found, faults = read(path)
    assert faults == []
    assert [[r["first"], r["second"], r["third"]] for r in found] == rows
    assert [r["line"] for r in found] == lines
