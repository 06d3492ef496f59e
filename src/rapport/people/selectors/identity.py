"""Who is whom as one Arrow table: a Parquet snapshot plus the rows changed since."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from rapport.kit.snapshots import Snapshots
from rapport.people.rules import graph
from rapport.people.selectors import rows

IDENTITY = pa.schema([("subject", pa.int64()), ("person", pa.int64()), ("core", pa.int64())])
RENEW_CHANGES = 20_000  # above this many changed rows the next reader writes a new snapshot
LOOKUPS_MAX = 50_000  # subjects; for more, the whole table is read once
_SNAPSHOTS = Snapshots("identity")


def identity_arrow() -> pa.Table:
    """One row per subject, ascending: subject, person, core. Holds every change committed before the call."""
    epoch, present = rows.CHANGES.present()
    snapshot = _SNAPSHOTS.read(epoch, present, _mapped)
    base, since = (IDENTITY.empty_table(), 0) if snapshot is None else snapshot
    changed = rows.table(
        "SELECT subject, person, core FROM people_identity WHERE changed_seq > %s", IDENTITY, [since]
    )
    merged = _overlaid(base, changed)
    if changed.num_rows > RENEW_CHANGES:
        _SNAPSHOTS.write(merged, epoch, present, use_dictionary=False)
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
    _SNAPSHOTS.discard()


def _mapped(file: Path) -> pa.Table:
    return pq.read_table(file, memory_map=True)


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
