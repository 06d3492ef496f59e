"""Lines of web-server logs as columns, quickly where a line is regular and exactly where it is not.

Regular lines are split by Arrow's CSV reader at blanks and quotes, straight into dictionary-coded columns:
a log repeats itself, and everything after works on distinct values. Lines that are odd (a stray quote, an
escaped one) are read by one expression; where lines and quotes do not add up, a whole block is.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from rapport.kit.errors import Invalid
from rapport.listening.rules import weblog
from rapport.listening.services import files, linewise
from rapport.listening.services.files import Given

COLUMNS = ("host", "address", "at", "zone", "request", "status", "bytes", "referrer", "browser")
CHUNK_LINES = 1_000_000
THREADS = 2
QUOTE = 34
_CODED = pa.dictionary(pa.int32(), pa.string())


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that could not be read."""

    line: int  # counted from 1
    text: str
    reason: str
    field: str
    message: str


@dataclass(slots=True)
class Lines:
    """Some of a log's lines: number and coded columns of those that can be read, and the others."""

    columns: pa.Table  # line, then COLUMNS
    n: int  # lines, blank ones too
    bad: list[BadLine] = field(default_factory=list)

    @property
    def n_written(self) -> int:
        """Lines that are not blank."""
        return int(self.columns.num_rows) + len(self.bad)


def layout(given: Given) -> weblog.Layout:
    """How this log's lines look, from its beginning."""
    head = given.sample.decode("utf-8", "replace").splitlines()[:1000]
    found = weblog.layout_of(head)
    if found is None:
        raise Invalid(
            f"{given.name} is not a web-server log in common or combined format: it begins {head[0][:120]!r}",
            'A line looks like: 203.0.113.9 - - [17/May/2015:10:05:03 +0000] "GET /shop HTTP/1.1" 200 512',
        )
    return found


def chunks(given: Given, found: weblog.Layout, *, chunk_lines: int = CHUNK_LINES) -> Iterator[Lines]:
    """The log in order, about `chunk_lines` lines at a time."""
    waiting: list[Lines] = []
    first = 0
    for part in _in_order(given, found):
        part.bad = [replace(bad, line=bad.line + first) for bad in part.bad]
        part.columns = part.columns.set_column(0, "line", pc.add(part.columns["line"], first))
        first += part.n
        waiting.append(part)
        if sum(p.n for p in waiting) >= chunk_lines:
            yield _together(waiting)
            waiting = []
    if waiting:
        yield _together(waiting)


def _in_order(given: Given, found: weblog.Layout) -> Iterator[Lines]:
    """Blocks split by a few threads (Arrow leaves them free to run at once), given back in order."""
    running: deque[Future[Lines]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for block in files.blocks(given):
            running.append(pool.submit(split, block, found))
            if len(running) > THREADS:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _together(parts: list[Lines]) -> Lines:
    columns = pa.concat_tables([p.columns for p in parts]).unify_dictionaries().combine_chunks()
    return Lines(columns, sum(p.n for p in parts), [bad for p in parts for bad in p.bad])


def split(block: bytes, found: weblog.Layout) -> Lines:
    """A block of whole lines as columns; every line of it is either a row or among the bad ones."""
    there = np.frombuffer(block, np.uint8)
    n = int(np.count_nonzero(there == linewise.NEWLINE)) + (not block.endswith(b"\n"))
    odd: list[csv.InvalidRow] = []

    def set_aside(row: csv.InvalidRow) -> str:
        odd.append(row)
        return "skip"

    if b"\0" in block:
        return _split_oddly(block, n)
    try:
        regular = csv.read_csv(
            pa.BufferReader(block),
            read_options=csv.ReadOptions(
                column_names=found.columns, block_size=len(block) + 1, use_threads=False
            ),
            parse_options=csv.ParseOptions(
                delimiter=" ", quote_char='"', double_quote=False, invalid_row_handler=set_aside
            ),
            convert_options=csv.ConvertOptions(
                column_types=dict.fromkeys(found.columns, _CODED),
                include_columns=[c for c in found.columns if c in COLUMNS],
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return _split_oddly(block, n)
    texts = [row.text.splitlines() for row in odd]
    n_odd = sum(map(len, texts))
    n_quotes = regular.num_rows * found.n_quotes + sum(row.text.count('"') for row in odd)
    if (
        not _is_sound(regular)
        or regular.num_rows + n_odd != n
        or n_quotes != np.count_nonzero(there == QUOTE)
    ):
        return _split_oddly(block, n)
    if not odd:
        return Lines(_complete(regular, np.arange(1, n + 1)), n)
    odd_lines = np.concatenate(
        [
            np.arange(row.number, row.number + len(text)) + before
            for row, text, before in zip(odd, texts, _more_lines_before(texts), strict=True)
        ]
    )
    whole = _complete(regular, np.setdiff1d(np.arange(1, n + 1), odd_lines, assume_unique=True))
    rest, bad = _by_expression(pa.array([line for text in texts for line in text], pa.string()), odd_lines)
    # In the order of the log: take the odd lines back to where they stood.
    together = pa.concat_tables([whole, rest]).unify_dictionaries()
    return Lines(together.take(pa.array(np.argsort(together["line"].to_numpy()))), n, bad)


def _is_sound(table: pa.Table) -> bool:
    """Whether every distinct time, zone, status and size looks like one; blanks alone do not make a log."""
    return all(
        pc.all(pc.match_substring_regex(chunk.dictionary, form)).as_py() is not False
        for name, form in weblog.FORMS.items()
        for chunk in table[name].chunks
    )


def _more_lines_before(texts: list[list[str]]) -> list[int]:
    """For each odd row, by how many the lines before it exceed the rows before it."""
    more = np.cumsum([0, *(len(text) - 1 for text in texts)])
    return [int(k) for k in more[:-1]]


def _split_oddly(block: bytes, n: int) -> Lines:
    """The same by one expression a line; about a fifth as fast."""
    texts = linewise.texts_of(block)
    bad = [BadLine(k, shown, "bad_utf8", "line", "The line is not in UTF-8.") for k, shown in texts.not_utf8]
    lines, numbers = texts.lines, texts.numbers
    if b"\0" in block:
        with_nul = np.asarray(pc.match_substring(lines, "\0"))
        for k in np.flatnonzero(with_nul):
            shown = lines[k].as_py().replace("\0", "\\0")
            bad.append(BadLine(int(numbers[k]), shown, "nul", "line", "The line holds a NUL character."))
        lines, numbers = lines.filter(pa.array(~with_nul)), numbers[~with_nul]
    columns, unread = _by_expression(lines, numbers)
    return Lines(columns, n, bad + unread)


def _by_expression(lines: pa.StringArray, numbers: npt.NDArray[np.int64]) -> tuple[pa.Table, list[BadLine]]:
    """Columns of the lines that the expression takes, and those it does not."""
    parts = pc.extract_regex(lines, weblog.LINE)
    taken = pc.is_valid(parts)
    found = parts.filter(taken)
    table = pa.table({c: pc.struct_field(found, c).dictionary_encode() for c in COLUMNS})
    refused = np.flatnonzero(~np.asarray(taken))
    bad = [
        BadLine(int(numbers[k]), text, "bad_line", *weblog.fault_of(text))
        for k, text in zip(refused, lines.take(pa.array(refused)).to_pylist(), strict=True)
    ]
    return _complete(table, numbers[np.asarray(taken)]), bad


def _complete(table: pa.Table, numbers: npt.NDArray[np.int64]) -> pa.Table:
    """The line's number and all of COLUMNS; what the layout lacks is the empty text."""
    empty = pa.DictionaryArray.from_arrays(pa.array(np.zeros(table.num_rows, np.int32)), pa.array([""]))
    coded = [table[c] if c in table.column_names else empty for c in COLUMNS]
    return pa.table([pa.array(numbers, pa.int64()), *coded], names=["line", *COLUMNS])
