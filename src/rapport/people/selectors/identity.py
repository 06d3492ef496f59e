"""Who is whom as one Arrow table: a Parquet snapshot plus the rows changed since."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rapport.kit import home
from rapport.people.rules import graph
from rapport.people.selectors import rows

IDENTITY = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())])
RENEW_CHANGES = 20_000  # above this many changed rows the next reader writes a new snapshot
ATTEMPTS = 3
KEPT = 2  # snapshots: the newest, and the one before for whoever is just opening it
LOOKUPS_MAX = 50_000  # subjects; for more, the whole table is read once


def identity_arrow() -> pa.Table:
    """One row per subject, ascending: subject, person, core. Holds every change committed before the call."""
    epoch, present = _counter()
    snapshot = _newest(epoch, present)
    base, since = (IDENTITY.empty_table(), 0) if snapshot is None else snapshot
    changed = rows.table(
        "SELECT subject, person, core FROM people_identity WHERE changed_seq > %s", IDENTITY, [since]
    )
    merged = _overlaid(base, changed)
    if changed.num_rows > RENEW_CHANGES:
        _write(merged, epoch, present)
    return merged


def people_for(subjects: graph.Subjects) -> pa.Table:
    """subject and person of these subjects, ascending; those that are nobody's are left out."""
    wanted = np.unique(graph.as_subjects(subjects))
    schema = pa.schema([("subject", pa.int64()), ("person", pa.int64())])
    if wanted.size <= LOOKUPS_MAX:
        return rows.of("identity", schema, "subject", wanted).sort_by("subject")
    everyone = identity_arrow().select(schema.names)
    return everyone.filter(pa.array(graph.is_in(rows.numbers(everyone, "subject"), wanted)))


def discard() -> None:
    """Drop every snapshot: rows were deleted, which `changed since` cannot tell."""
    for file in _folder().glob("identity-*.parquet"):
        file.unlink(missing_ok=True)


def _folder() -> Path:
    return home.path("snapshots")


def _counter() -> tuple[str, int]:
    found = rows.table(
        "SELECT epoch, value FROM people_watermark WHERE name = 'change'",
        pa.schema([("epoch", pa.string()), ("value", pa.int64())]),
    ).to_pylist()
    return (found[0]["epoch"], found[0]["value"]) if found else ("", 0)


def _newest(epoch: str, present: int) -> tuple[pa.Table, int] | None:
    """The newest snapshot of this database and the change it holds, if any."""
    for _ in range(ATTEMPTS):
        held = {change: file for file, change in _files(epoch)}
        if any(change > present for change in held):
            # A backup was restored: its counter went back, and will count these numbers again.
            discard()
            return None
        if not held:
            return None
        newest = max(held)
        try:
            return pq.read_table(held[newest], memory_map=True), newest
        except FileNotFoundError:
            continue  # somebody renewed it between our look and our read
    return None


def _files(epoch: str) -> list[tuple[Path, int]]:
    found = []
    for file in _folder().glob("identity-*.parquet"):
        _, of, change = file.stem.split("-")
        if of == _token(epoch) and change.isdigit():
            found.append((file, int(change)))
    return found


def _token(epoch: str) -> str:
    return epoch.replace("-", "_")


def _write(table: pa.Table, epoch: str, change: int) -> None:
    folder = _folder()
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"identity-{_token(epoch)}-{change}.parquet"
    temporary = folder / f"{target.name}.{os.getpid()}"
    pq.write_table(table, temporary, compression="lz4", use_dictionary=False)
    temporary.replace(target)
    changes = sorted((change for _, change in _files(epoch)), reverse=True)
    for file in folder.glob("identity-*.parquet"):
        if file not in {f for f, c in _files(epoch) if c in changes[:KEPT]}:
            file.unlink(missing_ok=True)


def _overlaid(base: pa.Table, changed: pa.Table) -> pa.Table:
    """The base with changed rows in place of theirs, ascending by subject."""
    if changed.num_rows == 0:
        return base
    changed = changed.sort_by("subject")
    subjects, now = rows.numbers(base, "subject"), rows.numbers(changed, "subject")
    known = graph.is_in(now, subjects)
    replaced = np.searchsorted(subjects, now[known])
    inserted = np.searchsorted(subjects, now[~known])
    columns = {"subject": np.insert(subjects, inserted, now[~known])}
    for name in ("person", "core"):
        after = rows.numbers(changed, name)
        column = rows.numbers(base, name).copy()
        column[replaced] = after[known]
        columns[name] = np.insert(column, inserted, after[~known])
    return pa.table(columns, schema=IDENTITY)
