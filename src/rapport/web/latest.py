"""Of questions that somebody asks faster than they are answered, answer the last.

A browser drops what it asked before, but no server hears of it. Here one question of a kind and reader runs at
a time, those behind it wait, and of those all but the newest are given up; the running one is told to stop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

WAIT_S = 30.0  # longer than any question that somebody waits for


class Superseded(Exception):
    """A newer question of the same kind has come; nobody looks at the answer to this one."""


@dataclass
class _Line:
    """Who runs and who is newest, of one kind and reader."""

    running: threading.Lock = field(default_factory=threading.Lock)
    newest: int = 0
    n_here: int = 0  # a line that nobody stands in is forgotten
    stop: Callable[[], None] | None = None


class Question:
    """One question under way: it can say how to stop it, and ask whether it is still the newest."""

    def __init__(self, line: _Line, number: int) -> None:
        self._line, self._number = line, number

    @property
    def is_newest(self) -> bool:
        return self._line.newest == self._number

    def stops_by(self, stop: Callable[[], None]) -> None:
        """Have this called when a newer question comes; at once if one has."""
        self._line.stop = stop
        if not self.is_newest:
            stop()


_lines: dict[str, _Line] = {}
_lock = threading.Lock()


@contextmanager
def only_latest(key: str) -> Iterator[Question]:
    """Run a question of this kind and reader, unless a newer one comes. Raises Superseded."""
    with _lock:
        line = _lines.setdefault(key, _Line())
        line.newest += 1
        line.n_here += 1
        question = Question(line, line.newest)
        stop = line.stop
    if stop is not None:
        stop()
    try:
        if not line.running.acquire(timeout=WAIT_S):
            raise Superseded  # the one before it does not end; better no answer than one more that waits
        try:
            if not question.is_newest:
                raise Superseded
            yield question
        except Exception as error:
            # What was stopped fails in its own way; what it says of it is of no interest.
            if question.is_newest or isinstance(error, Superseded):
                raise
            raise Superseded from error
        finally:
            line.stop = None
            line.running.release()
    finally:
        with _lock:
            line.n_here -= 1
            if not line.n_here:
                _lines.pop(key, None)
