"""Rows of the operational store as Arrow, and the ledger as a Parquet snapshot plus what came since."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rapport.consent.models import Record
from rapport.kit.snapshots import Changes, Snapshots
from rapport.people import selectors as people
from rapport.people.rules.graph import Subjects
from rapport.people.selectors import rows

TIME = pa.timestamp("us", tz="UTC")
LEDGER = pa.schema(
    [
        ("subject", pa.int64()),
        ("purpose", pa.string()),
        ("channel", pa.string()),
        ("state", pa.string()),
        ("at", TIME),
        ("expires_at", TIME),
    ]
)
RENEW_CHANGES = 20_000  # above this many rows since the snapshot the next reader writes a new one
WORDS = ("purpose", "channel", "state")
CHANGES = Changes("consent_watermark")
_SNAPSHOTS = Snapshots("ledger")


def ledger_arrow(purpose: str) -> pa.Table:
    """Every answer ever given about a purpose, in the shape of LEDGER; holds all committed before the call."""
    epoch, present = CHANGES.present()
    held, since = _held(epoch, present, lambda file: _read(file, purpose))
    changed = _since(since)
    if changed.num_rows > RENEW_CHANGES:
        everything, since = _held(epoch, present, _read)
        # Sorted by purpose, so that a question about one reads little of the others.
        renewed = pa.concat_tables([everything, _since(since)]).sort_by("purpose")
        _SNAPSHOTS.write(renewed, epoch, present, use_dictionary=list(WORDS), row_group_size=131_072)
    return pa.concat_tables([held, _of(changed, purpose), _of(_waiting(), purpose)])


def ledger_of(purpose: str, subjects: Subjects) -> pa.Table:
    """The answers of a few subjects about a purpose, in the shape of LEDGER."""
    sql = f"SELECT {_columns()} FROM consent_record WHERE purpose = %s AND {rows.among('subject')}"
    found = rows.table(sql, LEDGER, [purpose, rows.listed(subjects)])
    return pa.concat_tables([found, _of(_waiting(), purpose)])


def restricted_arrow() -> pa.Table:
    """Restrictions: subject, at, lifted_at."""
    schema = pa.schema([("subject", pa.int64()), ("at", TIME), ("lifted_at", TIME)])
    sql = f"SELECT subject, {rows.time('restricted_at')}, {rows.time('lifted_at')} FROM consent_restriction"
    return rows.table(sql, schema)


def present_change() -> tuple[str, int]:
    """The database's epoch and the number of the ledger's newest change."""
    return CHANGES.present()


def n_waiting() -> int:
    """How many answers wait for the log to number who gave them."""
    return Record.objects.filter(subject__isnull=True).count()


def discard() -> None:
    """Drop every snapshot: rows were deleted, which `changed since` cannot tell."""
    _SNAPSHOTS.discard()


def _held(epoch: str, present: int, reader: Callable[[Path], pa.Table]) -> tuple[pa.Table, int]:
    """What a reader makes of the newest snapshot, and the change it holds; nothing, and 0, without one."""
    return _SNAPSHOTS.read(epoch, present, reader) or (LEDGER.empty_table(), 0)


def _since(change: int) -> pa.Table:
    sql = f"SELECT {_columns()} FROM consent_record WHERE changed_seq > %s AND subject IS NOT NULL"
    return rows.table(sql, LEDGER, [change])


def _columns() -> str:
    return f"subject, purpose, channel, state, {rows.time('stated_at')}, {rows.time('expires_at')}"


def _waiting() -> pa.Table:
    """Answers that were given before the log had numbered who gave them, if people knows them by now."""
    found = list(Record.objects.filter(subject__isnull=True))
    if not found:
        return LEDGER.empty_table()
    subjects = people.subjects_for([record.identifier for record in found])
    known = [
        {
            "subject": subjects[r.identifier],
            "purpose": r.purpose,
            "channel": r.channel,
            "state": r.state,
            "at": r.at,
            "expires_at": r.expires_at,
        }
        for r in found
        if r.identifier in subjects
    ]
    return pa.Table.from_pylist(known, schema=LEDGER)


def _of(ledger: pa.Table, purpose: str) -> pa.Table:
    return ledger.filter(pc.equal(ledger["purpose"], purpose))


def _read(file: Path, purpose: str | None = None) -> pa.Table:
    chosen = [("purpose", "==", purpose)] if purpose else None
    return pq.read_table(file, filters=chosen).cast(LEDGER)
