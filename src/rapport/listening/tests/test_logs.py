"""Log lines: quick where they are regular, exact where they are not, and the same either way."""

from __future__ import annotations

import pytest

from rapport.kit.errors import Invalid
from rapport.listening.rules import weblog
from rapport.listening.services import files, logs
from rapport.listening.tests.conftest import Write

REQUEST = '203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /shop?q=a HTTP/1.1" 200 512'
COMBINED = f'{REQUEST} "http://a.example/" "Mozilla/5.0 (X11)"'
COMMON = '203.0.113.9 - ana [17/May/2015:10:05:03 +0000] "GET /shop HTTP/1.1" 304 -'
VHOST = f"www.example.org:443 {COMBINED}"
LONGER = f'{COMBINED} 0.002 "198.51.100.7"'

UNCLOSED = COMBINED[:-1]
ESCAPED = COMBINED.replace("(X11)", r"(\"X11\")")
STRAY = COMBINED.replace("/shop", '/sh"op')
SPACED = COMBINED.replace("- -", "- ana maria")
BINARY = r'198.51.100.7 - - [17/May/2015:10:05:03 +0000] "\x16\x03\x01" 400 226 "-" "-"'
ODD = [UNCLOSED, ESCAPED, STRAY, SPACED]


def split(*lines: str | bytes) -> logs.Lines:
    block = b"\n".join(x if isinstance(x, bytes) else x.encode() for x in lines) + b"\n"
    layout = weblog.layout_of([x for x in lines if isinstance(x, str)][:1])
    assert layout is not None
    return logs.split(block, layout)


def rows(lines: logs.Lines) -> list[tuple[object, ...]]:
    return sorted(tuple(r.values()) for r in lines.columns.to_pylist())


@pytest.mark.parametrize(
    ("line", "columns", "description"),
    [
        (COMBINED, 10, "combined log format"),
        (COMMON, 8, "common log format"),
        (VHOST, 11, "combined log format, with virtual hosts"),
        (LONGER, 12, "combined log format"),
    ],
)
def test_the_layout_is_told_by_the_lines(line: str, columns: int, description: str) -> None:
    layout = weblog.layout_of(["nonsense", line, line])
    assert layout is not None
    assert len(layout.columns) == columns
    assert layout.description == description
    assert split(line, line).columns.num_rows == 2
    assert split(line, line).bad == []


@pytest.mark.parametrize(
    ("part", "wrong"),
    [("200", "OK"), ("200", "20"), ("200", "012"), ("512", "lots"), ("[17", "17"), ("+0000]", "UTC]")],
)
def test_blanks_in_the_right_places_do_not_make_a_line(part: str, wrong: str) -> None:
    found = split(COMBINED, COMBINED.replace(part, wrong), COMBINED)
    assert sorted(found.columns["line"].to_pylist()) == [1, 3]
    assert [(b.line, b.reason) for b in found.bad] == [(2, "bad_line")]


def test_what_is_no_log_is_refused(write: Write) -> None:
    with pytest.raises(Invalid, match="not a web-server log"):
        logs.layout(files.look_at(write("file", "id,name\n1,x\n")))


@pytest.mark.parametrize("odd", ODD)
def test_an_odd_line_is_kept_with_its_number_and_its_neighbours(odd: str) -> None:
    found = split(COMBINED, odd, COMBINED, COMMON, COMBINED)
    assert found.bad == []
    assert sorted(found.columns["line"].to_pylist()) == [1, 2, 3, 4, 5]
    by_line = {row[0]: row[1:] for row in rows(found)}
    assert by_line[1] == by_line[3] == by_line[5]
    assert by_line[2][1] == "203.0.113.9"
    assert by_line[2][2:4] == by_line[1][2:4]


@pytest.mark.parametrize("line", [COMBINED, COMMON, VHOST, LONGER, BINARY, *ODD])
def test_both_ways_of_reading_agree(line: str) -> None:
    quick = split(COMBINED, line, COMBINED)
    block = "\n".join([COMBINED, line, COMBINED]).encode()
    slow = logs._split_oddly(block, 3)
    assert rows(quick) == rows(slow)
    assert quick.bad == slow.bad == []


def test_a_request_may_hold_quotes_and_a_browser_lack_its_last() -> None:
    (stray,) = [r for r in rows(split(COMBINED, STRAY)) if r[0] == 2]
    assert stray[5] == 'GET /sh"op?q=a HTTP/1.1'
    (unclosed,) = [r for r in rows(split(COMBINED, UNCLOSED)) if r[0] == 2]
    assert unclosed[9] == "Mozilla/5.0 (X11)"


def test_what_cannot_be_read_is_named_by_line_and_the_rest_is_kept() -> None:
    found = split(
        COMBINED,
        "nonsense",
        COMBINED,
        b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /caf\xe9 HTTP/1.1" 200 1 "-" "x"',
        "",
        b'203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /\0 HTTP/1.1" 200 1 "-" "x"',
        COMBINED.replace("200", "OK"),
        COMBINED.replace("[17", "17"),
        COMBINED,
    )
    assert sorted(found.columns["line"].to_pylist()) == [1, 3, 9]
    assert sorted((b.line, b.reason, b.field) for b in found.bad) == [
        (2, "bad_line", "address"),
        (4, "bad_utf8", "line"),
        (6, "nul", "line"),
        (7, "bad_line", "status"),
        (8, "bad_line", "at"),
    ]


def test_bad_lines_beside_good_ones_that_a_quote_swallowed() -> None:
    found = split(COMBINED, UNCLOSED, COMBINED, "nonsense", COMBINED)
    assert sorted(found.columns["line"].to_pylist()) == [1, 2, 3, 5]
    assert [(b.line, b.text) for b in found.bad] == [(4, "nonsense")]


@pytest.mark.parametrize("size", [300, 1_000, 1 << 20])
def test_blocks_and_chunks_of_any_size_give_the_same_lines(
    write: Write, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(files, "BLOCK_BYTES", size)
    lines = [[COMBINED, UNCLOSED, "nonsense", COMMON, STRAY][n % 5] for n in range(50)]
    given = files.look_at(write("log", "\n".join(lines)))
    found = list(logs.chunks(given, logs.layout(given), chunk_lines=12))
    good = sorted(n for part in found for n in part.columns["line"].to_pylist())
    bad = [b.line for part in found for b in part.bad]
    assert sorted(good + bad) == list(range(1, 51))
    assert bad == [n for n in range(1, 51) if n % 5 == 3]
    assert sum(part.n_written for part in found) == 50
