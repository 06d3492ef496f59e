"""While something runs live, comments are shown as soon as they are in the spool, before the lake has them.

What is shown early has no subject yet. When its number passes through the log, `live.gather` gives it one, or
takes it down where the log refused it, knew it already or left it out: so none is lost and none stays twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import erased, lake, spool, subscriptions
from rapport.kit import query
from rapport.publishing.models import Comment
from rapport.publishing.services import live

EVENTS_MAX = 2_000  # of one look
BYTES_MAX = 8_000_000
READ = (spool.TRUSTED, spool.TOUCHPOINTS)
COLUMNS = ("name", "ts", "identifier", "venue", "text", "properties")


class Early:
    """How far the spool was looked at; a new one begins where the log has been gathered to."""

    def __init__(self) -> None:
        self.upto = subscriptions.position(live.KEY)

    def look(self) -> bool:
        """Show what came in since; False where there was nothing."""
        box = spool.current()
        if box.next_seq() <= self.upto + 1:
            return False
        bodies = box.read(self.upto + 1, max_events=EVENTS_MAX, max_bytes=BYTES_MAX)
        tables = [_rows(body) for body in bodies if body.kind in READ and not body.staged]
        if tables:
            _show(pa.concat_tables(tables))
        if bodies:
            self.upto = bodies[-1].last
        return bool(bodies)


def _rows(body: spool.Stored) -> pa.Table:
    """A body as the log will have it, as far as a desk shows it."""
    table = pa.ipc.open_stream(pa.py_buffer(body.body or b"")).read_all()
    n = table.num_rows
    rows = (
        table.select(COLUMNS)
        .append_column("seq", pa.array(range(body.first, body.first + n), pa.int64()))
        .append_column("subject", pa.array([0] * n, pa.int64()))
        .append_column("source", pa.array([body.source] * n, pa.string()))
    )
    arrow: Any = pc
    return rows.filter(arrow.is_in(rows["name"], pa.array(live.SAID)))


def _show(events: pa.Table) -> None:
    if not events.num_rows:
        return
    near = live.near(events)
    if not near:
        return
    with lake.scratch() as con:
        con.register("given", events)
        # Not checked yet: what is no JSON is refused later.
        con.execute(
            "CREATE TEMP VIEW event AS"
            " SELECT * REPLACE (CASE WHEN json_valid(properties) THEN properties END AS properties) FROM given"
        )
        found = query.run(con, query.load("rapport.publishing", "comments"), live.asked(near))
        rows = [row for row in found.to_arrow_table().to_pylist() if row["words"].strip()]
    by_seq = dict(zip(events["seq"].to_pylist(), events["identifier"].to_pylist(), strict=True))
    gone = erased.erased_among({by_seq[row["seq"]] for row in rows})
    who = {row["seq"]: (0, by_seq[row["seq"]]) for row in rows if by_seq[row["seq"]] not in gone}
    for broadcast in near:
        mine = [row for row in rows if row["seq"] in who and live.is_of(broadcast, row)]
        for at in range(0, len(mine), live.SLICE):
            part = mine[at : at + live.SLICE]
            live.take(broadcast.pk, _once(broadcast.pk, part), who)


def _once(broadcast: uuid.UUID, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Without what the desk shows already: sources tell the same post again, and the log knows it by its number."""
    here = set(
        Comment.objects.filter(
            broadcast=broadcast, post_id__in=[row["post_id"] for row in rows if row["post_id"]]
        ).values_list("network", "post_id")
    )
    fresh = []
    for row in rows:
        key = (row["network"], row["post_id"])
        if row["post_id"] and key in here:
            continue
        here.add(key)
        fresh.append(row)
    return fresh
