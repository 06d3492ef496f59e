"""Pairs that a model holds to be one person and that wait for a reviewer."""

from __future__ import annotations

from dataclasses import dataclass

from rapport.people import models
from rapport.people.rules import graph
from rapport.people.selectors.heads import PersonRow, person_rows
from rapport.people.selectors.persons import EdgeView, edge_view

PAGE = 50
COUNT_MAX = 1_000  # beyond this a screen says "more than"


@dataclass(frozen=True, slots=True)
class Proposal:
    """One pair, with the two people as they are now."""

    edge: EdgeView
    a: PersonRow
    b: PersonRow


def proposals(after: int = 0, limit: int = PAGE) -> list[Proposal]:
    """Proposed pairs, the oldest first; `after` is the id of the last one shown."""
    waiting = models.Edge.objects.filter(state=graph.PROPOSED, id__gt=after).order_by("id")[:limit]
    edges = list(waiting)
    ends = {n for e in edges for n in (e.a, e.b)}
    texts = {
        i.subject: f"{i.namespace}:{i.value}" for i in models.Identifier.objects.filter(subject__in=ends)
    }
    person_of = dict(models.Identity.objects.filter(subject__in=ends).values_list("subject", "person"))
    people = {row.id: row for row in person_rows(person_of.values())}
    found = []
    for edge in edges:
        a, b = (people.get(person_of.get(end, -1)) for end in (edge.a, edge.b))
        if a is not None and b is not None:
            found.append(Proposal(edge_view(edge, texts), a, b))
    return found


def n_proposals() -> int:
    """How many pairs wait, counted up to COUNT_MAX."""
    return models.Edge.objects.filter(state=graph.PROPOSED)[:COUNT_MAX].count()
