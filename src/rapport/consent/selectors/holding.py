"""Rows of the operational store as Arrow, and the ledger as a Parquet snapshot plus what came since."""

from __future__ import annotations

import os
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from rapport.consent.models import Record
from rapport.kit import home
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
KEPT = 2  # snapshots: the newest, and the one before for whoever is just opening it
WORDS = ("purpose", "channel", "state")


def ledger_arrow(purpose: str) -> pa.Table:
    """Every answer ever given about a purpose, in the shape of LEDGER; holds all committed before the call."""
    epoch, present = _counter()
    file, since = _newest(epoch, present)
    changed = _since(since)
    if changed.num_rows > RENEW_CHANGES:
        file = _write(pa.concat_tables([_read(file), changed]), epoch, present)
        changed = LEDGER.empty_table()
    parts = [_read(file, purpose), _of(changed, purpose), _of(_waiting(), purpose)]
    return pa.concat_tables(parts)


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
    return _counter()


def n_waiting() -> int:
    """How many answers wait for the log to number who gave them."""
    return Record.objects.filter(subject__isnull=True).count()


def discard() -> None:
    """Drop every snapshot: rows were deleted, which `changed since` cannot tell."""
    for file in _folder().glob("ledger-*.parquet"):
        file.unlink(missing_ok=True)


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


def _folder() -> Path:
    return home.path("snapshots")


def _counter() -> tuple[str, int]:
    found = rows.table(
        "SELECT epoch, value FROM consent_watermark WHERE name = 'change'",
        pa.schema([("epoch", pa.string()), ("value", pa.int64())]),
    ).to_pylist()
    return (found[0]["epoch"], found[0]["value"]) if found else ("", 0)


def _newest(epoch: str, present: int) -> tuple[Path | None, int]:
    held = {change: file for file, change in _files(epoch)}
    if any(change > present for change in held):
        # A backup was restored: its counter went back, and will count these numbers again.
        discard()
        return None, 0
    return (held[max(held)], max(held)) if held else (None, 0)


def _files(epoch: str) -> list[tuple[Path, int]]:
    found = []
    for file in _folder().glob("ledger-*.parquet"):
        _, of, change = file.stem.split("-")
        if of == _token(epoch) and change.isdigit():
            found.append((file, int(change)))
    return found


def _token(epoch: str) -> str:
    return epoch.replace("-", "_")


def _read(file: Path | None, purpose: str | None = None) -> pa.Table:
    if file is None:
        return LEDGER.empty_table()
    chosen = [("purpose", "==", purpose)] if purpose else None
    return pq.read_table(file, filters=chosen).cast(LEDGER)


def _write(table: pa.Table, epoch: str, change: int) -> Path:
    """A snapshot sorted by purpose, so that a question about one reads little of the others."""
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"ledger-{_token(epoch)}-{change}.parquet"
    temporary = folder / f"{target.name}.{os.getpid()}"
    pq.write_table(
        table.sort_by("purpose"),
        temporary,
        compression="lz4",
        use_dictionary=list(WORDS),
        row_group_size=131_072,
    )
    temporary.replace(target)
    newest = sorted((c for _, c in _files(epoch)), reverse=True)[:KEPT]
    kept = {f for f, c in _files(epoch) if c in newest}
    for file in folder.glob("ledger-*.parquet"):
        if file not in kept:
            file.unlink(missing_ok=True)
    return target
