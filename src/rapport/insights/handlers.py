"""Subscribers: every text that arrives is read by every model of texts; who refuses loses their scores."""

from __future__ import annotations

from rapport.consent import erasers, exporters
from rapport.events import subscriptions
from rapport.insights.services import annotate_texts, forgetting, permitting
from rapport.insights.services.reading import KEY
from rapport.people.selectors import rows

REFUSALS = "insights.refusals"
STANDS_ON = (
    "people",
    "consent",
)  # subscribers: no text is read before it is known whose it is and what they said


def register() -> None:
    """Ask the log for every event that has a text; take part in erasing and in showing everything."""
    erasers.register("corrections and labelled texts", forgetting.erase, while_known=forgetting.erase_words)
    exporters.register("corrections", forgetting.sections)
    subscriptions.subscribe(KEY, names=(), handler=on_texts, with_text=True)
    subscriptions.subscribe(REFUSALS, names=("consent_denied", "consent_withdrawn"), handler=on_refusals)


def on_texts(batch: subscriptions.Batch) -> None:
    """Annotate the texts of a batch; one given again is annotated once."""
    subscriptions.settle(batch.seq_to, STANDS_ON)
    annotate_texts(batch.events, batch.seq_from, batch.seq_to)


def on_refusals(batch: subscriptions.Batch) -> None:
    """Drop scores of whoever refused what their models are for."""
    if batch.events.num_rows:
        subscriptions.settle(batch.seq_to, STANDS_ON)
        permitting.on_refusal(rows.numbers(batch.events, "subject"))
