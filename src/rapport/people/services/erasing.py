"""Forget people: every row of theirs in the operational store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Q

from rapport.events import traces
from rapport.events.quoting import may_name
from rapport.kit import bulk
from rapport.kit.errors import NotFound
from rapport.people import models
from rapport.people.rules import graph
from rapport.people.selectors import identity
from rapport.people.services import components, profiles, writing


@dataclass(frozen=True, slots=True)
class Erased:
    """What was known of a person and is no more: the numbers and texts that the log must forget too."""

    subjects: tuple[int, ...]
    identifiers: tuple[str, ...]


def erase(person_id: int) -> Erased:
    """Remove a person's identifiers, edges, traits, scores and row.

    The log keeps its own dictionary and events; whoever calls this has it forget the subjects given back.
    Snapshots hold numbers alone, and are made anew without these.
    """
    subject = models.Identity.objects.filter(subject=person_id).first()
    if subject is None:
        raise NotFound(f"there is no person {person_id}", "They may have been erased already.")
    mine = sorted(models.Identity.objects.filter(person=subject.person).values_list("subject", flat=True))
    texts = [
        f"{i.namespace}:{i.value}"
        for part in bulk.parts(mine)
        for i in models.Identifier.objects.filter(subject__in=part)
    ]
    forget(mine, ())
    return Erased(tuple(mine), tuple(sorted(texts)))


def forget(subjects: Sequence[int], identifiers: Sequence[str]) -> int:
    """Remove these subjects, whole persons or a part of one, and what others' traits quote of their identifiers.

    Whoever is left of a person stays one by the edges that are left. Gives the rows removed or changed.
    """
    n = 0
    found = traces.of(identifiers)
    with writing.change() as number:
        persons = set()
        for part in bulk.parts(sorted(subjects)):
            persons |= set(models.Identity.objects.filter(subject__in=part).values_list("person", flat=True))
            for rows in (
                models.Edge.objects.filter(Q(a__in=part) | Q(b__in=part)),
                models.Holding.objects.filter(device__in=part),
                models.Trait.objects.filter(subject__in=part),
                models.Score.objects.filter(person__in=part),
                models.NameTerm.objects.filter(person__in=part),
                models.Person.objects.filter(id__in=part),
                models.Identifier.objects.filter(subject__in=part),
                models.Identity.objects.filter(subject__in=part),
            ):
                n += rows.delete()[0]
        left = [components.split(person, number) for person in sorted(persons)]
        n += _unquote(found, number)
    profiles.refresh(np.concatenate([graph.as_subjects(sorted(persons)), *left]))
    identity.discard()
    return n


def _unquote(found: traces.Traces, number: int) -> int:
    """Make their identifiers unreadable where somebody else's trait quotes them."""
    if not found:
        return 0
    near = models.Trait.objects.filter(may_name(found, "value"))
    n = 0
    changed = set()
    for trait in [row for row in near.iterator() if found.found_in(row.value)]:
        mine = models.Trait.objects.filter(subject=trait.subject, name=trait.name, origin=trait.origin)
        n += mine.update(value=found.without(trait.value))
        changed.add(trait.subject)
    if changed:
        theirs = identity.people_for(graph.as_subjects(sorted(changed)))
        writing.touch(graph.as_subjects(sorted(set(theirs["person"].to_pylist()))), number)
    return n
