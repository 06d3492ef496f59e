"""Forgetting questions: with whoever asked them, and with the texts that they were made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pyarrow as pa
from django.db import transaction
from django.db.models import F, Q

from rapport.events import lake
from rapport.kit import bulk, query
from rapport.knowledge.models import Entry, Flag, Heard, Outcome, Unanswered, Wording
from rapport.knowledge.rules import files
from rapport.knowledge.services import indexing, learning


def forget_people(identifiers: Collection[str]) -> int:
    """Forget questions, wordings, outcomes and flags of somebody; gives how many rows."""
    n = 0
    with transaction.atomic():
        for part in bulk.parts(list(identifiers)):
            theirs = Heard.objects.filter(identifier__in=part)
            wordings = Wording.objects.filter(_of(theirs, "wording") | Q(identifier__in=part))
            unanswered = Unanswered.objects.filter(_of(theirs, "unanswered") | Q(identifier__in=part))
            outcomes = Outcome.objects.filter(_of(theirs, "outcome") | Q(identifier__in=part))
            n += _forget_entries([*_texts(outcomes, "question"), *_texts(wordings, "text")])
            for rows in (wordings, unanswered, outcomes):
                numbers = list(rows.values_list("pk", flat=True))
                rows.model.objects.filter(pk__in=numbers).delete()
                n += len(numbers)
            n += Flag.objects.filter(identifier__in=part).delete()[0]
        if n:
            indexing.changed()
    return n


def forget_texts(seqs: Collection[int]) -> int:
    """Forget what was made of these texts: they were taken back, changed, or kept long enough; gives how many rows.

    How proposals fared stays, without the question; so what is reckoned from it does not change with a deletion.
    """
    n = 0
    with transaction.atomic():
        for part in bulk.parts(sorted(seqs)):
            taken = Heard.objects.filter(seq__in=part)
            wordings = Wording.objects.filter(_of(taken, "wording"))
            unanswered = Unanswered.objects.filter(_of(taken, "unanswered"))
            outcomes = Outcome.objects.filter(_of(taken, "outcome"))
            n += _forget_entries([*_texts(outcomes, "question"), *_texts(wordings, "text")])
            emptied = list(outcomes.values_list("pk", flat=True))
            n += Outcome.objects.filter(pk__in=emptied).update(question="", identifier="")
            for rows in (wordings, unanswered):
                numbers = list(rows.values_list("pk", flat=True))
                rows.model.objects.filter(pk__in=numbers).delete()
                n += len(numbers)
            taken.delete()
            n += Flag.objects.filter(seq__in=part).delete()[0]
        if n:
            indexing.changed()
    return n


def forget_gone() -> int:
    """Forget what was made of texts that the log no longer has, whatever took them out of it; gives how many rows."""
    kept = sorted(set(Heard.objects.values_list("seq", flat=True)))
    if not kept:
        return 0
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "kept", pa.table({"seq": pa.array(kept, pa.int64())}))
            found = query.run(con, query.load("rapport.knowledge", "gone_texts")).fetchall()
    finally:
        con.close()
    return forget_texts([seq for (seq,) in found])


def _of(heard: Any, name: str) -> Q:
    return Q(pk__in=heard.exclude(**{name: None}).values(name))


def _texts(rows: Any, column: str) -> list[str]:
    return list(rows.values_list(column, flat=True))


def _forget_entries(said: Iterable[str]) -> int:
    """Entries that an answer to them began: drafts go; of what staff published since, their words in its title."""
    n = 0
    for part in bulk.parts(sorted({text[: files.TITLE_MAX] for text in said if text})):
        begun = Entry.objects.filter(source=learning.RESOLVED, title__in=part)
        n += begun.filter(state=Entry.State.DRAFT).delete()[0]
        n += begun.update(title=F("key"), title_meaning=None)
    return n
