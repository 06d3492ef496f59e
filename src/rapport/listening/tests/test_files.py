"""Whatever is handed over: what it is, or why it cannot be read."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from rapport.kit.errors import Invalid, NotFound
from rapport.listening.services import files, linewise
from rapport.listening.tests.conftest import Write

Pack = Callable[[bytes], bytes]


def text_of(path: Path) -> bytes:
    return b"".join(files.blocks(files.look_at(path)))


def zstd(content: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(content)
    return bytes(sink.getvalue())


@pytest.mark.parametrize("size", [1, 7, 64, 1 << 20])
@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstd, lambda c: gzip.compress(c[:50]) + gzip.compress(c[50:])]
)
def test_every_byte_arrives_in_blocks_of_whole_lines(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int, pack: Pack
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    content = "".join(f"line {n} {'é' * (n % 9)}\n" for n in range(60)).encode() + b"the last has no end"
    given = files.look_at(write("file", pack(content)))
    blocks = list(files.blocks(given))
    assert b"".join(blocks) == content
    assert all(block.endswith(b"\n") for block in blocks[:-1])
    assert given.done_ratio == 1.0
    assert given.broken == ""


def test_a_byte_order_mark_is_no_text(write: Write) -> None:
    assert text_of(write("file", b"\xef\xbb\xbfa,b\n1,2\n")) == b"a,b\n1,2\n"


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_of_a_broken_file_the_whole_lines_before_the_break_are_read(write: Write, pack: Pack) -> None:
    content = "".join(f"line {n * 7919 % 100_003}\n" for n in range(200_000)).encode()
    packed = pack(content)
    given = files.look_at(write("file", packed[: len(packed) // 2]))
    found = b"".join(files.blocks(given))
    assert content.startswith(found)
    assert found.endswith(b"\n")
    assert len(found) > 100_000
    assert "breaks off" in given.broken


def test_a_damaged_gzip_says_so(write: Write) -> None:
    packed = bytearray(gzip.compress(b"some lines\n" * 100_000))
    packed[len(packed) // 2] ^= 0xFF
    given = files.look_at(write("file", bytes(packed)))
    list(files.blocks(given))
    assert "damaged" in given.broken or "breaks off" in given.broken


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (b"\n  \r\n", "only blank lines"),
        (b"PK\x03\x04rest", "zip archive or a spreadsheet"),
        ("a,b".encode("utf-16"), "UTF-16"),
        (b"%PDF-1.7", "a PDF"),
        (gzip.compress(b"", mtime=0), "unpacks to nothing"),
    ],
)
def test_what_is_no_text_is_named(write: Write, content: bytes, says: str) -> None:
    with pytest.raises(Invalid, match=says) as caught:
        files.look_at(write("file", content))
    assert caught.value.hint


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="there is no file"):
        files.look_at(tmp_path / "nowhere.csv")
    with pytest.raises(Invalid, match="is a folder"):
        files.look_at(tmp_path)


def test_a_line_that_never_ends_is_refused(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 100)
    monkeypatch.setattr(files, "LINE_BYTES_MAX", 1000)
    with pytest.raises(Invalid, match="a row of more than"):
        text_of(write("file", b"x" * 5000))


def test_lines_keep_their_numbers_and_odd_bytes_are_told() -> None:
    texts = linewise.texts_of(b"one\r\n\n  two \nthr\n" + b"f\xffur\n\xc3\xa9\n" + b"\nlast")
    assert texts.lines.to_pylist() == ["one", "two", "thr", "é", "last"]
    assert texts.numbers.tolist() == [1, 3, 4, 6, 8]
    assert texts.not_utf8 == [(5, "f\\xffur")]
    assert texts.n == 8


def test_some_lines_can_be_read_again(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", 16)
    given = files.look_at(write("file", "".join(f"line {n}\n" for n in range(1, 50))))
    assert linewise.lines_at(given, [7, 48, 3]) == {3: "line 3", 7: "line 7", 48: "line 48"}


def test_a_fingerprint_tells_contents_apart(write: Write) -> None:
    one, other = (files.look_at(write(name, content)) for name, content in [("a", "x,1\n"), ("b", "x,2\n")])
    again = files.look_at(write("c", "x,1\n"))
    assert files.fingerprint(one) == files.fingerprint(again) != files.fingerprint(other)
