"""Figures of many people at once, as Arrow."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from rapport.people.selectors import rows

SCORED = pa.schema(
    [
        ("person", pa.int64()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("unit", pa.string()),
        ("as_of", pa.timestamp("us", tz="UTC")),
        ("low", pa.float64()),
        ("high", pa.float64()),
        ("label", pa.string()),
    ]
)


def scores_arrow(names: Sequence[str] | None = None) -> pa.Table:
    """Scores of these names, or of all, over the subjects that each person has now: one row per person and name.

    A score over people who were merged or parted since then is left out, until its model has run again.
    """
    columns = ", ".join(rows.time("s.as_of") if c == "as_of" else f"s.{c}" for c in SCORED.names)
    chosen = "" if names is None else f" WHERE s.name IN ({', '.join(['%s'] * len(names))})"
    if names is not None and not names:
        return SCORED.empty_table()
    return rows.table(
        f"SELECT {columns} FROM people_score AS s"
        f" INNER JOIN people_person AS p ON p.id = s.person AND p.members = s.members{chosen}",
        SCORED,
        list(names or ()),
    )
