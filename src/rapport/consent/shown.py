"""Who else shows words before people answer: each tells the text behind a version that an answer names.

The ledger keeps the version alone. What the firm wrote is a wording of consent's own; what a page of
another domain showed, such as the banner on the firm's site, is told by that domain.
"""

from __future__ import annotations

from collections.abc import Callable

Teller = Callable[[str], str | None]

_tellers: list[Teller] = []


def register(teller: Teller) -> None:
    """Have `teller` asked for the text of a version that is none of consent's own."""
    if teller not in _tellers:
        _tellers.append(teller)


def text_of(version: str) -> str | None:
    """The text that was shown under a version elsewhere, or None."""
    return next((text for teller in _tellers if (text := teller(version)) is not None), None)
