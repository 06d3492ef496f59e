"""Person rows and name terms, derived anew from identities, identifiers and traits wherever those changed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.kit import bulk
from rapport.people.rules import authors, graph, profile
from rapport.people.selectors import rows
from rapport.people.services import writing

PERSON = pa.schema(
    [
        ("id", pa.int64()),
        ("kind", pa.string()),
        ("display_name", pa.string()),
        ("sort_name", pa.string()),
        ("email", pa.string()),
        ("country", pa.string()),
        ("language", pa.string()),
        ("n_identifiers", pa.int32()),
        ("members", pa.int64()),
    ]
)
TERM = pa.schema([("term", pa.string()), ("person", pa.int64())])

SUBJECTS_READ = 100_000  # looked at together
SLICE_PERSONS = 1_000  # written in one transaction, with their terms


@dataclass(frozen=True, slots=True)
class _Plan:
    """What to write: person rows that differ, ids that are no person any more, terms to add and to drop."""

    persons: pa.Table
    gone: graph.Subjects
    more: pa.Table
    fewer: pa.Table


def refresh(subjects: graph.Subjects) -> None:
    """Bring the rows of the persons of these subjects up to date."""
    waiting = np.unique(subjects)
    while waiting.size:
        seen = rows.present_change()
        part = waiting[:SUBJECTS_READ]
        if _write(_plan(part), seen):
            waiting = waiting[SUBJECTS_READ:]


def _plan(subjects: graph.Subjects) -> _Plan:
    of_part = rows.of("identity", profile.IDENTITY, "subject", subjects)
    persons = np.unique(rows.numbers(of_part, "person"))
    identity = rows.of("identity", profile.IDENTITY, "person", persons)
    everyone = np.sort(rows.numbers(identity, "subject"))
    identifiers = rows.of("identifier", profile.IDENTIFIER, "subject", everyone)
    names = ", ".join(["%s"] * len(profile.SHOWN_TRAITS))
    traits = rows.of(
        "trait", profile.TRAIT, "subject", everyone, where=f"name IN ({names})", params=profile.SHOWN_TRAITS
    )
    new = profile.persons(identity, identifiers, traits).cast(PERSON)
    asked = np.union1d(everyone, subjects)
    old = rows.of("person", PERSON, "id", asked).sort_by("id")
    ids = rows.numbers(old, "id")
    terms = profile.terms(identity, _named(new, identity, traits)).select(TERM.names)
    before = rows.of("nameterm", TERM, "person", ids)
    return _Plan(
        persons=new.filter(pa.array(_differs(new, old))),
        gone=ids[~graph.is_in(ids, persons)],
        more=terms.join(before, TERM.names, join_type="left anti").select(TERM.names),
        fewer=before.join(terms, TERM.names, join_type="left anti").select(TERM.names),
    )


def _named(persons: pa.Table, identity: pa.Table, traits: pa.Table) -> pa.Table:
    """The traits of those who may be looked up by name: public authors may not."""
    public = persons.filter(pc.equal(persons["kind"], authors.AUTHOR))["id"]
    theirs = identity.filter(pc.is_in(identity["person"], value_set=public.combine_chunks()))["subject"]
    return traits.filter(pc.invert(pc.is_in(traits["subject"], value_set=theirs.combine_chunks())))


def _differs(new: pa.Table, old: pa.Table) -> NDArray[np.bool_]:
    ids, known = rows.numbers(new, "id"), rows.numbers(old, "id")
    there = graph.is_in(ids, known)
    differs = ~there
    if there.any():
        before = old.take(pa.array(np.searchsorted(known, ids[there])))
        after = new.filter(pa.array(there))
        same = np.ones(before.num_rows, dtype=np.bool_)
        for name in PERSON.names:
            same &= np.asarray(pc.equal(before[name], after[name]).to_numpy(zero_copy_only=False), np.bool_)
        differs[there] = ~same
    return differs


def _write(plan: _Plan, seen: int) -> bool:
    """Write the plan unless somebody else changed identities since it was made; gives whether all of it was."""
    for part in _slices(plan):
        writing.pause()
        with writing.change() as number:
            if number != seen + 1:
                return False  # made from what is no longer so: look again
            seen = number
            _write_slice(part, number)
    return True


def _slices(plan: _Plan) -> Iterator[_Plan]:
    """The plan in parts that are each right by themselves: a person's row goes with its terms.

    In the order of names, so that a slice touches a few neighbouring pages of the indexes over names
    instead of one page a row; ids of one batch lie together whatever the order.
    """
    persons = plan.persons.sort_by("sort_name")
    rank = {name: rows.numbers(t, "person") for name, t in (("more", plan.more), ("fewer", plan.fewer))}
    ids = rows.numbers(persons, "id")
    others = np.setdiff1d(np.concatenate([plan.gone, *rank.values()]), ids)
    line = np.concatenate([ids, others])  # every person touched, in the order of writing
    order = np.argsort(line)
    place = {name: order[np.searchsorted(line[order], numbers)] for name, numbers in rank.items()}
    sorted_by = {name: np.argsort(p, kind="stable") for name, p in place.items()}
    more = plan.more.take(pa.array(sorted_by["more"])), place["more"][sorted_by["more"]]
    fewer = plan.fewer.take(pa.array(sorted_by["fewer"])), place["fewer"][sorted_by["fewer"]]
    for at in range(0, line.size, SLICE_PERSONS):
        end = at + SLICE_PERSONS
        yield _Plan(
            persons=persons.slice(at, SLICE_PERSONS) if at < ids.size else persons.slice(0, 0),
            gone=np.intersect1d(line[at:end], plan.gone),
            more=_between(*more, at, end),
            fewer=_between(*fewer, at, end),
        )


def _between(table: pa.Table, place: NDArray[np.int64], at: int, end: int) -> pa.Table:
    first, last = np.searchsorted(place, [at, end])
    return table.slice(int(first), int(last - first))


def _write_slice(part: _Plan, number: int) -> None:
    writing.delete("person", "id", part.gone.tolist())
    writing.execute_many(
        "DELETE FROM people_nameterm WHERE term = %s AND person = %s", writing.tuples(part.fewer)
    )
    bulk.upsert("people_nameterm", TERM.names, writing.tuples(part.more), conflict=TERM.names)
    numbers = pa.array(np.full(part.persons.num_rows, number))
    bulk.upsert(
        "people_person",
        [*PERSON.names, "changed_seq"],
        writing.tuples(part.persons.append_column("changed_seq", numbers)),
        conflict=("id",),
        update=[*PERSON.names[1:], "changed_seq"],
    )
