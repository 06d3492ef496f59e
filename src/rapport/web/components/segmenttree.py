"""A rule as a form: brackets and rows whose fields carry the place they stand at, and what its buttons do to them.

The whole rule is in the form, so adding a row, nesting and counting need nothing kept on the server, and no script.
A place is `r` for the outermost bracket and `r_1_0` for the first part of its second part.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from django.utils.translation import gettext as _

from rapport.kit.errors import Invalid

ROOT = "r"
ALL, ANY, NONE, NOT_ALL = "all", "any", "none", "not_all"
HOWS = (ALL, ANY, NONE, NOT_ALL)
DEEPEST = 6  # brackets within brackets; who needs more names a part as a segment of its own
ROWS_MOST = 100
_PLACE = r"r(?:_\d{1,3})*"
_FIELD = re.compile(rf"({_PLACE})\.([a-z_]{{1,20}})")


@dataclass(frozen=True, slots=True)
class Row:
    """One condition as it stands in the form: what it is about, and the text of each of its fields."""

    about: str
    given: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bracket:
    """Parts of which all, at least one, none, or not all hold."""

    how: str = ALL
    parts: tuple[Row | Bracket, ...] = ()


def read(given: Mapping[str, str]) -> Bracket:
    """The tree that a sent form holds; a form without one is an empty bracket."""
    fields: dict[str, dict[str, str]] = {}
    for name, value in given.items():
        if found := _FIELD.fullmatch(name):
            fields.setdefault(found[1], {})[found[2]] = value
    if sum("about" in f for f in fields.values()) > ROWS_MOST:
        raise Invalid(
            _("a segment has at most %(n)s conditions") % {"n": ROWS_MOST},
            _("Make some of them a segment of their own, and ask for that segment."),
        )
    below: dict[str, list[str]] = {}
    for place in sorted(fields, key=_numbers):
        below.setdefault(place.rpartition("_")[0], []).append(place)
    root = _part(ROOT, fields, below)
    return root if isinstance(root, Bracket) else Bracket()


def _part(place: str, fields: Mapping[str, dict[str, str]], below: Mapping[str, list[str]]) -> Row | Bracket:
    mine = fields.get(place, {})
    if "about" in mine:
        return Row(mine["about"], {k: v for k, v in mine.items() if k != "about"})
    how = mine.get("how", ALL)
    parts = tuple(_part(p, fields, below) for p in below.get(place, ()))
    return Bracket(how if how in HOWS else ALL, parts)


def _numbers(place: str) -> tuple[int, ...]:
    return tuple(int(n) for n in place.split("_")[1:])


def at(tree: Bracket, place: str) -> Row | Bracket | None:
    """What stands at a place."""
    if not re.fullmatch(_PLACE, place):
        return None
    part: Row | Bracket = tree
    for number in _numbers(place):
        if not isinstance(part, Bracket) or number >= len(part.parts):
            return None
        part = part.parts[number]
    return part


def rows(part: Row | Bracket, place: str = ROOT) -> Iterator[tuple[str, Row]]:
    """Every row with its place, in reading order."""
    if isinstance(part, Row):
        yield place, part
        return
    for number, one in enumerate(part.parts):
        yield from rows(one, f"{place}_{number}")


def with_part(tree: Bracket, place: str, part: Row | Bracket) -> Bracket:
    """The tree with one more part at the end of a bracket."""
    bracket = at(tree, place)
    if not isinstance(bracket, Bracket):
        return tree
    if isinstance(part, Bracket) and len(_numbers(place)) >= DEEPEST:
        raise Invalid(
            _("brackets stand at most %(n)s deep") % {"n": DEEPEST},
            _("Make the inner ones a segment of their own, and ask for that segment."),
        )
    return _put(tree, _numbers(place), replace(bracket, parts=(*bracket.parts, part)))


def without(tree: Bracket, place: str) -> Bracket:
    """The tree without what stands at a place; what comes after it moves up."""
    above = place.rpartition("_")[0]
    bracket = at(tree, above)
    if not isinstance(bracket, Bracket) or at(tree, place) is None:
        return tree
    number = _numbers(place)[-1]
    kept = tuple(p for n, p in enumerate(bracket.parts) if n != number)
    return _put(tree, _numbers(above), replace(bracket, parts=kept))


def put(tree: Bracket, place: str, part: Row | Bracket) -> Bracket:
    """The tree with another part at a place where there is one."""
    if at(tree, place) is None or (place == ROOT and not isinstance(part, Bracket)):
        return tree
    return _put(tree, _numbers(place), part)


def _put(tree: Bracket, numbers: tuple[int, ...], part: Row | Bracket) -> Bracket:
    if not numbers:
        assert isinstance(part, Bracket)
        return part
    first, rest = numbers[0], numbers[1:]
    inner = tree.parts[first]
    if rest:
        assert isinstance(inner, Bracket)
        put_in: Row | Bracket = _put(inner, rest, part)
    else:
        put_in = part
    return replace(tree, parts=(*tree.parts[:first], put_in, *tree.parts[first + 1 :]))
