"""Whom a notice concerns: those with an order that may not have arrived yet.

Nothing tells us that a parcel has arrived. An order therefore counts as open for OPEN_DAYS after it was placed,
unless it was refunded; a notice may name its own first and last day instead.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.events import lake
from rapport.kit import clock, query
from rapport.kit.errors import NotFound
from rapport.knowledge.models import Notice

OPEN_DAYS = 14


@dataclass(frozen=True, slots=True)
class Affected:
    """One identifier with an open order that a notice concerns, and that order."""

    subject: int
    identifier: str
    order_id: str
    ordered_at: dt.datetime


def window(row: Notice) -> tuple[dt.datetime, dt.datetime]:
    """From when to when an order was placed for a notice to concern it."""
    now = clock.now()
    return row.ordered_from or now - dt.timedelta(days=OPEN_DAYS), row.ordered_until or now


def affected(slug: str) -> list[Affected]:
    """Whom a notice concerns, one row an identifier: it is theirs that the order came by."""
    row = Notice.objects.filter(slug=slug).first()
    if row is None:
        raise NotFound(f"there is no notice {slug!r}", "The list of notices has them all.")
    since, until = window(row)
    con = lake.connect()
    try:
        found = query.run(
            con,
            query.load("rapport.knowledge", "open_orders"),
            {
                "since": since,
                "until": until,
                "countries": [c.upper() for c in row.countries],
                "products": row.products,
            },
        ).fetchall()
    finally:
        con.close()
    return [
        Affected(subject, identifier, order or "", at) for subject, identifier, order, at, _country in found
    ]
