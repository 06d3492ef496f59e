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
from django.db.models import Max, Sum

from rapport.events import lake
from rapport.events import services as events
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import clock, home, ids, query
from rapport.kit.errors import NotFound, Unavailable
from rapport.people import selectors as people
from rapport.segments import rules
from rapport.segments.models import Refresh, Segment, Size
from rapport.segments.rules import naming, tree
from rapport.segments.selectors import columns, counting, listing, membership
from rapport.segments.services import columns as making
from rapport.segments.services.leaves import leave

log = logging.getLogger(__name__)

LOCK = "segments"
SOURCE = "segments"
BY = "segments"
EVERY_S = 3600  # without a change of a rule
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
        bring_up_to_date(progress)
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


def bring_up_to_date(progress: Progress | None = None) -> None:
    """Make sure that the columns hold everything that was committed before, however much that is."""
    try:
        if columns.freshness().is_current:
            return
    except Unavailable:
        pass  # they were never made, and are too large to be made while somebody waits
    making.renew(progress=progress)


def is_due() -> bool:
    """Whether members are to be worked out again: a rule has changed, or an hour has passed."""
    hour_ago = clock.now() - dt.timedelta(seconds=EVERY_S)
    for row in Segment.objects.only("version", "refreshed_version", "refreshed_at", "failed_at"):
        tried = max((at for at in (row.refreshed_at, row.failed_at) if at is not None), default=None)
        if tried is None or tried < hour_ago:
            return True
        if row.version != row.refreshed_version and row.failed_at is None:
            return True
    return False


def rests_on_models() -> bool:
    """Whether a segment asks for what models write, so that a run of theirs moves its members."""
    asked = (
        one
        for rule in Segment.objects.values_list("rule", flat=True)
        for one in rules.conditions(rules.parse(rule))
    )
    return any(isinstance(one, tree.Score | tree.Annotated) for one in asked)


def finish() -> int:
    """Carry out what was prepared by somebody who was killed; gives how many refreshes. Under the lock."""
    waiting = list(Refresh.objects.filter(state=Refresh.State.PREPARED).order_by("as_of", "number"))
    for row in waiting:
        segment = Segment.objects.filter(id=row.segment).first()
        if segment is None:
            row.delete()
            continue
        try:
            _carry_out(segment, row)
        except Exception as error:
            _note(segment, error)
    return len(waiting)


def _refresh(key: str) -> Refreshed:
    started_s = clock.monotonic_s()
    try:
        segment = listing.row(key)
    except NotFound as error:  # it was given another key since
        return Refreshed(key, 0, 0, 0, clock.monotonic_s() - started_s, str(error))
    try:
        for waiting in Refresh.objects.filter(segment=segment.id, state=Refresh.State.PREPARED):
            _carry_out(segment, waiting)  # again: who moved in it would move once more in the next
            segment.refresh_from_db()
        as_of = clock.now()
        found = counting.persons_arrow(rules.parse(segment.rule), leave(BY, segment.purpose))
        held = membership.held(segment.id, segment.refresh)
        changed = _difference(found, held, as_of)
        # Where some were merged or erased nobody moved, and yet their file is to be another.
        is_same = segment.n_members == held.num_rows == found.num_rows and not _moved(changed).num_rows
        if is_same and segment.refresh:
            return _nobody_moved(segment, as_of, started_s)
        row = _prepare(segment, changed, as_of)
        row.duration_s = clock.monotonic_s() - started_s
        _carry_out(segment, row)
    except Exception as error:
        said = _note(segment, error)
        return Refreshed(key, segment.n_members, 0, 0, clock.monotonic_s() - started_s, said)
    return Refreshed(key, row.n_members, row.n_entered, row.n_left, clock.monotonic_s() - started_s)


def _note(segment: Segment, error: Exception) -> str:
    """One broken segment must not keep the others from moving; the page and the summary show why."""
    log.error("the segment %s could not be refreshed", segment.key, exc_info=error)
    said = str(error) or type(error).__name__
    Segment.objects.filter(id=segment.id).update(error=said, failed_at=clock.now())
    return said


def _nobody_moved(segment: Segment, as_of: dt.datetime, started_s: float) -> Refreshed:
    with transaction.atomic():
        Segment.objects.filter(id=segment.id).update(
            refreshed_version=segment.version, refreshed_at=as_of, error="", failed_at=None
        )
        _keep_size(segment.id, as_of, segment.n_members)
    return Refreshed(segment.key, segment.n_members, 0, 0, clock.monotonic_s() - started_s)


def _moved(changed: pa.Table) -> pa.Table:
    return changed.filter(pc.xor(changed["is_in"], changed["was_in"])).select(["person", "is_in"])


def _prepare(segment: Segment, changed: pa.Table, as_of: dt.datetime) -> Refresh:
    last = Refresh.objects.filter(segment=segment.id).aggregate(last=Max("number"))["last"]
    number = max(segment.refresh, last or 0) + 1
    now_in, moved = changed.filter(changed["is_in"]).select(["person", "since"]), _moved(changed)
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
    with lake.scratch() as con:
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
        _keep_size(segment.id, row.as_of, row.n_members)
    moved.unlink(missing_ok=True)


def _record(segment: Segment, row: Refresh, moved: pa.Table) -> None:
    if moved.num_rows == 0:
        return
    con = lake.connect()
    try:
        with lake.together(con):
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


def _keep_size(segment: int, as_of: dt.datetime, n_members: int) -> None:
    day = as_of.astimezone(dt.UTC).date()
    midnight = dt.datetime.combine(day, dt.time(), dt.UTC)
    of_day = Refresh.objects.filter(
        segment=segment,
        state=Refresh.State.DONE,
        as_of__gte=midnight,
        as_of__lt=midnight + dt.timedelta(days=1),
    ).aggregate(n_entered=Sum("n_entered"), n_left=Sum("n_left"))
    Size.objects.update_or_create(
        segment=segment, day=day, defaults={"n_members": n_members, **{k: v or 0 for k, v in of_day.items()}}
    )


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
