"""Forget a person: every row of theirs in the operational store."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Q

from rapport.kit.errors import NotFound
from rapport.people import models
from rapport.people.selectors import identity
from rapport.people.services import writing


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
    with writing.change():
        mine = list(models.Identity.objects.filter(person=subject.person).values_list("subject", flat=True))
        texts = [f"{i.namespace}:{i.value}" for i in models.Identifier.objects.filter(subject__in=mine)]
        models.Edge.objects.filter(Q(a__in=mine) | Q(b__in=mine)).delete()
        models.Trait.objects.filter(subject__in=mine).delete()
        models.Score.objects.filter(person__in=mine).delete()
        models.NameTerm.objects.filter(person__in=mine).delete()
        models.Person.objects.filter(id__in=mine).delete()
        models.Identifier.objects.filter(subject__in=mine).delete()
        models.Identity.objects.filter(subject__in=mine).delete()
    identity.discard()
    return Erased(tuple(sorted(mine)), tuple(sorted(texts)))
