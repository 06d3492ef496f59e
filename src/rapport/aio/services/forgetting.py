"""Forgetting statements: of who refuses, of who is erased, of what was called wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from rapport.aio import rules
from rapport.aio.models import Statement, Word
from rapport.aio.selectors.persons import FROM_TEXTS, PURPOSE, TEXTS_PURPOSE
from rapport.consent import selectors as consent
from rapport.events import traces
from rapport.events.quoting import may_name
from rapport.kit import bulk
from rapport.people import selectors as people
from rapport.people import services as people_services
from rapport.people.rules.graph import Subjects, as_subjects, is_in
from rapport.people.selectors import rows

MODEL = "aio"


def forget_refused(refused: pa.Table) -> int:
    """Drop every statement of these subjects, and the scores that rest on them; what they called wrong stays."""
    return _forget(np.unique(rows.numbers(refused, "subject")))


def on_refusal(subjects: Subjects) -> int:
    """Somebody has refused something: drop what may no longer be stated of them, at once."""
    everyone = np.unique(rows.numbers(people.with_their_cores(as_subjects(subjects)), "subject"))
    allowed = np.unique(consent.only_allowed(everyone, PURPOSE))
    readable = np.unique(consent.only_allowed(everyone, TEXTS_PURPOSE))
    return _forget(everyone[~is_in(everyone, allowed)]) + _forget_texts(everyone[~is_in(everyone, readable)])


def forget_unread(refused: pa.Table) -> int:
    """Drop what rests on texts of these subjects, and the scores of it."""
    return _forget_texts(np.unique(rows.numbers(refused, "subject")))


def _forget_texts(subjects: Subjects) -> int:
    n = 0
    named: dict[str, list[int]] = {}
    for part in bulk.parts(subjects.tolist()):
        resting = Statement.objects.filter(FROM_TEXTS, subject__in=part)
        for subject, kind, about in resting.values_list("subject", "kind", "about"):
            named.setdefault(f"{kind}:{about}", []).append(subject)
        n += resting.delete()[0]
    for name, theirs in named.items():
        people_services.drop_scores(as_subjects(theirs), MODEL, name=name)
    return n


def _forget(subjects: Subjects) -> int:
    if subjects.size == 0:
        return 0
    n = 0
    for part in bulk.parts(subjects.tolist()):
        n += Statement.objects.filter(subject__in=part).delete()[0]
    people_services.drop_scores(subjects, MODEL)
    return n


def forget_said_wrong(since: dt.datetime, read_at: dt.datetime) -> int:
    """Drop what was called wrong or put right while statements were being worked out, and the figures of it.

    What was put right before `read_at` has its figure already.
    """
    n = 0
    for word in Word.objects.filter(made_at__gte=since):
        n += drop(word.subject, word.kind, word.about)
        if word.state == rules.SAID_WRONG or word.made_at > read_at:
            drop_score(word.subject, word.kind, word.about)
    return n


def drop_score(subject: int, kind: str, about: str) -> None:
    """Drop the figure of one statement."""
    people_services.drop_scores(as_subjects([subject]), MODEL, name=f"{kind}:{about}")


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
    if not found:
        return 0
    near = Statement.objects.filter(may_name(found, "evidence")).exclude(evidence="[]")
    n = 0
    for row in [row for row in near.iterator() if found.found_in(row.evidence)]:
        mine = Statement.objects.filter(
            subject=row.subject, kind=row.kind, about=row.about, origin=row.origin
        )
        n += mine.update(evidence=found.without(row.evidence))
    return n
