"""Keys of segments, and which segment is built on which."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping

from rapport.kit.errors import Conflict, Invalid

KEY_CHARS_MAX = 64
KEY = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def key_of(title: str) -> str:
    """A key made of a title: small letters and digits with dashes between."""
    plain = unicodedata.normalize("NFKD", title.replace("ß", "ss")).encode("ascii", "ignore").decode()
    return "-".join(re.findall(r"[a-z0-9]+", plain.lower()))[:KEY_CHARS_MAX].strip("-")


def checked(key: str) -> str:
    """The key as it is. Raises Invalid for one that is none."""
    if not KEY.fullmatch(key) or len(key) > KEY_CHARS_MAX:
        raise Invalid(f"{key!r} is no key", "Use small letters, digits and dashes, as in winter-buyers.")
    return key


def refuse_circle(key: str, asks: frozenset[str], built: Mapping[str, frozenset[str]]) -> None:
    """Raises Conflict where a segment that asks about these would in the end ask about itself."""
    path = _path(key, asks, {**built, key: asks})
    if path:
        way = " asks about ".join(path)
        raise Conflict(f"the segment would ask about itself: {way}", "Take one of them out of its rule.")


def _path(key: str, asks: Iterable[str], built: Mapping[str, frozenset[str]]) -> list[str]:
    waiting = [[key, other] for other in sorted(asks)]
    seen: set[str] = set()
    while waiting:
        path = waiting.pop()
        if path[-1] == key:
            return path
        if path[-1] not in seen:
            seen.add(path[-1])
            waiting += [[*path, other] for other in sorted(built.get(path[-1], ()))]
    return []


def in_order(keys: Iterable[str], built: Mapping[str, frozenset[str]]) -> list[str]:
    """The keys, each behind those that its rule asks about."""
    wanted, done = set(keys), []

    def place(key: str, above: frozenset[str]) -> None:
        if key in done or key in above:
            return
        for other in sorted(built.get(key, ())):
            place(other, above | {key})
        if key in wanted:
            done.append(key)

    for key in sorted(wanted):
        place(key, frozenset())
    return done


def resting_on(keys: Iterable[str], built: Mapping[str, frozenset[str]]) -> set[str]:
    """The keys, and all whose rules ask about them, or about others that do."""
    found = set(keys)
    while more := {key for key, asks in built.items() if asks & found} - found:
        found |= more
    return found
