"""Pick members out of JSON by paths such as `data.items.0.author.name`, as an operator writes them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any

from rapport.kit import clock
from rapport.kit.errors import Invalid

_MILLISECONDS_FROM = 100_000_000_000  # as seconds, this would be the year 5138


def pick(document: Any, path: str) -> Any:
    """What lies at a path; None where nothing does. An empty path is the document itself."""
    found = document
    for part in path.split(".") if path else ():
        if isinstance(found, Mapping):
            found = found.get(part)
        elif (
            isinstance(found, list)
            and re.fullmatch(r"-?\d{1,6}", part)
            and -len(found) <= int(part) < len(found)
        ):
            found = found[int(part)]
        else:
            return None
    return found


def text(document: Any, path: str) -> str:
    """What lies at a path as a text; empty where nothing does, or something that has parts."""
    found = pick(document, path)
    if found is None or isinstance(found, (Mapping, list)):
        return ""
    return str(found)


def pairs(lines: str) -> dict[str, str]:
    """Lines of `name = path`; empty ones and those that begin with # say nothing."""
    found: dict[str, str] = {}
    for line in lines.splitlines():
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        name, equals, path = line.partition("=")
        if not equals or not name.strip() or not path.strip():
            raise Invalid(f"the line {line.strip()[:80]!r} is not understood", "Write name = path.")
        found[name.strip()] = path.strip()
    return found


def moment(value: Any) -> dt.datetime | None:
    """A time as JSON carries it: ISO 8601, or seconds or milliseconds since 1970; None where it is none."""
    if isinstance(value, str) and re.fullmatch(r"\d{9,14}(\.\d+)?", value.strip()):
        value = float(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = value / 1000 if value > _MILLISECONDS_FROM else value
        try:
            return clock.from_us(round(seconds * 1_000_000))
        except (OverflowError, ValueError):  # infinite, or no number at all: JSON of some servers has both
            return None
    if not isinstance(value, str):
        return None
    try:
        at = dt.datetime.fromisoformat(value.strip())
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
