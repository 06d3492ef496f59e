"""Who is whom, kept in step with the edges: whatever changed, its surroundings are settled anew."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.events.rules import DEVICE_NAMESPACES
from rapport.people.rules import graph, sharing
from rapport.people.selectors import rows
from rapport.people.services import writing

IDENTITY = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())])
PAIR = pa.schema([("a", pa.int64()), ("b", pa.int64())])
EDGE = pa.schema([("a", pa.int64()), ("b", pa.int64()), ("certainty", pa.string()), ("source", pa.string())])
STAFF = "staff"  # the source of what a colleague asserts

SLICE_EDGES = 1_000  # joined in one transaction


def identities(subjects: graph.Subjects) -> pa.Table:
    """The identity rows of subjects, in ascending order; those of nobody are left out."""
    return rows.of("identity", IDENTITY, "subject", subjects).sort_by("subject")


def refused() -> pa.Table:
    """The pairs that staff said are not one person. Made by hand, so they are few."""
    return rows.table("SELECT DISTINCT a, b FROM people_edge WHERE state IN ('rejected', 'removed')", PAIR)


def introduce(
    subjects: graph.Subjects, is_device: sharing.Flags, a: graph.Subjects, b: graph.Subjects
) -> None:
    """Give new subjects (sorted) their person, joined by certain edges among themselves."""
    never = np.zeros(a.size, dtype=np.bool_)
    person = sharing.settled(subjects, is_device, a, b, never, np.zeros_like(is_device))
    fresh = pa.table({"subject": subjects, "person": person, "core": person})
    # In ascending order, so that a person's own row is there before the others name it.
    writing.stamped("identity", fresh, conflict=("subject",))


def join(a: graph.Subjects, b: graph.Subjects) -> graph.Subjects:
    """Make one the components that accepted edges between these pairs connect; gives whom that touched."""
    touched = [np.empty(0, dtype=np.int64)]
    for at in range(0, a.size, SLICE_EDGES):
        left, right = a[at : at + SLICE_EDGES], b[at : at + SLICE_EDGES]
        apart = _apart(left, right)
        if not apart.any():  # so the usual repeated assertion takes no lock
            continue
        writing.pause()
        with writing.change() as number:
            touched.append(settle(np.concatenate([left[apart], right[apart]]), number))
    return np.unique(np.concatenate(touched))


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


def settle(subjects: graph.Subjects, number: int) -> graph.Subjects:
    """Compute anew the persons of these subjects and of the devices beside them, inside the caller's change.

    Gives every subject that was looked at. People who share a device with them are looked at only where the
    device becomes theirs alone.
    """
    inside = _with_their_persons(subjects)
    beside = _devices_beside(inside)
    if beside.size:
        inside = _with_their_persons(np.concatenate([inside, beside]))
    while True:
        known = identities(inside)
        numbers, more = _settled(known)
        if more.size == 0:
            break
        inside = _with_their_persons(np.concatenate([inside, more]))
    moved = np.zeros(inside.size, dtype=np.bool_)
    for column in ("person", "core"):
        moved |= numbers[column] != rows.numbers(known, column)
    changed = (column[moved].tolist() for column in (numbers["person"], numbers["core"], inside))
    writing.execute_many(
        "UPDATE people_identity SET person = %s, core = %s, changed_seq = %s WHERE subject = %s",
        ((person, core, number, subject) for person, core, subject in zip(*changed, strict=True)),
    )
    return inside


def _settled(known: pa.Table) -> tuple[dict[str, graph.Subjects], graph.Subjects]:
    """Person and core of identity rows by their edges; and whoever of outside has to be looked at with them."""
    inside = rows.numbers(known, "subject")
    edges = _accepted(inside)
    a, b = rows.numbers(edges, "a"), rows.numbers(edges, "b")
    ends = np.unique(np.concatenate([a, b]))
    outside = identities(np.setdiff1d(ends, inside))
    # Devices outside are in other hands, and stay there; an end that was erased is nobody's.
    others = np.setdiff1d(rows.numbers(outside, "subject"), devices(rows.numbers(outside, "subject")))
    outside = outside.filter(pa.array(graph.is_in(rows.numbers(outside, "subject"), others)))
    there = np.union1d(inside, others)
    held = graph.is_in(a, there) & graph.is_in(b, there)
    a, b, edges = a[held], b[held], edges.filter(pa.array(held))
    staff, certain = _flags(edges["source"], STAFF), _flags(edges["certainty"], graph.CERTAIN)
    found, more = {}, [np.empty(0, dtype=np.int64)]
    for column, use in (("person", np.ones_like(certain)), ("core", certain)):
        stand_in = rows.numbers(outside, column)  # people outside are what they are
        nodes = np.unique(np.concatenate([there, stand_in]))
        is_device = graph.is_in(nodes, devices(inside))
        left, right = np.concatenate([a[use], others]), np.concatenate([b[use], stand_in])
        whole = np.concatenate([staff[use], np.ones(others.size, dtype=np.bool_)])
        label = sharing.settled(nodes, is_device, left, right, whole, graph.is_in(nodes, _haunted(inside)))
        found[column] = label[np.searchsorted(nodes, inside)]
        shared = graph.is_in(label[np.searchsorted(nodes, others)], np.unique(found[column]))
        more.append(others[shared])
    return found, np.unique(np.concatenate(more))


def devices(subjects: graph.Subjects) -> graph.Subjects:
    """Which of these subjects are devices, ascending."""
    listed = ", ".join(f"'{n}'" for n in DEVICE_NAMESPACES)
    schema = pa.schema([("subject", pa.int64())])
    found = rows.of("identifier", schema, "subject", subjects, where=f"namespace IN ({listed})")
    return np.sort(rows.numbers(found, "subject"))


def _haunted(subjects: graph.Subjects) -> graph.Subjects:
    """Devices among these that were in the hands of somebody who was erased since."""
    schema = pa.schema([("device", pa.int64()), ("holder", pa.int64())])
    held = rows.of("holding", schema, "device", subjects)
    holders = np.unique(rows.numbers(held, "holder"))
    alive = rows.numbers(identities(holders), "subject")
    return np.unique(rows.numbers(held, "device")[~graph.is_in(rows.numbers(held, "holder"), alive)])


def _with_their_persons(subjects: graph.Subjects) -> graph.Subjects:
    persons = np.unique(rows.numbers(identities(np.unique(subjects)), "person"))
    everyone = rows.of("identity", IDENTITY, "person", persons)
    return np.sort(rows.numbers(everyone, "subject"))


def _devices_beside(subjects: graph.Subjects) -> graph.Subjects:
    """Devices that edges of these subjects lead to, and that belong to somebody else or to nobody."""
    edges = _accepted(subjects)
    ends = np.unique(np.concatenate([rows.numbers(edges, "a"), rows.numbers(edges, "b")]))
    return devices(np.setdiff1d(ends, subjects))


def _accepted(subjects: graph.Subjects) -> pa.Table:
    """Accepted edges with an end among the subjects."""
    found = [rows.of("edge", EDGE, end, subjects, where="state = 'accepted'") for end in ("a", "b")]
    return pa.concat_tables(found)


def _flags(column: pa.ChunkedArray, value: str) -> NDArray[np.bool_]:
    return np.asarray(pc.equal(column, value).to_numpy(zero_copy_only=False), dtype=np.bool_)


def split(person: int, number: int) -> graph.Subjects:
    """Settle one person anew after edges or identifiers of theirs were taken away; gives the subjects left."""
    left = rows.of("identity", IDENTITY, "person", graph.as_subjects([person]))
    return settle(rows.numbers(left, "subject"), number)
