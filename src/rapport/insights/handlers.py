"""The subscriber `insights.annotate`: every text that arrives is read by every model of texts."""

from __future__ import annotations

from rapport.events import subscriptions
from rapport.insights.services import annotate_texts

KEY = "insights.annotate"


def register() -> None:
    """Ask the log for every event that has a text."""
    subscriptions.subscribe(KEY, names=(), handler=on_texts, with_text=True)


def on_texts(batch: subscriptions.Batch) -> None:
    """Annotate the texts of a batch; one given again is annotated once."""
    annotate_texts(batch.events, batch.seq_from, batch.seq_to)
