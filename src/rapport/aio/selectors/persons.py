"""What is stated of one person: the sums of their identifiers, judged; what they said of it comes first."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from django.db.models import Q

from rapport.aio import rules
from rapport.aio.models import Statement, Word
from rapport.aio.selectors.titles import titled, titles
from rapport.consent import selectors as consent
from rapport.kit import bulk
from rapport.people import selectors as people
from rapport.people.rules.graph import as_subjects

PURPOSE = "profiling"  # an estimate about a person
TEXTS_PURPOSE = "analytics"  # that models of texts read for; who refuses it is not read
BY_PERSON = "person"  # who says something of their own statement

# Rows that rest on what somebody wrote; a quotation could not hold this part of its own, for JSON escapes its marks.
FROM_TEXTS = Q(origin=rules.INFERRED) | Q(evidence__contains='"how":"said"')


@dataclass(frozen=True, slots=True)
class StatementView:
    """One statement: what it is about, how they stand, how sure that is, and what shows it."""

    kind: str
    about: str
    title: str
    value: float  # stance in [-1, 1]; affinity in [0, 1], where 0.5 is what everybody has
    low: float
    high: float
    label: str  # for, against, indifferent, interested
    n: int  # texts, answers, or weeks in which it was shown
    evidence: tuple[rules.Evidence, ...]
    origin: str  # declared, observed, inferred
    state: str  # stands, said_wrong, corrected
    made_at: dt.datetime
    version: str
    trend: float | None = None  # stance of the last 90 days less that of before
    made_by: str = ""  # who called it wrong, or put it right


def of_person(person: int) -> list[StatementView]:
    """What is stated of a person now, and what they said of it; nothing of a public author.

    Of whoever refuses estimates only what they called wrong or put right themselves.
    """
    return of_subjects(people.subjects_of(person))


def of_subjects(subjects: Sequence[int]) -> list[StatementView]:
    """The same, of whoever these subjects are together, and may be read."""
    known = _of_known(subjects)
    allowed = consent.only_allowed(as_subjects(known), PURPOSE).tolist() if known else []
    readable = consent.only_allowed(as_subjects(allowed), TEXTS_PURPOSE).tolist() if allowed else []
    return _views(allowed, readable, known)


def _of_known(subjects: Sequence[int]) -> list[int]:
    """Those of the subjects that belong to a person we know: of public authors and visitors nothing is stated."""
    found = people.people_for(as_subjects(list(subjects)))
    persons = sorted(set(found["person"].to_pylist()))
    kinds = {p.id: p.kind for p in people.person_rows(persons)} if persons else {}
    return [
        s
        for s, p in zip(found["subject"].to_pylist(), found["person"].to_pylist(), strict=True)
        if kinds.get(p) == "person"
    ]


def _views(allowed: Sequence[int], readable: Sequence[int], said_by: Sequence[int]) -> list[StatementView]:
    named = titles()
    words = {(w.kind, w.about): w for w in _words(said_by)}
    grouped: dict[tuple[str, str, str], list[Statement]] = {}
    for row in _rows(allowed, readable):
        grouped.setdefault((row.kind, row.about, row.origin), []).append(row)
    believed: dict[tuple[str, str], StatementView] = {}
    for (kind, about, origin), found in grouped.items():
        view = _view(kind, about, origin, found, named)
        before = believed.get((kind, about))
        if view is not None and (before is None or _rank(view) > _rank(before)):
            believed[kind, about] = view
    for (kind, about), word in words.items():
        believed[kind, about] = _said(word, named)
    order = {kind: n for n, kind in enumerate((rules.INTEREST, rules.ATTITUDE, rules.OPINION))}
    return sorted(
        believed.values(),
        key=lambda v: (order[v.kind], v.state == rules.SAID_WRONG, -_rank(v), -abs(v.value), v.about),
    )


def _rank(view: StatementView) -> int:
    return rules.ORIGINS.index(view.origin)


def _rows(allowed: Sequence[int], readable: Sequence[int]) -> Iterable[Statement]:
    """Of whoever is not to be read, only what does not rest on texts."""
    for part in bulk.parts(list(readable)):
        yield from Statement.objects.filter(subject__in=part)
    for part in bulk.parts(sorted(set(allowed) - set(readable))):
        yield from Statement.objects.filter(subject__in=part).exclude(FROM_TEXTS)


def _words(subjects: Sequence[int]) -> list[Word]:
    found = [w for part in bulk.parts(list(subjects)) for w in Word.objects.filter(subject__in=part)]
    return in_order(found)


def in_order(words: Iterable[Word]) -> list[Word]:
    """The last of one statement is what counts: the newest, and the person's own before what staff say."""
    return sorted(words, key=lambda w: (w.made_by == BY_PERSON, w.made_at))


def _view(
    kind: str, about: str, origin: str, found: Sequence[Statement], named: dict[tuple[str, str], str]
) -> StatementView | None:
    """The rows of one person together, judged; None where what is left of them is not enough."""
    sums = rules.Sums(
        *(
            np.asarray(
                [
                    max(getattr(r, name) for r in found)
                    if name == "share"
                    else sum(getattr(r, name) for r in found)
                ],
                np.float64,
            )
            for name in rules.Sums.__dataclass_fields__
        )
    )
    judged = rules.judged(sums, kind, origin)
    if not bool(judged.suffices[0]):
        return None
    trend = float(rules.trend(sums)[0])
    value = float(judged.value[0])
    shown = [one for row in found for one in rules.evidence_from(row.evidence)]
    newest = max(found, key=lambda row: row.made_at)
    return StatementView(
        kind=kind,
        about=about,
        title=named.get((kind, about), titled(about)),
        value=value,
        low=float(judged.low[0]),
        high=float(judged.high[0]),
        label=rules.label_of(kind, value),
        n=int(sums.n[0]),
        evidence=tuple(sorted(shown, key=lambda one: one.at, reverse=True)[: rules.EVIDENCE_MAX]),
        origin=origin,
        state=rules.STANDS,
        made_at=newest.made_at,
        version=newest.version,
        trend=None if math.isnan(trend) or kind == rules.INTEREST else trend,
    )


def _said(word: Word, named: dict[tuple[str, str], str]) -> StatementView:
    value = word.value if word.value is not None else 0.0
    return StatementView(
        kind=word.kind,
        about=word.about,
        title=named.get((word.kind, word.about), titled(word.about)),
        value=value,
        low=value,
        high=value,
        label=rules.label_of(word.kind, value) if word.state == rules.CORRECTED else "",
        n=0,
        evidence=(),
        origin=rules.DECLARED,
        state=word.state,
        made_at=word.made_at,
        version="",
        made_by=word.made_by,
    )
