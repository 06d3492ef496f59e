"""People as rows of a list that leaves this installation; who may be on it is decided above."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit.errors import Invalid
from rapport.people.rules import graph
from rapport.people.selectors import rows
from rapport.people.selectors.searching import candidates

CHOSEN = pa.schema(
    [("person", pa.int64()), ("name", pa.string()), ("country", pa.string()), ("language", pa.string())]
)
REACHED = pa.schema([("subject", pa.int64()), ("namespace", pa.string()), ("value", pa.string())])


def chosen_persons(*, text: str = "", country: str = "", language: str = "") -> pa.Table:
    """The persons of a list (CHOSEN), filtered as the page People filters them."""
    wanted = {"country": country, "language": language}
    conditions = ["kind = 'person'", *(f"{name} = %s" for name, value in wanted.items() if value)]
    params: list[object] = [value for value in wanted.values() if value]
    if text.strip():
        found, is_capped = candidates(text.strip())
        if is_capped:
            raise Invalid(f"too many people fit {text.strip()!r}", "Type more letters, or none.")
        conditions.append(rows.among("id"))
        params.append(rows.listed(graph.as_subjects(found)))
    columns = "id, display_name, country, language"
    sql = f"SELECT {columns} FROM people_person WHERE {' AND '.join(conditions)} ORDER BY id"
    return rows.table(sql, CHOSEN, params)


def reached(namespaces: Sequence[str] = KNOWN_NAMESPACES) -> pa.Table:
    """Every identifier of these namespaces (REACHED)."""
    marks = ", ".join(["%s"] * len(namespaces))
    sql = f"SELECT subject, namespace, value FROM people_identifier WHERE namespace IN ({marks})"
    return rows.table(sql, REACHED, list(namespaces))
