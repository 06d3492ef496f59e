"""What was refused at the visitors' door lately, and why, for the screen that shows it.

A count and the newest few, never the message itself: whoever has not consented is not kept by way of
having been refused. Each collector writes a small file of its own.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from rapport.kit import clock, home, ids

KEPT = 100
WRITE_EVERY_S = 1.0
KEPT_S = 24 * 3600

# Why, in a word that the screens put into sentences.
REASONS = (
    "unknown_key",
    "switched_off",
    "no_origin",
    "foreign_origin",
    "too_often",
    "not_json",
    "too_large",
    "unknown_type",
    "no_consent",
    "withdrawn",
    "machine",
    "unproved",
)


class Refusal(msgspec.Struct, frozen=True):
    """One refusal: when, of which site, why, and enough to find the page that did it."""

    at_us: int
    source: str
    reason: str
    what: str = ""  # the event's name
    origin: str = ""
    n: int = 1


class Written(msgspec.Struct, frozen=True):
    """The file of one collector."""

    newest: list[Refusal] = []
    counts: dict[str, int] = {}  # by `source reason`, since it started


def folder() -> Path:
    return home.path("onsite", "refused")


def read() -> list[Refusal]:
    """The newest refusals over all collectors, newest first."""
    found: list[Refusal] = []
    for file in folder().glob("*.json"):
        try:
            found.extend(msgspec.json.decode(file.read_bytes(), type=Written).newest)
        except (OSError, msgspec.DecodeError):
            continue  # being written, or of another version: it is written anew within a second
    return sorted(found, key=lambda one: -one.at_us)[:KEPT]


@dataclass(slots=True)
class Refusals:
    """The newest refusals of one process."""

    name: str = field(default_factory=lambda: str(ids.uuid7()))
    newest: deque[Refusal] = field(default_factory=lambda: deque(maxlen=KEPT))
    counts: Counter[str] = field(default_factory=Counter)
    is_unwritten: bool = False
    _has_written: bool = False

    def add(self, source: str, reason: str, *, what: str = "", origin: str = "", n: int = 1) -> None:
        """Note one; the same again within a second only counts up."""
        at_us = clock.now_us()
        self.counts[f"{source} {reason}"] += n
        last = self.newest[-1] if self.newest else None
        same = last and (last.source, last.reason, last.what, last.origin) == (source, reason, what, origin)
        if last and same and at_us - last.at_us < 1_000_000:
            self.newest.pop()
            n += last.n
        self.newest.append(Refusal(at_us, source, reason, what[:80], origin[:120], n))
        self.is_unwritten = True

    def write(self) -> None:
        """Put them where the screens find them; the caller does so once a second at most."""
        self.is_unwritten = False
        if not self._has_written:
            self._sweep()
        temporary = folder() / f".{self.name}"
        temporary.write_bytes(msgspec.json.encode(Written(list(self.newest), dict(self.counts))))
        temporary.replace(folder() / f"{self.name}.json")

    def _sweep(self) -> None:
        """Make the folder, and remove what collectors left behind that ended long ago."""
        folder().mkdir(parents=True, exist_ok=True)
        for file in folder().iterdir():
            if file.stat().st_mtime < clock.now_us() / 1e6 - KEPT_S:
                file.unlink(missing_ok=True)
        self._has_written = True
