"""Where reading a network was left: how far each of its lists was read, what was told, what is due again.

Most networks give the newest first and their pages backwards. So a list is walked back to where it was left,
with a margin, because things appear late; what was told already is known by its id, and what has another
version than the one that was told has changed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from rapport.kit import wire

KNOWN_MAX = 800
PAGES_MAX = 25  # of one list in one round
GONE = "-"  # the version of what is there no more
MARGIN = dt.timedelta(minutes=5)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """One thing in a list: what it is known by, when it was said, and a text that differs once it was changed."""

    id: str
    at: dt.datetime
    said: T
    version: str = ""


@dataclass(frozen=True, slots=True)
class Walk(Generic[T]):
    """What a list held since it was left, oldest first; `cut` is where the walk ended before it got there."""

    found: Sequence[Found[T]]
    since: dt.datetime
    cut: dt.datetime | None = None


@dataclass(slots=True)
class Marks:
    """A cursor that a connector keeps as text.

    left : by list, the newest moment that was read, or whatever else it is gone on with
    known : what was told, oldest first: id to version
    due : when something was done last
    places : where a round among several things stands
    """

    left: dict[str, str] = field(default_factory=dict)
    known: dict[str, str] = field(default_factory=dict)
    due: dict[str, str] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> Marks:
        """From its text; one that cannot be read is one that begins."""
        found = wire.document(text.encode())
        held = {
            name: part if isinstance(part := wire.at(found, name), dict) else {}
            for name in ("left", "known", "due", "places")
        }
        left, known, due = (
            {k: v for k, v in held[name].items() if isinstance(v, str)} for name in ("left", "known", "due")
        )
        return cls(left, known, due, {k: v for k, v in held["places"].items() if isinstance(v, int)})

    def text(self) -> str:
        """As text, with no more than it needs."""
        for id in list(self.known)[: max(len(self.known) - KNOWN_MAX, 0)]:
            del self.known[id]
        kept = {"left": self.left, "known": self.known, "due": self.due, "places": self.places}
        return json.dumps(kept, separators=(",", ":"), ensure_ascii=False)

    def is_due(self, name: str, every_s: float, now: dt.datetime) -> bool:
        """Whether something is to be done again; notes that it is, where so."""
        last = wire.moment(self.due.get(name, ""))
        if last is not None and last <= now < last + dt.timedelta(seconds=every_s):
            return False
        self.due[name] = wire.written(now)
        return True

    def since(self, name: str, otherwise: dt.datetime) -> dt.datetime:
        """The moment from which a list is to be read: with a margin where it was read before."""
        left = wire.moment(self.left.get(name, ""))
        return otherwise if left is None else max(left - MARGIN, otherwise)

    def walk(self, name: str, pages: Iterable[Sequence[Found[T]]], begin: dt.datetime) -> Walk[T]:
        """Go through pages that give the newest first until they are older than where the list was left."""
        since = self.since(name, begin)
        found: dict[str, Found[T]] = {}
        cut = None
        for n, page in enumerate(pages, 1):
            found |= {one.id: one for one in page if one.at >= since}
            oldest = min((one.at for one in page), default=None)
            if oldest is not None and oldest < since:
                cut = None
                break
            # The generator of pages ends by itself where nothing is left; we end it where there is too much. A page
            # of which nothing can be read says nothing of what lies behind it.
            cut = oldest or cut
            if n == PAGES_MAX:
                break
        else:
            cut = None
        ordered = sorted(found.values(), key=lambda one: (one.at, one.id))
        newest = max([one.at for one in ordered], default=None)
        if newest is not None:
            self.left[name] = wire.written(max(newest, wire.moment(self.left.get(name, "")) or newest))
        return Walk(ordered, since, cut)

    def new(self, found: Iterable[Found[T]]) -> Iterator[T]:
        """What was not told yet; it is noted as told."""
        for one in found:
            if one.id not in self.known:
                self.known[one.id] = one.version
                yield one.said

    def changed(self, found: Iterable[Found[T]]) -> Iterator[T]:
        """What was told and has another version since; noted as told."""
        for one in found:
            if self.known.get(one.id, one.version) not in {one.version, GONE}:
                self.known[one.id] = one.version
                yield one.said

    def forget(self, id: str) -> None:
        """It is there no more; a list that still shows it is not believed."""
        self.known[id] = GONE

    def held(self) -> list[str]:
        """What was told and is still there, as far as is known."""
        return [id for id, version in self.known.items() if version != GONE]

    def part(self, name: str, of: Sequence[T], size: int) -> Sequence[T]:
        """The next few of several things, all of them in turn."""
        start = self.places.get(name, 0)
        start = start if start < len(of) else 0
        self.places[name] = start + size if start + size < len(of) else 0
        return of[start : start + size]
