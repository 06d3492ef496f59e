"""JSON that is read piece by piece: as the whole would be, and with its faults named one by one."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from rapport.kit import pour
from rapport.kit.pour import Json, Torn, Unsound

CHAT: dict[str, Any] = {
    "name": "Ana",
    "left out": {"deep": [1, {"x": "}"}], "empty": {}},
    "messages": [{"id": n, "text": 'é{["\\' * n, "none": []} for n in range(40)],
    "after": -1.5e3,
}


def read(text: str) -> Json:
    return Json(io.BytesIO(text.encode()))


@pytest.mark.parametrize("piece", [1, 7, 64, 1 << 20])
def test_a_document_is_the_same_in_pieces_of_any_size(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pour, "PIECE_BYTES", piece)
    found: dict[str, Any] = {}
    document = read(json.dumps(CHAT, indent=1, ensure_ascii=False))
    for name in document.members():
        if name == "messages":
            found[name] = list(document.items())
        elif name != "left out":
            found[name] = document.value()
    assert found == {name: value for name, value in CHAT.items() if name != "left out"}
    assert document.peek() == ""


def test_what_is_no_json_is_passed_over_and_named() -> None:
    items = list(read('[{"id": 1}, {"id": nope, "in": {"a": "}"}}, {"id": 3}]').items())
    assert [type(one) for one in items] == [dict, Unsound, dict]
    assert items[1].text == '{"id": nope, "in": {"a": "}"}}'
    assert items[2] == {"id": 3}


@pytest.mark.parametrize(
    "text", ['[{"id": 1}, {"id": 2', '[{"id": 1}', '[{"id": 1} {"id": 2}]', '[{"id": 1},]']
)
def test_what_breaks_off_gives_what_came_before(text: str) -> None:
    found = []
    items = read(text).items()
    found.append(next(items))
    with pytest.raises(Torn):
        found += items
    assert found == [{"id": 1}]


def test_what_stands_before_a_document_is_stepped_over() -> None:
    document = read("\ufeff window.YTD.x = [1, 23]")
    assert document.after(re.compile(r"nothing")) is None
    assert document.after(re.compile(r"window\.\S+ = ")) is not None
    assert list(document.items()) == [1, 23]


def test_a_value_that_nobody_could_have_written_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pour, "VALUE_CHARS_MAX", 100)
    monkeypatch.setattr(pour, "PIECE_BYTES", 64)
    with pytest.raises(Torn, match="longer"):
        read('["' + "x" * 1_000 + '"]').value()
    with pytest.raises(Torn):
        read('{"a": ' + "[" * 100_000).value()


@pytest.mark.parametrize("piece", [1, 5, 1 << 20])
def test_lines_are_those_of_the_text(piece: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pour, "PIECE_BYTES", piece)
    text = b"a\r\n\nlonger line\rgoes on\nlast"
    assert list(pour.lines(io.BytesIO(text))) == [b"a\r\n", b"\n", b"longer line\rgoes on\n", b"last"]
    assert list(pour.lines(io.BytesIO(b""))) == []


def test_a_line_that_is_too_long_comes_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pour, "PIECE_BYTES", 4)
    found = list(pour.lines(io.BytesIO(b"x" * 25 + b"\ny"), line_bytes_max=10))
    assert b"".join(found) == b"x" * 25 + b"\ny"
    assert max(map(len, found)) <= 14
