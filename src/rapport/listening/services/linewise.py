"""The lines of a block of text as one Arrow array, with the number of each, and those that are no text."""

from __future__ import annotations

import codecs
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from rapport.listening.services import files
from rapport.listening.services.files import Given

NEWLINE = 10
SHOWN_BYTES = 2_000


@dataclass(frozen=True, slots=True)
class Texts:
    """The lines of a block that are not blank, without the space around them, and where they stood."""

    numbers: npt.NDArray[np.int64]  # of each line, counted from 1
    lines: pa.StringArray
    n: int  # lines, blank ones too
    not_utf8: list[tuple[int, str]]  # number and what can be shown of lines in another encoding


def texts_of(block: bytes) -> Texts:
    """A block's lines as one Arrow array over the same bytes."""
    bad: list[tuple[int, str]] = []
    if not block.isascii() and (wrong := not_utf8(block)):
        pieces = block.split(b"\n")
        for k in wrong:
            bad.append((k + 1, shown(pieces[k])))
            pieces[k] = b""
        block = b"\n".join(pieces)
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == NEWLINE) + 1
    if not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    offsets = np.concatenate([[0], ends]).astype(np.int32)
    whole = pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block))
    lines = pc.ascii_trim_whitespace(whole)
    written = pc.greater(pc.binary_length(lines), 0)
    numbers = np.flatnonzero(np.asarray(written)) + 1
    return Texts(numbers, lines if len(numbers) == len(lines) else lines.filter(written), len(lines), bad)


def lines_at(given: Given, numbers: Iterable[int]) -> dict[int, str]:
    """Some lines of a file by their number, read once more; for the few that turn out bad later."""
    wanted = sorted(numbers)
    found: dict[int, str] = {}
    first = 1
    for block in files.blocks(given) if wanted else ():
        texts = texts_of(block)
        for number in [n for n in wanted if first <= n < first + texts.n]:
            k = int(np.searchsorted(texts.numbers, number - first + 1))
            found[number] = str(texts.lines[k])
        first += texts.n
        if first > wanted[-1]:
            break
    return found


def not_utf8(block: bytes) -> list[int]:
    """The lines of a block, counted from 0, that hold bytes other than UTF-8."""
    lines, start, counted, number = [], 0, 0, 0
    view = memoryview(block)
    while True:
        try:
            codecs.utf_8_decode(view[start:], "strict", True)
        except UnicodeDecodeError as error:
            wrong = start + error.start
            number += block.count(b"\n", counted, wrong)
            counted = wrong
            lines.append(number)
            start = block.find(b"\n", wrong) + 1
            if start == 0:
                return lines
        else:
            return lines


def shown(raw: bytes) -> str:
    """The beginning of some bytes as a text that shows what is no UTF-8."""
    return raw[:SHOWN_BYTES].decode("utf-8", "backslashreplace").rstrip("\r\n")
