"""Lines of a file or a pipe as texts, as they come, each bounded in length: flat memory whatever is sent."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from rapport.kit.errors import Invalid
from rapport.kit.texts.learning import BATCH_TEXTS

if TYPE_CHECKING:
    from rapport.insights.services import Read

CHUNK_BYTES = 1 << 20
LINE_BYTES_MAX = 1 << 20
JSON_SUFFIXES = (".jsonl", ".ndjson")
WIDE_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)  # also what UTF-32 begins with in one of its orders


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A line that gives no text, and why."""

    line: int  # counted from 1
    message: str


def batches(stream: IO[bytes], shape: str, *, named: str = "") -> Iterator[list[Read | Unreadable]]:
    """The lines of a stream in order, a bounded number at a time, and at once what a pipe has sent so far.

    shape : text, jsonl, or auto: by the file's name, else by the first line that is not empty

    Raises Invalid where it begins as UTF-16 does.
    """
    if shape == "auto" and named.lower().endswith(JSON_SUFFIXES):
        shape = "jsonl"
    n = 0
    waiting: list[bytes] = []  # empty lines before it is known what a line is
    for brought in _lines(stream):
        lines = brought
        if shape == "auto":
            waiting += brought
            first = next((line for line in waiting if line.strip()), None)
            if first is None and len(waiting) < BATCH_TEXTS:
                continue
            shape = "jsonl" if first is not None and _is_object(first) else "text"
            lines, waiting = waiting, []
        for at in range(0, len(lines), BATCH_TEXTS):
            part = lines[at : at + BATCH_TEXTS]
            yield [_read(line, n + k + 1, shape) for k, line in enumerate(part)]
            n += len(part)
    if waiting:
        yield [_read(line, n + k + 1, "text") for k, line in enumerate(waiting)]


def _lines(stream: IO[bytes]) -> Iterator[list[bytes]]:
    """Whole lines without their ends, as many as one reading brought; a longer one than allowed is cut."""
    # What a pipe holds is given at once; `read` would wait until so much has come.
    read = stream.read1 if isinstance(stream, io.BufferedReader) else stream.read
    rest, is_first = b"", True
    while chunk := read(CHUNK_BYTES):
        if is_first:
            if chunk.startswith(WIDE_MARKS):
                # Cut at each line's end its letters would pass for UTF-8, and be read as nonsense.
                raise Invalid("the texts are in UTF-16", "Give UTF-8: `iconv -f UTF-16 -t UTF-8 FILE`.")
            chunk, is_first = chunk.removeprefix(codecs.BOM_UTF8), False
        *whole, tail = chunk.split(b"\n")
        if whole:
            whole[0] = rest + whole[0]
            rest = tail
            yield [line[: LINE_BYTES_MAX + 1].removesuffix(b"\r") for line in whole]
        elif len(rest) <= LINE_BYTES_MAX:
            rest += tail
    if rest:
        yield [rest[: LINE_BYTES_MAX + 1].removesuffix(b"\r")]


def _is_object(line: bytes) -> bool:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "text" in found


def _read(line: bytes, number: int, shape: str) -> Read | Unreadable:
    from rapport.insights.services import Read

    if len(line) > LINE_BYTES_MAX:
        return Unreadable(number, f"the line is longer than {LINE_BYTES_MAX:,} bytes")
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError as error:
        return Unreadable(number, f"the line is no UTF-8: byte {error.start + 1} is {line[error.start]:#04x}")
    if shape == "text":
        return Read(text)
    if not text.strip():
        return Read("")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Unreadable(number, f"the line is no JSON: {error}")
    if not isinstance(given, dict) or not isinstance(given.get("text"), str):
        return Unreadable(number, "the line is no JSON object with a text")
    lang = given.get("lang")
    if not _is_unicode(given["text"]):
        return Unreadable(number, "the text holds half of a surrogate pair")
    return Read(given["text"], lang if isinstance(lang, str) and _is_unicode(lang) else "")


def _is_unicode(text: str) -> bool:
    """JSON can escape half of a pair, which no text can hold."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
