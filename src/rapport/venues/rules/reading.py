"""Tables of words and patterns, which stand in files beside the rules: one line each, by language. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from importlib import resources
from typing import Any


def table(name: str) -> dict[str, Any]:
    """What a file beside the rules holds."""
    return tomllib.loads(resources.files("rapport.venues.rules").joinpath(name).read_text("utf-8"))


def either(patterns: Iterable[str]) -> str:
    """One pattern out of several."""
    return "|".join(f"(?:{pattern})" for pattern in patterns)


def compiled(patterns: Iterable[str]) -> re.Pattern[str]:
    return re.compile(either(patterns))
