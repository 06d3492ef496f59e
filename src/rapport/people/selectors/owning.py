"""What is certainly somebody's own: read over certain edges alone.

A person is shown what we know of them on the strength of a link to one of their identifiers. Over an edge
that is only probable, that could be somebody else's.
"""

from __future__ import annotations

from dataclasses import dataclass

from rapport.people import models
from rapport.people.rules import graph
from rapport.people.selectors import persons
from rapport.people.selectors.cores import core_subjects

CERTAIN = "certain"


@dataclass(frozen=True, slots=True)
class OwnView:
    """Everything the operational store knows of whoever certainly holds an identifier."""

    subjects: tuple[int, ...]
    identifiers: tuple[persons.IdentifierView, ...]
    edges: tuple[persons.EdgeView, ...]  # why these identifiers are held to be one's
    traits: tuple[persons.TraitsOf, ...]
    scores: tuple[persons.ScoreView, ...]


def own(ref: int | str) -> OwnView:
    """What is certainly of the one behind a subject or `namespace:value`; NotFound where there is nobody."""
    subject = persons.subject_of(ref)
    subjects = core_subjects(subject) or [subject]
    identifiers = persons.identifiers_of(subjects)
    texts = {i.subject: i.text for i in identifiers}
    inside = models.Edge.objects.filter(
        a__in=subjects, b__in=subjects, state=graph.ACCEPTED, certainty=CERTAIN
    ).order_by("id")[: persons.EDGES_MAX]
    return OwnView(
        subjects=tuple(subjects),
        identifiers=identifiers,
        edges=tuple(persons.edge_view(edge, texts) for edge in inside),
        traits=persons.traits_of(subjects, texts),
        scores=persons.scores_of(subjects),
    )
