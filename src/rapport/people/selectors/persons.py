"""One person: who they are and why we think so, what is known of them and from where, what models say."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from django.db.models import Q

from rapport.events.rules import DEVICE_NAMESPACES, IDENTIFIER_PATTERN, normal_identifier
from rapport.kit.errors import NotFound
from rapport.people import models
from rapport.people.rules import graph, profile, sensitive, words
from rapport.people.rules.evidence import Weight, from_detail, path
from rapport.people.selectors import rows

EDGES_MAX = 500  # shown of one person
SUBJECTS_MAX = 2_000  # read of one person; a machine that took part under many names has more


@dataclass(frozen=True, slots=True)
class IdentifierView:
    """One identifier of a person."""

    subject: int
    namespace: str
    value: str

    @property
    def text(self) -> str:
        return f"{self.namespace}:{self.value}"


@dataclass(frozen=True, slots=True)
class EdgeView:
    """One assertion that two identifiers are one person, and why."""

    id: int
    a: str
    b: str
    evidence: str
    because: str  # the evidence in words
    certainty: str
    confidence: float
    sure: str  # certainty in words
    at: dt.datetime
    source: str
    state: str
    decided_by: str
    decided_at: dt.datetime | None
    weights: tuple[Weight, ...] = ()  # what a model saw, the strongest first

    @property
    def is_removable(self) -> bool:
        return self.state == graph.ACCEPTED


@dataclass(frozen=True, slots=True)
class TraitView:
    """What one source said of one attribute."""

    name: str
    value: Any  # as JSON has it
    origin: str
    confidence: float | None
    at: dt.datetime
    source: str
    identifier: str

    @property
    def is_sensitive(self) -> bool:
        """Whether it is of a special category: declared, it is kept and shown so, and not reasoned from."""
        return sensitive.category_of(self.name) is not None


@dataclass(frozen=True, slots=True)
class TraitsOf:
    """One attribute: the statement that is believed, and the others."""

    name: str
    chosen: TraitView
    others: tuple[TraitView, ...]


@dataclass(frozen=True, slots=True)
class ScoreView:
    """One figure of a model; stale where it was computed over other identifiers than the person has now."""

    name: str
    value: float
    unit: str
    as_of: dt.datetime
    model: str
    version: str
    low: float | None
    high: float | None
    label: str
    reason: str
    is_stale: bool


@dataclass(frozen=True, slots=True)
class PersonView:
    """Everything the operational store knows of one person."""

    id: int
    kind: str
    display_name: str
    email: str
    country: str
    language: str
    n_identifiers: int
    identifiers: tuple[IdentifierView, ...]
    edges: tuple[EdgeView, ...]
    traits: tuple[TraitsOf, ...]
    scores: tuple[ScoreView, ...]

    @property
    def subjects(self) -> tuple[int, ...]:
        return tuple(i.subject for i in self.identifiers)


@dataclass(frozen=True, slots=True)
class Reason:
    """Why one identifier is this person's: the assertions that lead to it from the one to begin with."""

    identifier: str
    steps: tuple[tuple[str, EdgeView], ...]  # the identifier each assertion leads on to, and the assertion


def begins_with(view: PersonView) -> str:
    """The identifier from which the others are explained: the oldest that is no device."""
    known = [i for i in view.identifiers if i.namespace not in DEVICE_NAMESPACES]
    first = (known or list(view.identifiers))[:1]
    return first[0].text if first else ""


def reasons(view: PersonView) -> tuple[Reason, ...]:
    """How the identifiers of a person hang together, each by the fewest and surest assertions."""
    start = begins_with(view)
    held = {e.id: e for e in view.edges if e.state == graph.ACCEPTED}
    ordered = sorted(held.values(), key=lambda e: (e.certainty != graph.CERTAIN, e.id))
    found = path(start, [(e.id, e.a, e.b) for e in ordered])
    told = []
    for identifier in view.identifiers:
        here, steps = start, []
        for number in found.get(identifier.text, ()):
            edge = held[number]
            here = edge.b if edge.a == here else edge.a
            steps.append((here, edge))
        if steps:
            told.append(Reason(identifier.text, tuple(steps)))
    return tuple(told)


def subject_of(ref: int | str) -> int:
    """The subject that a person id, a subject or `namespace:value` stands for, or NotFound."""
    text = str(ref).strip()
    if text.isdecimal() and len(text) < 19:
        found = models.Identity.objects.filter(subject=int(text)).values_list("subject", flat=True).first()
    elif IDENTIFIER_PATTERN.match(text):
        namespace, _, value = text.partition(":")
        value = normal_identifier(namespace, value).partition(":")[2]
        found = (
            models.Identifier.objects.filter(namespace=namespace, value=value)
            .values_list("subject", flat=True)
            .first()
        )
    else:
        found = None
    if found is None:
        raise NotFound(f"nobody is known as {text!r}", "Write a person's number or namespace:value.")
    return found


def person_id(ref: int | str) -> int:
    """The person that a reference stands for; the number of somebody merged away finds who they are now."""
    found = models.Identity.objects.filter(subject=subject_of(ref)).values_list("person", flat=True).first()
    if found is None:
        raise NotFound(f"nobody is known as {str(ref)!r}", "They are being recorded, or were erased.")
    return found


def subjects_of(person: int) -> list[int]:
    """The subjects of a person, ascending."""
    mine = models.Identity.objects.filter(person=person).order_by("subject")
    return list(mine.values_list("subject", flat=True)[:SUBJECTS_MAX])


def person(ref: int | str) -> PersonView:
    """A person by person id, by any of their subjects or by `namespace:value`."""
    number = person_id(ref)
    row = models.Person.objects.filter(id=number).first()
    if row is None:
        raise NotFound(f"person {number} is being put together", "Try again in a moment.")
    subjects = subjects_of(number)
    identifiers = identifiers_of(subjects)
    texts = {i.subject: i.text for i in identifiers}
    return PersonView(
        id=row.id,
        kind=row.kind,
        display_name=row.display_name,
        email=row.email,
        country=row.country,
        language=row.language,
        n_identifiers=row.n_identifiers,
        identifiers=identifiers,
        edges=_edges(subjects, texts),
        traits=traits_of(subjects, texts),
        scores=scores_of(subjects, row.members),
    )


def identifiers_of(subjects: list[int]) -> tuple[IdentifierView, ...]:
    """The identifiers behind subjects, ascending."""
    found = models.Identifier.objects.filter(subject__in=subjects).order_by("subject")
    return tuple(IdentifierView(i.subject, i.namespace, i.value) for i in found)


def _edges(subjects: list[int], texts: dict[int, str]) -> tuple[EdgeView, ...]:
    """Edges that touch the person: accepted ones, and those proposed, rejected or removed at the rim."""
    found = models.Edge.objects.filter(Q(a__in=subjects) | Q(b__in=subjects)).order_by("id")[:EDGES_MAX]
    edges = list(found)
    beyond = {n for e in edges for n in (e.a, e.b)} - texts.keys()
    texts = texts | {i.subject: i.text for i in identifiers_of(list(beyond))}
    return tuple(edge_view(e, texts) for e in edges)


def edge_view(edge: models.Edge, texts: dict[int, str]) -> EdgeView:
    """An edge in words; `texts` has the identifiers of its ends."""
    return EdgeView(
        id=edge.pk,
        a=texts.get(edge.a, str(edge.a)),
        b=texts.get(edge.b, str(edge.b)),
        evidence=edge.evidence,
        because=words.because(edge.evidence),
        certainty=edge.certainty,
        confidence=edge.confidence,
        sure=words.sure(edge.certainty, edge.confidence),
        at=edge.asserted_at,
        source=edge.source,
        state=edge.state,
        decided_by=edge.decided_by,
        decided_at=edge.decided_at,
        weights=from_detail(edge.detail),
    )


_TRAIT = pa.schema([*profile.TRAIT, ("source", pa.string())])


def traits_of(subjects: list[int], texts: dict[int, str]) -> tuple[TraitsOf, ...]:
    """Every attribute that was stated of these subjects: what is believed, and the others."""
    told = rows.of("trait", _TRAIT, "subject", graph.as_subjects(subjects))
    told = told.sort_by([("name", "ascending"), ("at", "descending"), ("seq", "descending")])
    believed = set(profile.chosen(np.zeros(told.num_rows, dtype=np.int64), told).tolist())
    chosen: dict[str, TraitView] = {}
    others: dict[str, list[TraitView]] = {}
    for at, row in enumerate(told.to_pylist()):
        view = TraitView(
            name=row["name"],
            value=json.loads(row["value"]),
            origin=row["origin"],
            confidence=row["confidence"],
            at=row["at"],
            source=row["source"],
            identifier=texts.get(row["subject"], ""),
        )
        if at in believed:
            chosen[view.name] = view
        else:
            others.setdefault(view.name, []).append(view)
    return tuple(TraitsOf(name, view, tuple(others.get(name, ()))) for name, view in sorted(chosen.items()))


def scores_of(subjects: list[int], members: int | None = None) -> tuple[ScoreView, ...]:
    """Per name the score over the person's present subjects, else the newest of any part of them."""
    found = models.Score.objects.filter(person__in=subjects)
    best: dict[str, models.Score] = {}
    for score in sorted(found, key=lambda s: (s.members == members, s.as_of, -s.person)):
        best[score.name] = score
    return tuple(score_view(s, members) for _, s in sorted(best.items()))


def score_view(score: models.Score, members: int | None = None) -> ScoreView:
    """One score as it is read; stale where it is not over these members."""
    return ScoreView(
        name=score.name,
        value=score.value,
        unit=score.unit,
        as_of=score.as_of,
        model=score.model,
        version=score.version,
        low=score.low,
        high=score.high,
        label=score.label,
        reason=score.reason,
        is_stale=members is not None and score.members != members,
    )
