"""Rows into the ledger, each stamped with the number of its change, and never one twice."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection, transaction

from rapport.consent.selectors import holding
from rapport.kit import bulk, clock

SLICE_ROWS = 2_000  # as in kit.bulk: a slice of this size holds the write lock for well under 50 ms


def event_id(source: str, message_id: str) -> uuid.UUID:
    """The id that the log gives a touchpoint of a source."""
    return uuid.UUID(hashlib.md5(f"{source}\x1f{message_id}".encode(), usedforsecurity=False).hexdigest())


@contextmanager
def change() -> Iterator[int]:
    """One transaction with its own number; the counter's row makes writers wait for one another."""
    with transaction.atomic():
        yield holding.CHANGES.next()


RECORD = (
    "id",
    "subject",
    "identifier",
    "purpose",
    "channel",
    "state",
    "stated_at",
    "expires_at",
    "how",
    "shown",
    "wording",
    "source",
    "seq",
)
PREFERENCE = ("id", "subject", "identifier", "name", "value", "stated_at", "source", "seq")

# An answer that was written before the log had numbered who gave it gets its number; nothing else changes.
_NUMBERED = ("subject", "identifier", "seq")


def records(rows: Iterable[Sequence[Any]]) -> int:
    """Add rows in the order of RECORD; one that is there already stays as it is. Gives the rows sent."""
    iterator, sent = iter(rows), 0
    while part := list(itertools.islice(iterator, SLICE_ROWS)):
        if sent and not connection.in_atomic_block:
            clock.sleep(bulk.PAUSE_S)
        with change() as number:
            bulk.upsert(
                "consent_record",
                [*RECORD, "changed_seq"],
                ((*row, number) for row in part),
                conflict=("id",),
                update=(*_NUMBERED, "changed_seq"),
                where="consent_record.subject IS NULL AND excluded.subject IS NOT NULL",
            )
        sent += len(part)
    return sent


def preferences(rows: Iterable[Sequence[Any]]) -> int:
    """Add rows in the order of PREFERENCE; one that is there already stays as it is."""
    return bulk.upsert(
        "consent_preference",
        PREFERENCE,
        rows,
        conflict=("id",),
        update=_NUMBERED,
        where="consent_preference.subject IS NULL AND excluded.subject IS NOT NULL",
    )


def tuples(table: pa.Table) -> Iterable[tuple[Any, ...]]:
    """Rows of Arrow as the driver takes them."""
    return zip(*[_bound(table[name]) for name in table.column_names], strict=True)


def _bound(column: pa.ChunkedArray) -> list[Any]:
    if pa.types.is_timestamp(column.type) and connection.vendor == "sqlite":
        # As Django writes them, whose comparisons this text must sort under: no fraction where it is zero.
        text = pc.strftime(column, "%Y-%m-%d %H:%M:%S")
        return list(pc.replace_substring_regex(text, r"\.0+$", "").to_pylist())
    return list(column.to_pylist())
