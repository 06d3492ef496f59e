"""CSV in chunks, with the exact line of every row.

The text is cut into records here, minding quotes, and Arrow's reader splits records into columns. Both
count: where they differ, the block is halved until the record that they read differently stands alone.
A quote that never closes spoils its own line and no other.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from rapport.kit.errors import Invalid
from rapport.listening.rules.fields import property_names
from rapport.listening.services import files, linewise, tables
from rapport.listening.services.files import Given
from rapport.listening.services.tables import Chunk, Columns, Fault

DELIMITERS = ",;\t|"
QUOTE, RETURN = 34, 13
OPEN_BYTES_MAX = 16 << 20  # a quote still open after this was no opening quote
SNIFFED_ROWS = 50
THREADS = 2

Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Records:
    """Where the records of a block begin and end, and on which of its lines, counted from 0."""

    starts: Places
    ends: Places
    lines: Places
    broken: tuple[int, ...] = ()  # those whose line has a quote that never closes

    def __len__(self) -> int:
        return len(self.starts)

    def part(self, chosen: Any) -> Records:
        return Records(self.starts[chosen], self.ends[chosen], self.lines[chosen])


def records_of(block: bytes, delimiter: int, final: bool) -> tuple[Records, int, int]:
    """The whole records of a block, where the unfinished rest begins, and how many lines lie before it."""
    there = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(there == linewise.NEWLINE) + 1
    if final and not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    starts = np.concatenate([[0], ends[:-1]]) if len(ends) else ends
    continues, broken, n_lines = _quoted_lines(there, starts, ends, delimiter, final)
    if n_lines == 0:
        return Records(ends[:0], ends[:0], ends[:0]), 0, 0
    begins = np.flatnonzero(~continues[:n_lines])
    begin = starts[begins]
    end = np.append(begin[1:], ends[n_lines - 1])
    first, length = there[begin], end - begin
    blank = (length == 1) & ((first == linewise.NEWLINE) | (first == RETURN))
    blank |= (length == 2) & (first == RETURN) & (there[end - 1] == linewise.NEWLINE)
    written = ~blank
    lines = begins[written]
    broken_places = tuple(np.flatnonzero(np.isin(lines, broken)).tolist()) if broken else ()
    return Records(begin[written], end[written], lines, broken_places), int(ends[n_lines - 1]), n_lines


def _quoted_lines(
    there: npt.NDArray[np.uint8], starts: Places, ends: Places, delimiter: int, final: bool
) -> tuple[npt.NDArray[np.bool_], list[int], int]:
    """Which lines go on inside a quote, which have a quote that never closes, how many lines are whole."""
    n = len(ends)
    continues = np.zeros(n, np.bool_)
    quotes = np.flatnonzero(there[: ends[-1]] == QUOTE) if n else ends
    line_of = np.searchsorted(ends, quotes, "right")
    # Only a line with an odd number of quotes changes whether the next begins inside one.
    odd = np.flatnonzero(np.bincount(line_of, minlength=n) % 2).tolist() if len(quotes) else []
    if not odd:
        return continues, [], n
    before = there[np.maximum(quotes - 1, 0)]
    can_open = np.zeros(n, np.bool_)
    can_open[line_of[(before == delimiter) | (before == linewise.NEWLINE) | (quotes == 0)]] = True
    broken: list[int] = []
    k = opened_k = 0
    opened = -1
    while True:
        while k < len(odd):
            line = odd[k]
            if opened < 0:
                if can_open[line]:
                    opened, opened_k = line, k
            elif ends[line] - starts[opened] > OPEN_BYTES_MAX or not _closes(
                there, quotes, line_of, line, delimiter
            ):
                break
            else:
                continues[opened + 1 : line + 1] = True
                opened = -1
            k += 1
        if opened < 0:
            return continues, broken, n
        if k >= len(odd) and not final and ends[-1] - starts[opened] <= OPEN_BYTES_MAX:
            return continues, broken, opened
        broken.append(opened)
        k, opened = opened_k + 1, -1


def _closes(there: npt.NDArray[np.uint8], quotes: Places, line_of: Places, line: int, delimiter: int) -> bool:
    """Whether the first single quote of a line is one that closes: a cell or the row ends after it."""
    low, high = np.searchsorted(line_of, [line, line + 1])
    own = quotes[low:high].tolist()
    k = 0
    while k + 1 < len(own) and own[k + 1] == own[k] + 1:
        k += 2
    after = own[k] + 1
    return after == len(there) or int(there[after]) in (delimiter, linewise.NEWLINE, RETURN)


class Csv(Columns):
    """A CSV file: its delimiter told by its first rows, its columns named by its first line."""

    def __init__(self, given: Given) -> None:
        self.delimiter, names = _sniffed(given)
        super().__init__(given, rows=pa.table({name: pa.array([], pa.string()) for name in names}))
        self.file = given
        self.columns_of_text = self.columns  # by which a row kept as its line can be split again
        spoken = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar"}[self.delimiter]
        self.description = f"CSV with {spoken}s{given.description}"

    def chunks(self, *, rows: int = tables.CHUNK_ROWS, size: int = tables.CHUNK_BYTES) -> Iterator[Chunk]:
        parts: list[Chunk] = []
        for part in self._parts():
            parts.append(part)
            if sum(p.table.num_rows for p in parts) >= rows or sum(p.table.nbytes for p in parts) >= size:
                yield tables.together(parts)
                parts = []
        if parts:
            yield tables.together(parts)

    def _parts(self) -> Iterator[Chunk]:
        """Blocks cut here and split by a few threads, in order."""
        cut: dict[str, Any] = {}

        def at_last_record(block: bytes, final: bool) -> int:
            cut["records"], end, cut["lines"] = records_of(block, ord(self.delimiter), final)
            return end

        running: deque[Future[Chunk]] = deque()
        before, header = 0, True
        with ThreadPoolExecutor(THREADS) as pool:
            for block in files.blocks(self.file, at_last_record):
                records: Records = cut["records"]
                if header and len(records):
                    broken = tuple(b - 1 for b in records.broken if b)
                    rest = records.part(slice(1, None))
                    records, header = Records(rest.starts, rest.ends, rest.lines, broken), False
                running.append(pool.submit(self._split, block, records, before))
                before += cut["lines"]
                if len(running) > THREADS:
                    yield running.popleft().result()
            while running:
                yield running.popleft().result()

    def _split(self, block: bytes, records: Records, before: int) -> Chunk:
        """Records as rows; each of them is either a row or a fault."""
        faults: list[Fault] = []
        wrong = dict.fromkeys(records.broken, "open_quote")
        if not block.isascii():
            for line in linewise.not_utf8(block):
                wrong[int(np.searchsorted(records.lines, line, "right")) - 1] = "bad_utf8"
        wrong.pop(-1, None)
        for k, reason in sorted(wrong.items()):
            text = block[records.starts[k] : records.ends[k]]
            faults.append(Fault(int(records.lines[k]) + before + 1, reason, {"raw": linewise.shown(text)}))
        sound = np.ones(len(records), np.bool_)
        sound[list(wrong)] = False
        parts = self._read(block, records.part(sound) if wrong else records, before, faults)
        table = pa.concat_tables(parts) if parts else _empty(self.place.values())
        odd_space = tables.HARD_SPACE in block or (self.delimiter != "\t" and b"\t" in block)
        return Chunk(table, faults, b"\0" in block, odd_space)

    def _read(self, block: bytes, records: Records, before: int, faults: list[Fault]) -> list[pa.Table]:
        if not len(records):
            return []
        if (records.starts[1:] == records.ends[:-1]).all():
            text = block[records.starts[0] : records.ends[-1]]
        else:
            text = b"".join(
                [block[a:b] for a, b in zip(records.starts.tolist(), records.ends.tolist(), strict=True)]
            )
        odd: list[arrow_csv.InvalidRow] = []
        try:
            table = self._by_arrow(text, odd)
        except pa.ArrowInvalid:
            table = None
        if table is None or table.num_rows + len(odd) != len(records):
            if len(records) == 1:
                faults.append(
                    Fault(int(records.lines[0]) + before + 1, "open_quote", {"raw": linewise.shown(text)})
                )
                return []
            half = len(records) // 2
            return [
                *self._read(block, records.part(slice(None, half)), before, faults),
                *self._read(block, records.part(slice(half, None)), before, faults),
            ]
        places = np.ones(len(records), np.bool_)
        places[[row.number - 1 for row in odd]] = False
        lines = pa.array(records.lines[places] + before + 1)
        found = [pa.table([lines, *table.columns], names=["line", *self.place.values()])]
        for row in odd:
            found += self._odd(block, records, row, before, faults)
        return found

    def _odd(
        self, block: bytes, records: Records, row: arrow_csv.InvalidRow, before: int, faults: list[Fault]
    ) -> list[pa.Table]:
        """A record with another number of columns; one of several lines is a quote that swallowed rows."""
        k = row.number - 1
        line = int(records.lines[k]) + before + 1
        text = block[records.starts[k] : records.ends[k]]
        after = text.find(b"\n") + 1
        if 0 < after < len(text):
            faults.append(Fault(line, "open_quote", {"raw": linewise.shown(text[:after])}))
            rest, _, _ = records_of(text[after:], ord(self.delimiter), True)
            chunk = self._split(text[after:], rest, line)
            faults += chunk.faults
            return [chunk.table]
        cells = next(csv.reader([row.text], delimiter=self.delimiter), [])
        named = dict(zip(self.columns, [*cells, *[""] * len(self.columns)], strict=False))
        named |= {f"+{n}": cell for n, cell in enumerate(cells[len(self.columns) :], start=1)}
        about = {"actual": row.actual_columns, "expected": len(self.columns)}
        faults.append(Fault(line, "columns", tables.shortened(named), about))
        return []

    def _by_arrow(self, text: bytes, odd: list[arrow_csv.InvalidRow]) -> pa.Table:
        def set_aside(row: arrow_csv.InvalidRow) -> str:
            odd.append(row)
            return "skip"

        names = list(self.place.values())
        return arrow_csv.read_csv(
            pa.BufferReader(text),
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=len(text) + 1, use_threads=False
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter, newlines_in_values=True, invalid_row_handler=set_aside
            ),
            convert_options=arrow_csv.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
                check_utf8=False,
            ),
        )


def _empty(names: Iterable[str]) -> pa.Table:
    schema = pa.schema([("line", pa.int64()), *((name, pa.string()) for name in names)])
    return schema.empty_table()


def _sniffed(given: Given) -> tuple[str, list[str]]:
    """The delimiter, and the names in the first line."""
    text = given.sample.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").replace("\0", "")
    whole = text if len(given.sample) < files.SAMPLE_BYTES else text[: text.rfind("\n") + 1]
    best: tuple[float, int, str] = (0.0, 0, ",")
    header: list[str] = []
    for delimiter in DELIMITERS:
        rows = _first_rows(whole, delimiter)
        if not rows:
            continue
        n = len(rows[0])
        agreeing = sum(len(row) == n for row in rows) / len(rows) if n > 1 else 0.0
        if not header or (agreeing, n) > best[:2]:
            best, header = (agreeing, n, delimiter), rows[0]
    names = [name.strip() for name in header]
    if all(re.fullmatch(r"[-+\d.,:/ ]*", name) for name in names):
        raise Invalid(
            f"the first line of {given.name} names no columns: {', '.join(map(repr, names[:6]))}",
            "Put a line before it that says what each column holds.",
        )
    names = [name or f"column {place}" for place, name in enumerate(names, start=1)]
    spoken = [name.lower() for name in names]
    if len(set(spoken)) < len(names):
        made = property_names(names)
        names = [made[k] if spoken.count(spoken[k]) > 1 else name for k, name in enumerate(names)]
    return best[2], names


def _first_rows(text: str, delimiter: str) -> list[list[str]]:
    rows = []
    try:
        for row in csv.reader(text.splitlines(keepends=True), delimiter=delimiter):
            if row:
                rows.append(row)
            if len(rows) > SNIFFED_ROWS:
                break
    except csv.Error:
        return rows
    return rows
