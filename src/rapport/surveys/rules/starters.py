"""Surveys to begin from, each with its questions in every language of the customers' pages.

The question of product fit is Sean Ellis's, as Vohra (2018) uses it; the others are named in `questions`.
"""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any

from rapport.kit.errors import NotFound
from rapport.surveys.rules.definition import Definition, from_json

BLANK = "blank"


@dataclass(frozen=True, slots=True)
class Starter:
    """What one begins with, and where it is usually asked."""

    definition: Definition
    places: tuple[str, ...]


@functools.cache
def _all() -> dict[str, Any]:
    text = resources.files("rapport.surveys").joinpath("rules", "starters.toml").read_text("utf-8")
    return tomllib.loads(text)


def names() -> list[str]:
    """The starters there are, the blank one last."""
    return [*_all(), BLANK]


def starter(name: str, languages: Sequence[str]) -> Starter:
    """A starter with its texts in these languages, the first of which it is written in."""
    if name == BLANK:
        return Starter(Definition(languages=tuple(languages)), ("link",))
    if name not in _all():
        raise NotFound(f"there is no survey {name!r} to begin from", f"There are {', '.join(names())}.")
    plain = _only(_all()[name], set(languages))
    places = tuple(plain.pop("places"))
    return Starter(from_json({**plain, "languages": list(languages)}), places)


def _only(plain: Any, languages: set[str]) -> Any:
    """The same without the texts of other languages."""
    if isinstance(plain, dict):
        if "en" in plain:
            return {key: text for key, text in plain.items() if key in languages}
        return {key: _only(value, languages) for key, value in plain.items()}
    return [_only(one, languages) for one in plain] if isinstance(plain, list) else plain
