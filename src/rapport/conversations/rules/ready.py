"""Ready answers: what stands for a name in them, and a colleague's name as a note has it after an @. Pure."""

from __future__ import annotations

import re

NAMES = ("name", "me", "firm")  # theirs, whoever answers, ours
_PLACE = re.compile(r"(\s*)\{(name|me|firm)\}")
_UNNAMED = re.compile(r"[^\w.+-]")


def filled(text: str, *, name: str = "", me: str = "", firm: str = "") -> str:
    """A ready answer with the names in it; where one is not known, its place closes.

    >>> filled("Hello {name}, {me} here.", name="Ana", me="Bob"), filled("Hello {name}, {me} here.", me="Bob")
    ('Hello Ana, Bob here.', 'Hello, Bob here.')
    """
    known = {"name": name.strip(), "me": me.strip(), "firm": firm.strip()}

    def put(found: re.Match[str]) -> str:
        said = known[found.group(2)]
        return f"{found.group(1)}{said}" if said else ""

    return _PLACE.sub(put, text)


def handle(name: str) -> str:
    """A colleague's name in one word, as it can be written after an @.

    >>> handle("Bob O'Neil")
    'BobONeil'
    """
    return _UNNAMED.sub("", name)
