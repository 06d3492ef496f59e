"""Questions to the log: what happened, what was refused, how the loader and the subscribers fare."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport.events import lake, loader, plan, spool, subscriptions, upkeep
from rapport.events.models import Cursor, Quarantined
from rapport.kit import clock, process, query
from rapport.kit.errors import NotFound

PAGE = 50


@dataclass(frozen=True, slots=True)
class EventRow:
    """One event as a list shows it."""

    seq: int
    ts: dt.datetime
    received_at: dt.datetime
    subject: int
    identifier: str | None
    name: str
    source: str
    channel: str | None
    venue: str | None
    text: str | None
    value_minor: int | None
    currency: str | None
    properties: str | None


@dataclass(frozen=True, slots=True)
class Filter:
    """Which events a list shows; None means any."""

    name: str | None = None
    origin: str | None = None  # the source
    channel: str | None = None
    subject: int | None = None
    first_ts: dt.datetime | None = None
    until_ts: dt.datetime | None = None
    first_seq: int | None = None
    last_seq: int | None = None
    annotation: str | None = None
    label: str | None = None


def events_page(
    chosen: Filter, *, before: tuple[dt.datetime, int] | None = None, limit: int = PAGE
) -> list[EventRow]:
    """Events newest first; `before` is the (ts, seq) of the last one already shown."""
    con = lake.connect()
    try:
        rows = query.run(
            con,
            query.load("rapport.events", "page"),
            {
                **dataclasses.asdict(chosen),
                "before_ts": before[0] if before else None,
                "before_seq": before[1] if before else None,
                "limit": limit,
            },
        ).fetchall()
    finally:
        con.close()
    return [EventRow(*row) for row in rows]


def daily(
    first_day: dt.date, last_day: dt.date, names: Sequence[str] | None = None
) -> list[tuple[dt.date, str, int, int]]:
    """(day, name, events, value in minor units) for every day and name with any."""
    return _rows("daily", first_day=first_day, last_day=last_day, names=list(names) if names else None)


def names() -> list[tuple[str, int, dt.datetime, dt.datetime, int]]:
    """(name, events, first, last, sources) of every event name seen, most frequent first."""
    return _rows("names")


def unknown_names() -> list[tuple[str, int]]:
    """Event names that arrive and are not in the plan, with how often."""
    known = plan.current()
    return [(row[0], row[1]) for row in names() if row[0] not in known]


def batch(batch_id: str) -> dict[str, int]:
    """What became of an import's rows: n_read, n_accepted, n_duplicate, n_quarantined, n_left_out, first_seq, last_seq.

    Left out is what names somebody who was erased.
    """
    (row,) = _rows("batch", batch=batch_id)
    keys = ("n_read", "n_accepted", "n_duplicate", "n_quarantined", "n_left_out", "first_seq", "last_seq")
    return {key: int(value or 0) for key, value in zip(keys, row, strict=True)}


# Quarantine


@dataclass(frozen=True, slots=True)
class QuarantineRow:
    """One refusal as a screen shows it."""

    key: uuid.UUID
    source: str
    batch: str
    kind: str
    body: str
    reason: str
    field: str
    message: str
    received_at: dt.datetime
    state: str
    resolved_at: dt.datetime | None
    resolved_by: str


_QUARANTINE_FIELDS = tuple(QuarantineRow.__dataclass_fields__)


def quarantine_page(
    *,
    reason: str = "",
    batch_id: str = "",
    state: str = Quarantined.State.WAITING,
    before: tuple[dt.datetime, uuid.UUID] | None = None,
    limit: int = PAGE,
) -> list[QuarantineRow]:
    """Refusals newest first; `before` is the (received_at, key) of the last one already shown."""
    from django.db.models import Q

    rows = Quarantined.objects.filter(state=state)
    if reason:
        rows = rows.filter(reason=reason)
    if batch_id:
        rows = rows.filter(batch=batch_id)
    if before:
        rows = rows.filter(Q(received_at__lt=before[0]) | Q(received_at=before[0], key__gt=before[1]))
    found = rows.order_by("-received_at", "key").values_list(*_QUARANTINE_FIELDS)[:limit]
    return [QuarantineRow(*row) for row in found]


def quarantined(key: uuid.UUID) -> QuarantineRow:
    """One refusal, or NotFound."""
    row = Quarantined.objects.filter(key=key).values_list(*_QUARANTINE_FIELDS).first()
    if row is None:
        raise NotFound(f"there is nothing in quarantine under {key}", "It may have been erased.")
    return QuarantineRow(*row)


def quarantine_counts(state: str = Quarantined.State.WAITING) -> dict[str, int]:
    """How many refusals there are, by reason, most frequent first."""
    from django.db.models import Count

    rows = Quarantined.objects.filter(state=state).values_list("reason").annotate(n=Count("key"))
    return dict(sorted(rows, key=lambda r: (-r[1], r[0])))


# How it fares


@dataclass(frozen=True, slots=True)
class LogState:
    """Where the log stands."""

    next_seq: int
    loaded_seq: int
    waiting: int  # events accepted and not yet in the lake
    oldest_waiting_at: dt.datetime | None
    loader_runs: bool
    spool_bytes: int
    lake_bytes: int
    lake_files: int
    small_files: int
    quarantine_waiting: int


@dataclass(frozen=True, slots=True)
class SubscriberState:
    """Where a subscriber stands."""

    key: str
    seq: int
    lag: int  # events between it and the lake's head
    updated_at: dt.datetime | None
    error: str
    failing_since: dt.datetime | None


def log_state() -> LogState:
    """Numbers for the health page, `doctor` and /metrics."""
    box = spool.current()
    con = lake.connect()
    try:
        loaded = loader.offset(con)
        files, size = con.execute(
            "SELECT count(*), coalesce(sum(file_size_bytes), 0)"
            " FROM __ducklake_metadata_lake.ducklake_data_file WHERE end_snapshot IS NULL"
        ).fetchall()[0]
        small = upkeep.small_files(con)
    finally:
        con.close()
    waiting, oldest = box.waiting(loaded)
    return LogState(
        next_seq=box.next_seq(),
        loaded_seq=loaded,
        waiting=waiting,
        oldest_waiting_at=clock.from_us(oldest) if oldest else None,
        loader_runs=process.held(loader.LOCK),
        spool_bytes=box.total_bytes(),
        lake_bytes=int(size),
        lake_files=int(files),
        small_files=small,
        quarantine_waiting=Quarantined.objects.filter(state=Quarantined.State.WAITING).count(),
    )


def subscriber_states() -> list[SubscriberState]:
    """Every subscriber, furthest behind first."""
    con = lake.connect()
    try:
        head = loader.offset(con)
    finally:
        con.close()
    rows = {c.key: c for c in Cursor.objects.all()}
    states = []
    for key in subscriptions.subscribers():
        row = rows.get(key)
        seq = row.seq if row else 0
        states.append(
            SubscriberState(
                key=key,
                seq=seq,
                lag=max(0, head - seq),
                updated_at=row.updated_at if row else None,
                error=row.error if row else "",
                failing_since=row.failing_since if row else None,
            )
        )
    return sorted(states, key=lambda s: (-s.lag, s.key))


def _rows(name: str, **params: Any) -> list[Any]:
    con = lake.connect()
    try:
        return query.run(con, query.load("rapport.events", name), params).fetchall()
    finally:
        con.close()
