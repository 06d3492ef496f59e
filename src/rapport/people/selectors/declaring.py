"""Who said something of themselves."""

from __future__ import annotations

import pyarrow as pa

from rapport.people.rules.graph import Subjects
from rapport.people.selectors import rows

YES = ("true", '"true"', '"yes"', '"y"', '"1"', "1")  # as JSON keeps it


def declaring(trait: str) -> Subjects:
    """The persons of whom a trait is declared, and declared to hold, ascending; what was inferred does not count."""
    marks = ", ".join(["%s"] * len(YES))
    sql = (
        "SELECT DISTINCT i.person AS person FROM people_trait AS t"
        " INNER JOIN people_identity AS i ON i.subject = t.subject"
        f" WHERE t.name = %s AND t.origin = 'declared' AND lower(t.value) IN ({marks}) ORDER BY 1"
    )
    return rows.numbers(rows.table(sql, pa.schema([("person", pa.int64())]), [trait, *YES]), "person")
