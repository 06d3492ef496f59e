"""What knowledge does for others: hold texts from outside against the facts, forget and show people's words."""

from __future__ import annotations

from collections.abc import Iterable

from rapport.consent import erasers, exporters
from rapport.events import subscriptions
from rapport.knowledge.models import Outcome, Unanswered, Wording
from rapport.knowledge.services import forgetting, stating

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
    return forgetting.forget_people(erasing.identifiers)


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
