"""Which column is which field: what the names suggest, what somebody wishes, what is still missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rapport.kit.errors import Invalid
from rapport.listening.rules.fields import DROPPED, IDENTIFIER_PREFIX, Kind, normal_name


def propose(kind: Kind, columns: Sequence[str]) -> dict[str, str]:
    """The mapping, column to field, that the columns' names suggest."""
    normal = {normal_name(c): c for c in reversed(columns)}
    mapping: dict[str, str] = {}
    for field in kind.fields:
        for name in (field.name, *field.names):
            column = normal.get(name)
            if column is not None and column not in mapping:
                mapping[column] = field.name
                break
    return mapping


def settle_mapping(kind: Kind, columns: Sequence[str], wishes: Mapping[str, str]) -> dict[str, str]:
    """The proposal with somebody's wishes over it; what cannot be is Invalid.

    A wish names a column as it is written, or in any spelling that is plain; an empty field leaves the
    column among the properties, `-` leaves it out.
    """
    wished: dict[str, str] = {}
    for column, field in wishes.items():
        found = column if column in columns else _alike(column, columns)
        if found is None:
            raise Invalid(f"there is no column {column!r}", f"The file has {_listed(columns)}.")
        if field not in {"", DROPPED} and kind.field(field) is None:
            raise Invalid(
                f"{kind.name} have no field {field!r}",
                f"There are {', '.join(kind.field_names)}; `-` leaves out.",
            )
        wished[found] = field
    taken = {f for f in wished.values() if f not in {"", DROPPED}}
    if len(taken) < sum(f not in {"", DROPPED} for f in wished.values()):
        raise Invalid(
            "two columns are mapped to the same field", "Map one of them to another field or to `-`."
        )
    proposed = {
        c: f for c, f in propose(kind, [c for c in columns if c not in wished]).items() if f not in taken
    }
    return {c: f for c in columns for f in [wished.get(c) or proposed.get(c, "")] if f}


def missing_fields(kind: Kind, mapping: Mapping[str, str], given: Iterable[str] = ()) -> str:
    """A sentence on the fields that no column fills, or '' where nothing is missing."""
    there = set(mapping.values()) | set(given)
    missing = [f.name for f in kind.fields if f.required and f.name not in there]
    if missing:
        return f"no column is {' and none is '.join(missing)}"
    for group in kind.one_of:
        filled = any(
            f in there or (f == IDENTIFIER_PREFIX and any(t.startswith(f) for t in there)) for f in group
        )
        if not filled:
            shown = [f + "<namespace>" if f == IDENTIFIER_PREFIX else f for f in group]
            return f"no column is one of {', '.join(shown)}"
    return ""


def _alike(column: str, columns: Sequence[str]) -> str | None:
    return next((c for c in columns if normal_name(c) == normal_name(column)), None)


def _listed(columns: Sequence[str], at_most: int = 30) -> str:
    shown = ", ".join(repr(c) for c in columns[:at_most])
    return shown + (f" and {len(columns) - at_most} more" if len(columns) > at_most else "")
