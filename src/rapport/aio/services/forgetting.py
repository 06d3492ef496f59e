"""Forgetting statements: of who refuses, of who is erased, of what was called wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
from django.db.models import Q

from rapport.aio.models import Statement, Word
from rapport.consent import selectors as consent
from rapport.events import traces
from rapport.kit import bulk
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.rules.graph import Subjects, as_subjects, is_in
from rapport.people.selectors import rows

MODEL = "aio"
PURPOSE = "profiling"


def forget_refused(refused: pa.Table) -> int:
    """Drop every statement of these subjects, and the scores that rest on them; what they called wrong stays."""
    return _forget(np.unique(rows.numbers(refused, "subject")))


def on_refusal(subjects: Subjects) -> int:
    """Somebody has refused something: drop what may no longer be stated of them, at once."""
    everyone = np.unique(rows.numbers(people.with_their_cores(as_subjects(subjects)), "subject"))
    allowed = np.unique(consent.only_allowed(everyone, PURPOSE))
    return _forget(everyone[~is_in(everyone, allowed)])


def _forget(subjects: Subjects) -> int:
    if subjects.size == 0:
        return 0
    n = 0
    for part in bulk.parts(subjects.tolist()):
        n += Statement.objects.filter(subject__in=part).delete()[0]
    people_services.drop_scores(subjects, MODEL)
    return n


def forget_said_wrong(since: dt.datetime) -> int:
    """Drop what was called wrong while statements were being worked out."""
    n = 0
    for word in Word.objects.filter(made_at__gte=since):
        n += drop(word.subject, word.kind, word.about)
    return n


def drop(subject: int, kind: str, about: str) -> int:
    """Drop one statement of everybody this subject is joined with."""
    person = int(rows.numbers(people.people_for(as_subjects([subject])), "person")[0]) if subject else 0
    mine = people.subjects_of(person) if person else [subject]
    return Statement.objects.filter(subject__in=list(mine), kind=kind, about=about).delete()[0]


def erase(subjects: Sequence[int], identifiers: Sequence[str]) -> int:
    """Leave no row of these subjects, and nobody else's quotation that names one of their identifiers."""
    n = 0
    for part in bulk.parts(sorted(subjects)):
        n += Statement.objects.filter(subject__in=part).delete()[0]
        n += Word.objects.filter(subject__in=part).delete()[0]
    return n + _unquote(traces.of(identifiers))


def _unquote(found: traces.Traces) -> int:
    quoting = Q()
    for text in found.shortest:
        quoting |= Q(evidence__icontains=text)
    if not quoting:
        return 0
    n = 0
    for row in Statement.objects.filter(quoting):
        if found.found_in(row.evidence):
            n += Statement.objects.filter(
                subject=row.subject, kind=row.kind, about=row.about, origin=row.origin
            ).update(evidence=found.without(row.evidence))
    return n
