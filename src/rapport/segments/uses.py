"""Who uses a segment: each domain that keeps the key of one says here by what.

A domain above registers in its AppConfig.ready(); a segment that is used keeps its key, and stays.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from rapport.kit.errors import Invalid

Using = Callable[[str], Iterable[str]]  # of a key: what uses it, in words such as `question “Sales by week”`

_using: dict[str, Using] = {}


def register(name: str, using: Using) -> None:
    """Have `using` asked before a segment is renamed or removed. Raises Invalid for a taken name."""
    if _using.setdefault(name, using) is not using:
        raise Invalid(f"two who use segments are called {name!r}", "Name each after its domain.")


def of(key: str) -> list[str]:
    """What uses the segment, in words."""
    return [what for using in _using.values() for what in using(key)]
