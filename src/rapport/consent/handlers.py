"""The subscriber `consent`: what people allowed, refused or wished, however it was said, into the ledger.

Keyed by the event, so a batch given twice changes nothing, and what our own services have already put in
force is found there.
"""

from __future__ import annotations

import pyarrow as pa

from rapport.consent.models import Purpose
from rapport.consent.services import writing
from rapport.events import lake, subscriptions
from rapport.kit import query

KEY = "consent"
NAMES = ("consent_granted", "consent_denied", "consent_withdrawn", "preference_stated")


def register() -> None:
    """Ask the log for what people say about the use of their data."""
    subscriptions.subscribe(KEY, names=NAMES, handler=on_batch)


def on_batch(batch: subscriptions.Batch) -> None:
    """Bring ledger and wishes up to this batch."""
    if batch.events.num_rows == 0:
        return
    lives = [(p.key, p.expires_days) for p in Purpose.objects.filter(expires_days__isnull=False)]
    life = pa.table(
        {
            "purpose": pa.array([k for k, _ in lives], pa.string()),
            "days": pa.array([d for _, d in lives], pa.int64()),
        }
    )
    with lake.scratch() as con:
        con.register("event", batch.events)
        con.register("life", life)
        said = query.run(con, query.load("rapport.consent", "said")).to_arrow_table()
        wished = query.run(con, query.load("rapport.consent", "wished")).to_arrow_table()
    writing.records(writing.tuples(said))
    writing.preferences(writing.tuples(wished))
