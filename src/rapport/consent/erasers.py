"""Who erases what: each store that keeps something of a person says here how it forgets it.

A domain above consent registers in its AppConfig.ready(); consent knows none of them by name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from rapport.kit.errors import Invalid


@dataclass(frozen=True, slots=True)
class Erasing:
    """Whose traces are to go: subjects and their identifiers in the same order, and the keyed hashes of these.

    `persons` are the numbers the person went by, before and after any merging.
    """

    subjects: tuple[int, ...]
    identifiers: tuple[str, ...]
    hashes: tuple[str, ...]
    persons: tuple[int, ...] = ()


Eraser = Callable[[Erasing], int]

_erasers: dict[str, Eraser] = {}
_while_known: dict[str, Eraser] = {}


def register(name: str, eraser: Eraser, *, while_known: Eraser | None = None) -> None:
    """Have `eraser` called at every erasure; `name` stands in the certificate beside the rows it erased.

    What can only be found by the person's own words is erased by `while_known`, before the log forgets these.
    An eraser leaves no personal byte, gives the number of rows it erased, and may be called again with
    the same subjects. Raises Invalid where another function already goes by that name.
    """
    known = _erasers.setdefault(name, eraser)
    if known is not eraser:
        raise Invalid(f"two erasers are called {name!r}", "Name each after the store it empties.")
    if while_known is not None:
        _while_known[name] = while_known


def registered() -> dict[str, Eraser]:
    """Every eraser by its name, in the order of registration: lower layers first."""
    return dict(_erasers)


def registered_while_known() -> dict[str, Eraser]:
    """Those that look at the person's own words, by the name of their store."""
    return dict(_while_known)
