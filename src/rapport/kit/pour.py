"""JSON of any length, read piece by piece: nobody holds more of it than the one value that they look at.

A value that is no JSON is told apart by its braces, so that those after it are read all the same.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import Any, Protocol

PIECE_BYTES = 1 << 20
VALUE_CHARS_MAX = 64 << 20  # of one value; a longer one is nothing that anybody said
SHOWN_CHARS = 2_000
NEAR_CHARS = 16  # a word such as `false` that the end of a piece cuts is no fault

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n\ufeff]*")
_END = re.compile(rb"(?<=\n)")  # whatever stands before it: a lone carriage return ends no line
_MARK = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"|[\[\]{}]', re.DOTALL)


class Bytes(Protocol):
    """Reads on; empty where nothing is left."""

    def read(self, size: int, /) -> bytes: ...


class Unsound(ValueError):
    """One value is no JSON; what follows can be read."""

    def __init__(self, text: str) -> None:
        super().__init__("this is no JSON")
        self.text = text[:SHOWN_CHARS]


class Torn(ValueError):
    """The document ends too early, or cannot be followed any further."""


class Json:
    """One document under way. Whoever asks for members or elements takes each value, or it is passed over."""

    def __init__(self, stream: Bytes) -> None:
        self._stream = stream
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._text = ""
        self._at = 0
        self._taken = 0  # characters that lie behind, so that whoever takes nothing is noticed
        self._is_over = False

    def after(self, opening: re.Pattern[str]) -> re.Match[str] | None:
        """Step over what stands before the document; None, and no step, where it is something else."""
        self.peek()
        found = opening.match(self._text, self._at)
        if found:
            self._step(found.end())
        return found

    def peek(self) -> str:
        """The next character that is no blank; empty at the end."""
        while True:
            space = _SPACE.match(self._text, self._at)
            self._step(space.end() if space else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._fill():
                return ""

    def value(self) -> Any:
        """The next value, whole; raises Unsound where it is none, Torn where it has no end."""
        self.peek()
        while True:
            try:
                found, end = _DECODER.raw_decode(self._text, self._at)
            except json.JSONDecodeError as error:
                is_cut = error.pos >= len(self._text) - NEAR_CHARS or error.msg.startswith("Unterminated")
                if is_cut and self._fill():
                    continue
                raise self._unsound() from None
            except RecursionError:
                raise self._unsound() from None
            if end == len(self._text) and self._fill():
                continue  # a number may go on
            self._step(end)
            return found

    def members(self) -> Iterator[str]:
        """The names of the object that comes next, each before its value."""
        self._expect("{")
        if self.peek() == "}":
            self._step(self._at + 1)
            return
        while True:
            name = self.value()
            self._expect(":")
            self.peek()
            place = self._taken
            yield str(name)
            if self._taken == place:
                self._pass()
            if self._goes_on("}"):
                continue
            return

    def elements(self) -> Iterator[None]:
        """The list that comes next, stopping before each of its values."""
        self._expect("[")
        if self.peek() == "]":
            self._step(self._at + 1)
            return
        while True:
            self.peek()
            place = self._taken
            yield None
            if self._taken == place:
                self._pass()
            if self._goes_on("]"):
                continue
            return

    def items(self) -> Iterator[Any]:
        """The values of the list that comes next; one that is no JSON is given as its Unsound."""
        for _ in self.elements():
            try:
                yield self.value()
            except Unsound as unsound:
                yield unsound

    def _pass(self) -> None:
        try:
            self.value()
        except Unsound:
            return

    def _goes_on(self, end: str) -> bool:
        found = self.peek()
        if found not in {",", end}:
            raise Torn("the list breaks off" if not found else f"{found!r} stands where a comma should")
        self._step(self._at + 1)
        return found == ","

    def _expect(self, mark: str) -> None:
        found = self.peek()
        if found != mark:
            raise Torn("it ends too early" if not found else f"{found!r} stands where {mark!r} should")
        self._step(self._at + 1)

    def _unsound(self) -> Exception:
        """Step to the end of what is no JSON, told by its braces; Torn where it has none."""
        while True:
            depth = 0
            for mark in _MARK.finditer(self._text, self._at):
                found = mark[0]
                depth += (found in "[{") - (found in "]}")
                if depth <= 0:
                    end = mark.end() if depth == 0 else mark.start()
                    text = self._text[self._at : end]
                    if not text:
                        return Torn("a value is missing")
                    self._step(end)
                    return Unsound(text)
            if not self._fill():
                return Torn("it breaks off within a value")

    def _step(self, to: int) -> None:
        self._taken += to - self._at
        self._at = to

    def _fill(self) -> bool:
        """Read on; False where nothing is left. What is long is read in pieces that grow with it."""
        waiting = len(self._text) - self._at
        if waiting > VALUE_CHARS_MAX:
            raise Torn(f"one value is longer than {VALUE_CHARS_MAX >> 20} million characters")
        if self._is_over:
            return False
        piece = self._stream.read(max(PIECE_BYTES, waiting))
        self._is_over = not piece
        self._text = self._text[self._at :] + self._decoder.decode(piece, self._is_over)
        self._at = 0
        return not self._is_over


def lines(stream: Bytes, *, line_bytes_max: int = PIECE_BYTES) -> Iterator[bytes]:
    """The lines of a text of any length, each with its end; one that is too long comes in pieces."""
    rest = b""
    while piece := stream.read(PIECE_BYTES):
        found = _END.split(rest + piece)
        rest = found.pop()
        yield from found
        while len(rest) > line_bytes_max:
            yield rest[:line_bytes_max]
            rest = rest[line_bytes_max:]
    if rest:
        yield rest
