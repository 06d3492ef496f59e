"""Work out who is in a segment, keep the difference, and record who entered and who left.

A refresh is first prepared: the new members and the difference lie in files, fsynced, and a row says so.
From then on it will be carried out, by this process or by whoever comes after it was killed: the events are
recorded, with ids that follow from the refresh and the person, so that twice is once; then the row is done.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from django.db import transaction
from django.db.models import Sum

from rapport.events import lake
from rapport.events import services as events
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import clock, home, ids, query
from rapport.people import selectors as people
from rapport.segments import rules
from rapport.segments.models import Refresh, Segment, Size
from rapport.segments.rules import naming
from rapport.segments.selectors import counting, listing, membership
from rapport.segments.services.leaves import leave

log = logging.getLogger(__name__)

LOCK = "segments"
SOURCE = "segments"
BY = "segments"
KEPT = 2  # files of members: the newest, and the one before for whoever is just opening it

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Refreshed:
    """What one refresh came to; `error` says why it came to nothing."""

    key: str
    n_members: int
    n_entered: int
    n_left: int
    duration_s: float
    error: str = ""


def refresh(
    keys: Sequence[str] | None = None, progress: Progress | None = None, *, wait: bool = True
) -> list[Refreshed]:
    """Work out the members of these segments, and of those that ask about them; without keys, of all.

    One that fails keeps its members and says why; the others go on. Raises NotFound for an unknown key and,
    unless told to wait, Conflict where another process refreshes.
    """
    with home.lock(LOCK, wait=wait):
        finish()
        built = listing.built()
        for key in keys or ():
            listing.row(key)
        chosen = built.keys() if keys is None else naming.resting_on(keys, built)
        done = []
        for key in naming.in_order(chosen, built):
            if progress:
                progress(key)
            done.append(_refresh(key))
        _sweep()
    return done


def finish() -> int:
    """Carry out what was prepared by somebody who was killed; gives how many refreshes. Under the lock."""
    waiting = list(Refresh.objects.filter(state=Refresh.State.PREPARED).order_by("as_of", "number"))
    for row in waiting:
        segment = Segment.objects.filter(id=row.segment).first()
        if segment is None:
            row.delete()
        else:
            _carry_out(segment, row)
    return len(waiting)


def _refresh(key: str) -> Refreshed:
    started_s = clock.monotonic_s()
    segment = listing.row(key)
    try:
        row = _prepare(segment)
        row.duration_s = clock.monotonic_s() - started_s
        _carry_out(segment, row)
    except Exception as error:
        # One broken segment must not keep the others from moving; the page and the summary show it.
        log.exception("the segment %s could not be refreshed", key)
        said = str(error) or type(error).__name__
        Segment.objects.filter(id=segment.id).update(error=said, failed_at=clock.now())
        return Refreshed(key, segment.n_members, 0, 0, clock.monotonic_s() - started_s, said)
    return Refreshed(key, row.n_members, row.n_entered, row.n_left, clock.monotonic_s() - started_s)


def _prepare(segment: Segment) -> Refresh:
    as_of = clock.now()
    rule = rules.parse(segment.rule)
    found = counting.persons_arrow(rule, leave(BY, segment.purpose))
    changed = _difference(found, membership.held(segment.id, segment.refresh), as_of)
    number = segment.refresh + 1
    is_in, was_in = changed["is_in"], changed["was_in"]
    now_in = changed.filter(is_in).select(["person", "since"])
    moved = changed.filter(pc.xor(is_in, was_in)).select(["person", "is_in"])
    write(now_in, membership.file(segment.id, number))
    write(moved, _moved_file(segment.id, number))
    n_entered = pc.sum(moved["is_in"]).as_py() or 0
    return Refresh.objects.create(
        id=ids.uuid7(),
        segment=segment.id,
        number=number,
        version=segment.version,
        as_of=as_of,
        n_members=now_in.num_rows,
        n_entered=n_entered,
        n_left=moved.num_rows - n_entered,
    )


def _difference(found: pa.Table, held: pa.Table, as_of: dt.datetime) -> pa.Table:
    with lake.new_engine() as con:
        con.register("found", found)
        con.register("held", held)
        con.register("identity", people.identity_arrow())
        asked = query.load("rapport.segments", "difference")
        return query.run(con, asked, {"as_of": as_of}).to_arrow_table()


def _carry_out(segment: Segment, row: Refresh) -> None:
    moved = _moved_file(segment.id, row.number)
    if moved.exists():
        _record(segment, row, pq.read_table(moved))
    with transaction.atomic():
        Refresh.objects.filter(pk=row.pk).update(state=Refresh.State.DONE, duration_s=row.duration_s)
        Segment.objects.filter(id=segment.id).update(
            refresh=row.number,
            refreshed_version=row.version,
            refreshed_at=row.as_of,
            n_members=row.n_members,
            error="",
            failed_at=None,
        )
        _keep_size(segment.id, row)
    moved.unlink(missing_ok=True)


def _record(segment: Segment, row: Refresh, moved: pa.Table) -> None:
    if moved.num_rows == 0:
        return
    con = lake.connect()
    try:
        lake.give(con, "moved", moved)
        lake.give(con, "identity", people.identity_arrow())
        said = {
            "segment": segment.id,
            "key": segment.key,
            "refresh": row.number,
            "as_of": row.as_of,
            "namespaces": list(KNOWN_NAMESPACES),
        }
        told = query.run(con, query.load("rapport.segments", "moved"), said).to_arrow_table()
        con.register("told", told)
        events.record_query(
            con, "SELECT * FROM told", source=SOURCE, batch=f"{segment.key} {row.number}", trusted=True
        )
    finally:
        con.close()


def _keep_size(segment: int, row: Refresh) -> None:
    day = row.as_of.astimezone(dt.UTC).date()
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    of_day = Refresh.objects.filter(
        segment=segment,
        state=Refresh.State.DONE,
        as_of__gte=midnight,
        as_of__lt=midnight + dt.timedelta(days=1),
    ).aggregate(n_entered=Sum("n_entered"), n_left=Sum("n_left"))
    Size.objects.update_or_create(segment=segment, day=day, defaults={"n_members": row.n_members, **of_day})


# ---- files --------------------------------------------------------------------------------------------


def _moved_file(segment: int, refresh: int) -> Path:
    return membership.folder() / f"{segment}-{refresh}.moved.parquet"


def write(table: pa.Table, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    pq.write_table(table, temporary, compression="lz4", row_group_size=131_072)
    _sync(temporary)
    temporary.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sweep() -> None:
    """Delete the files of refreshes that are over, and what somebody left who was killed in the middle."""
    kept: set[str] = set()
    for segment in Segment.objects.only("id", "refresh"):
        for number in range(max(1, segment.refresh - KEPT + 1), segment.refresh + 1):
            kept.add(membership.file(segment.id, number).name)
    for row in Refresh.objects.filter(state=Refresh.State.PREPARED):
        kept |= {membership.file(row.segment, row.number).name, _moved_file(row.segment, row.number).name}
    for path in _files():
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _files() -> Iterable[Path]:
    return list(membership.folder().glob("*")) if membership.folder().exists() else []
