"""What analysts see of consent: every answer with its evidence, as rows beside events and people."""

from __future__ import annotations

import pyarrow as pa

from rapport.consent.selectors.holding import TIME
from rapport.people import selectors as people

CONSENT = pa.schema(
    [
        ("subject", pa.int64()),
        ("purpose", pa.string()),
        ("channel", pa.string()),
        ("state", pa.string()),
        ("stated_at", TIME),
        ("expires_at", TIME),
        ("how", pa.string()),
        ("shown", pa.string()),
        ("wording", pa.string()),
        ("source", pa.string()),
        ("seq", pa.int64()),
    ]
)


def register() -> None:
    """Offer the ledger to `rapport sql` as `consent`."""
    people.offer("consent", "consent_record", CONSENT)
