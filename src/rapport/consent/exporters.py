"""Who shows what: each store that keeps something of a person says here how to show it to them.

The access page, `rapport people export` and the file that a person takes along are these sections, so what
is not registered here would be kept from the person it is about.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rapport.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Exporting:
    """Whose sections are wanted: their subjects, identifiers in the same order, and person number."""

    subjects: tuple[int, ...]
    identifiers: tuple[str, ...]
    persons: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Section:
    """One part of everything we know: rows of plain values (text, numbers, times, JSON), and whence they come.

    A row may name its own origin under the key `origin`; it then stands instead of the section's.
    """

    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    origin: str = ""


Exporter = Callable[[Exporting], Iterable[Section]]

_exporters: dict[str, Exporter] = {}


def register(name: str, exporter: Exporter) -> None:
    """Have `exporter` asked whenever somebody wants to see everything. Raises Invalid for a taken name."""
    known = _exporters.setdefault(name, exporter)
    if known is not exporter:
        raise Invalid(f"two exporters are called {name!r}", "Name each after the store it shows.")


def sections(exporting: Exporting) -> Iterator[tuple[str, Section]]:
    """Every section with the name of its exporter, in the order of registration: lower layers first."""
    for name, exporter in list(_exporters.items()):
        for section in exporter(exporting):
            yield name, section


def registered() -> dict[str, Exporter]:
    """Every exporter by its name."""
    return dict(_exporters)
