"""What the log, people and sources keep of somebody, shown to them; they lie below consent and know it not."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from rapport.consent import exporters
from rapport.consent.exporters import Exporting, Section
from rapport.consent.models import SubjectRequest
from rapport.events import lake
from rapport.kit import query
from rapport.listening import selectors as listening
from rapport.people import selectors as people


def register() -> None:
    """Tell access and export what lies below; before the sections of the layers above."""
    exporters.register("people", of_people)
    exporters.register("events", of_events)
    exporters.register("requests", of_requests)
    exporters.register("accounts elsewhere", of_accounts)


def everything(ref: int | str) -> dict[str, Any]:
    """All we keep of somebody as one document: every section of every store, each value with its origin."""
    subjects = people.core_subjects(people.subject_of(ref))
    named = people.identifiers_for(subjects)
    exporting = Exporting(tuple(subjects), tuple(named.get(s, "") for s in subjects), tuple(subjects))
    parts = [
        {"store": name, "title": section.title, "origin": section.origin, "rows": section.rows}
        for name, section in exporters.sections(exporting)
    ]
    return {"identifiers": [named[s] for s in subjects if s in named], "sections": parts}


def of_people(exporting: Exporting) -> Iterator[Section]:
    """Identifiers and why they are held to be one's, traits and estimates."""
    if not exporting.subjects:
        return
    mine = people.own(exporting.subjects[0])
    yield Section(
        "Identifiers", [{"identifier": i.text} for i in mine.identifiers], "the sources named below"
    )
    yield Section(
        "Why we hold these to be one person",
        [
            {"one": e.a, "other": e.b, "because": e.because, "at": e.at, "origin": e.source}
            for e in mine.edges
        ],
    )
    told = [t for trait in mine.traits for t in (trait.chosen, *trait.others)]
    yield Section(
        "What we know",
        [{"name": t.name, "value": t.value, "how": t.origin, "at": t.at, "origin": t.source} for t in told],
    )
    yield Section(
        "What we estimate",
        [
            {
                "name": s.name,
                "value": s.value,
                "unit": s.unit,
                "label": s.label,
                "why": s.reason,
                "at": s.as_of,
                "origin": f"{s.model} {s.version}".strip(),
            }
            for s in mine.scores
        ],
    )


def of_events(exporting: Exporting) -> Iterable[Section]:
    """Everything that happened, what models read out of their words, and their visits."""
    con = lake.connect()
    try:
        wanted = np.asarray(exporting.subjects, dtype=np.int64)
        asked = {"subjects": wanted.tolist()}
        yield Section(
            "What happened", _rows(query.run(con, query.load("rapport.consent", "their_events"), asked))
        )
        yield Section(
            "What models read in your words",
            _rows(query.run(con, query.load("rapport.consent", "their_annotations"), asked)),
        )
        yield Section(
            "Visits to our pages",
            _rows(query.run(con, query.load("rapport.consent", "their_sessions"), asked)),
        )
    finally:
        con.close()


def of_requests(exporting: Exporting) -> Iterable[Section]:
    """What they asked of us, and what we answered."""
    rows = SubjectRequest.objects.filter(subject__in=exporting.subjects).order_by("opened_at")
    yield Section(
        "What you asked of us",
        [
            {
                "kind": r.kind,
                "at": r.opened_at,
                "note": r.note,
                "state": r.state,
                "answer": r.answer,
                "closed_at": r.closed_at,
            }
            for r in rows
        ],
        "this installation",
    )


def of_accounts(exporting: Exporting) -> Iterable[Section]:
    """What sources of ours keep to reach them: that they follow us, answers on their way."""
    rows = [
        {"source": k.source, "value": k.value, "at": k.at, "until": k.until}
        for k in listening.kept_of(exporting.identifiers)
    ]
    yield Section("What our accounts elsewhere keep to reach you", rows, "this installation")


def _rows(found: Any) -> list[dict[str, Any]]:
    """Rows without what is empty; what is JSON in the lake is JSON here."""
    names = [column[0] for column in found.description]
    rows = []
    for values in found.fetchall():
        row = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        for name in ("properties", "detail"):
            if isinstance(row.get(name), str):
                row[name] = json.loads(row[name])
        rows.append(row)
    return rows
