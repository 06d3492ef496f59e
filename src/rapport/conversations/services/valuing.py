"""What is expected to be lost with somebody if nothing is done, read from what models say of them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pyarrow as pa

from rapport.conversations.rules import weighing
from rapport.people import selectors as people
from rapport.people.rules.graph import as_subjects
from rapport.people.selectors import rows

NAMES = ("alive", "clv_minor", "dissatisfaction")
_SCORES = pa.schema([("person", pa.int64()), ("name", pa.string()), ("value", pa.float64())])
UNKNOWN_ALIVE = 1.0  # of whom no model says otherwise
UNKNOWN_DISSATISFACTION = 0.3  # somebody who asks us is not at ease, and nobody has measured how much


def at_risk_minor(subjects: Iterable[int | None]) -> dict[int, int]:
    """By subject; who bought nothing has no figure and is left out, and loses nothing by it: see the floor."""
    wanted = as_subjects(sorted({s for s in subjects if s is not None}))
    if wanted.size == 0:
        return {}
    who = people.people_for(wanted)
    persons = np.unique(rows.numbers(who, "person"))
    if persons.size == 0:
        return {}
    said = rows.of(
        "score", _SCORES, "person", persons, where="name IN (%s, %s, %s)", params=list(NAMES)
    ).to_pylist()
    by_person: dict[int, dict[str, float]] = {}
    for row in said:
        by_person.setdefault(row["person"], {})[row["name"]] = row["value"]
    worth = {
        person: weighing.value_at_risk_minor(
            known.get("clv_minor", 0.0),
            known.get("alive", UNKNOWN_ALIVE),
            known.get("dissatisfaction", UNKNOWN_DISSATISFACTION),
        )
        for person, known in by_person.items()
    }
    return {row["subject"]: worth[row["person"]] for row in who.to_pylist() if worth.get(row["person"])}
