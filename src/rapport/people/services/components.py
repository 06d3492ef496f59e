"""Who is whom, kept in step with the edges: adding edges joins components, removing one splits a component."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.people.rules import graph
from rapport.people.selectors import rows
from rapport.people.services import writing

IDENTITY = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())])
PAIR = pa.schema([("a", pa.int64()), ("b", pa.int64())])
EDGE = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("certainty", pa.string())])

SLICE_EDGES = 1_000  # joined in one transaction


def identities(subjects: graph.Subjects) -> pa.Table:
    """The identity rows of subjects, in ascending order; those of nobody are left out."""
    return rows.of("identity", IDENTITY, "subject", subjects).sort_by("subject")


def refused() -> pa.Table:
    """The pairs that staff said are not one person. Made by hand, so they are few."""
    return rows.table("SELECT DISTINCT a, b FROM people_edge WHERE state IN ('rejected', 'removed')", PAIR)


def introduce(subjects: graph.Subjects, a: graph.Subjects, b: graph.Subjects) -> None:
    """Give new subjects (sorted) their person, joined by certain edges among themselves."""
    person = graph.components(subjects, a, b)
    fresh = pa.table({"subject": subjects, "person": person, "core": person})
    # In ascending order, so that a person's own row is there before the others name it.
    writing.stamped("identity", fresh, conflict=("subject",))


def join(a: graph.Subjects, b: graph.Subjects) -> None:
    """Make one the components that accepted edges between these pairs connect."""
    for at in range(0, a.size, SLICE_EDGES):
        left, right = a[at : at + SLICE_EDGES], b[at : at + SLICE_EDGES]
        if not _apart(left, right).any():  # so the usual repeated assertion takes no lock
            continue
        writing.pause()
        with writing.change() as number:
            join_within(left, right, number)


def _apart(a: graph.Subjects, b: graph.Subjects) -> NDArray[np.bool_]:
    """Which pairs, both ends known, have not one person and one core."""
    known = identities(np.unique(np.concatenate([a, b])))
    subjects = rows.numbers(known, "subject")
    there = graph.is_in(a, subjects) & graph.is_in(b, subjects)
    left, right = np.searchsorted(subjects, a[there]), np.searchsorted(subjects, b[there])
    apart = np.zeros(a.size, dtype=np.bool_)
    for column in ("person", "core"):
        number = rows.numbers(known, column)
        apart[there] |= number[left] != number[right]
    return apart


def join_within(a: graph.Subjects, b: graph.Subjects, number: int) -> None:
    """`join` for a few pairs, inside the caller's change."""
    apart = _apart(a, b)
    edges = accepted(a[apart])
    asked = graph.pairs_in(rows.numbers(edges, "a"), rows.numbers(edges, "b"), a[apart], b[apart])
    left, right, certain = _ends(edges.filter(pa.array(asked)))
    known = identities(np.unique(np.concatenate([left, right])))
    subjects = rows.numbers(known, "subject")
    for column, held in (("person", np.ones_like(certain)), ("core", certain)):
        numbers = rows.numbers(known, column)
        old, new = graph.joined(
            numbers[np.searchsorted(subjects, left[held])], numbers[np.searchsorted(subjects, right[held])]
        )
        writing.execute_many(
            f"UPDATE people_identity SET {column} = %s, changed_seq = %s WHERE {column} = %s",
            ((after, number, before) for before, after in zip(old.tolist(), new.tolist(), strict=True)),
        )


def accepted(subjects: graph.Subjects) -> pa.Table:
    """Accepted edges whose smaller end is among the subjects."""
    return rows.of("edge", EDGE, "a", np.unique(subjects), where="state = 'accepted'")


def _ends(edges: pa.Table) -> tuple[graph.Subjects, graph.Subjects, NDArray[np.bool_]]:
    certain = pc.equal(edges["certainty"], graph.CERTAIN).to_numpy(zero_copy_only=False)
    return rows.numbers(edges, "a"), rows.numbers(edges, "b"), np.asarray(certain, dtype=np.bool_)


def split(person: int, number: int) -> graph.Subjects:
    """Compute one person's component anew from its accepted edges; gives the subjects it had."""
    known = rows.of("identity", IDENTITY, "person", graph.as_subjects([person])).sort_by("subject")
    subjects = rows.numbers(known, "subject")
    a, b, certain = _ends(accepted(subjects))
    inside = graph.is_in(b, subjects)  # an end that was erased has no identity any more
    a, b, certain = a[inside], b[inside], certain[inside]
    becomes = graph.components(subjects, a, b)
    core = graph.components(subjects, a[certain], b[certain])
    moved = (becomes != rows.numbers(known, "person")) | (core != rows.numbers(known, "core"))
    changes = zip(becomes[moved].tolist(), core[moved].tolist(), subjects[moved].tolist(), strict=True)
    writing.execute_many(
        "UPDATE people_identity SET person = %s, core = %s, changed_seq = %s WHERE subject = %s",
        ((after, certainly, number, subject) for after, certainly, subject in changes),
    )
    return subjects
