"""What knowledge does for others: hold texts from outside against the facts, forget and show people's words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import F

from rapport.consent import erasers, exporters
from rapport.events import subscriptions
from rapport.kit import bulk
from rapport.knowledge.models import Entry, Flag, Outcome, Unanswered, Wording
from rapport.knowledge.rules import files
from rapport.knowledge.services import indexing, learning, stating

NAME = "knowledge"
STANDS_ON = ("people",)  # a flag names whose text it is about, so that it goes when they go
HEARD = ("post_published", "post_edited", "message_received")


def register() -> None:
    """Be told of what is said outside; be asked at every erasure and every access."""
    erasers.register(NAME, erase)
    exporters.register(NAME, sections)
    subscriptions.subscribe(NAME, names=HEARD, handler=on_heard)


def on_heard(batch: subscriptions.Batch) -> None:
    """Flag texts that contradict a fact. Only the number of the text is kept; its words stay in the log."""
    if batch.events.num_rows:
        subscriptions.settle(batch.seq_to, STANDS_ON)
        stating.flag(batch.events)


def erase(erasing: erasers.Erasing) -> int:
    """Forget questions, wordings, outcomes and flags of somebody; what was learnt from them is learnt anew."""
    n = _forget_entries(erasing.identifiers)
    for of_theirs in (Wording, Unanswered, Outcome, Flag):
        n += of_theirs.objects.filter(identifier__in=erasing.identifiers).delete()[0]
    if n:
        indexing.changed()
    return n


def _forget_entries(identifiers: Sequence[str]) -> int:
    """Entries that an answer to them began: drafts go; of what staff published since, their words in its title."""
    said = [
        text
        for model, column in ((Outcome, "question"), (Wording, "text"))
        for text in model.objects.filter(identifier__in=identifiers).values_list(column, flat=True)
    ]
    n = 0
    for part in bulk.parts(sorted({text[: files.TITLE_MAX] for text in said})):
        begun = Entry.objects.filter(source=learning.RESOLVED, title__in=part)
        n += begun.filter(state=Entry.State.DRAFT).delete()[0]
        n += begun.update(title=F("key"), title_meaning=None)
    return n


def sections(exporting: exporters.Exporting) -> Iterable[exporters.Section]:
    """Their questions as we keep them."""
    rows = [
        {"question": text, "at": at}
        for model, moment in ((Unanswered, "first_at"), (Outcome, "shown_at"))
        for text, at in model.objects.filter(identifier__in=exporting.identifiers).values_list(
            "question", moment
        )
    ]
    rows += [
        {"question": text}
        for text in Wording.objects.filter(identifier__in=exporting.identifiers).values_list(
            "text", flat=True
        )
    ]
    yield exporters.Section("Questions we learn from", rows, "You said so")
