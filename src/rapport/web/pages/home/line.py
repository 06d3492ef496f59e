"""One line of Home."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Line:
    """One sentence with a figure, and where it leads."""

    text: str
    url: str
    tone: str = ""
    note: str = ""
