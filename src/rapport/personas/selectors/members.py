"""Who is in a persona now: whoever refused since it was found is in none."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.consent import selectors as consent
from rapport.consent.selectors import holding
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people.selectors import rows
from rapport.personas.selectors.places import MODEL, PURPOSE


@dataclass(frozen=True, slots=True)
class Member:
    """One person of a persona."""

    id: int
    name: str  # empty for somebody who is no longer known
    fit: float


@dataclass(frozen=True, slots=True)
class Members:
    """One page of a persona's people, those who fit best first."""

    rows: list[Member]
    n: int


@functools.lru_cache(maxsize=2)
def _read(present: tuple[object, ...]) -> pa.Table:
    """person, label, value of everybody who may be read; kept until a score, a person or an answer changes.

    An answer may also lapse by itself, so that it is read anew every minute.
    """
    del present
    arrow: Any = pc
    scores = people.scores_arrow([MODEL]).select(["person", "label", "value"])
    refused = consent.refused_subjects(PURPOSE)["subject"].combine_chunks()
    identity = people.identity_arrow()
    seen = identity.filter(arrow.invert(arrow.is_in(identity["subject"], value_set=refused)))["person"]
    return scores.filter(arrow.is_in(scores["person"], value_set=arrow.unique(seen)))


def _table() -> pa.Table:
    purposes = [(p.is_active, p.legal_basis) for p in consent.purposes() if p.key == PURPOSE]
    counters = (rows.CHANGES, rows.SCORES, holding.CHANGES)
    minute = clock.now().replace(second=0, microsecond=0)
    return _read((*(c.present() for c in counters), *purposes, minute))


def _mine(key: str) -> pa.Table:
    arrow: Any = pc
    held = _table()
    return held.filter(arrow.equal(held["label"], key))


def counts() -> dict[str, int]:
    """How many people each persona has now."""
    arrow: Any = pc
    return {row["values"]: row["counts"] for row in arrow.value_counts(_table()["label"]).to_pylist()}


def members(key: str, first: int = 0, n: int = 50) -> Members:
    """The people of a persona from a place on."""
    mine = _mine(key).sort_by([("value", "descending"), ("person", "ascending")])
    page = mine.slice(first, n).to_pylist()
    known = {row.id: row.display_name for row in people.person_rows(row["person"] for row in page)}
    return Members([Member(r["person"], known.get(r["person"], ""), r["value"]) for r in page], mine.num_rows)


def persons_in(key: str) -> Any:
    """(people,) ascending: who is in a persona now."""
    return np.unique(rows.numbers(_mine(key), "person"))
