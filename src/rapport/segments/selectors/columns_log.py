"""What the log says since an event, counted and annotated as the loader would: by subject, for the newest columns."""

from __future__ import annotations

import os
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from rapport.events import lake, loader, plan
from rapport.kit import home, query

# Events that tell something of whom they concern, as `people` reads them.
TELLING = ("person_identified", "post_published", "order_placed")

_FRESH = (
    "CREATE OR REPLACE TEMP VIEW fresh AS SELECT seq, received_at, source, '' AS batch, id, name, ts,"
    ' NULL AS identifier, NULL AS also, NULL AS evidence, channel, venue, "text", value_minor, currency,'
    " properties, subject FROM lake.event WHERE seq > {after} AND seq <= {upto}"
)


@dataclass(frozen=True, slots=True)
class Since:
    """What came after one event and up to another."""

    days: pa.Table  # rows of the day counters
    told: pa.Table  # subject: whom an event told something of
    annotated: pa.Table  # seq, name, label, day, subject


_known: tuple[tuple[object, ...], int] | None = None  # what the lake looked like, and its last event


def head() -> int:
    """The last event in the lake; asked of the lake only where that has changed."""
    global _known  # noqa: PLW0603  one process has one lake
    looks = (home.root(), os.getpid(), *lake.stamp())
    known = _known
    if known is not None and known[0] == looks:
        return known[1]
    con = lake.connect()
    try:
        found = loader.offset(con)
    finally:
        con.close()
    _known = (looks, found)
    return found


def offset(con: duckdb.DuckDBPyConnection) -> int:
    """The last event that this connection's transaction sees."""
    return loader.offset(con)


def counted(con: duckdb.DuckDBPyConnection) -> int:
    """Events in the day counters, whoever they are of: what is taken out of the log shows here."""
    row = con.execute(
        "SELECT coalesce(sum(n), 0)::BIGINT FROM lake.subject_day WHERE dimension = ''"
    ).fetchone()
    return int(row[0]) if row else 0


def since(after: int, upto: int) -> Since:
    """What the log says of the events after `after` up to `upto`, and of annotations written in that time."""
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "plan_event", plan.relations(plan.current())["plan_event"])
            con.execute(_FRESH.format(after=int(after), upto=int(upto)))
            days = query.run(con, query.load("rapport.events", "load_counters")).to_arrow_table()
            return Since(days, _told(con, after, upto), annotated(con, after, upto))
    finally:
        con.execute("DROP VIEW IF EXISTS fresh; DROP TABLE IF EXISTS temp.plan_event")
        con.close()


def told(after: int, upto: int) -> pa.Table:
    """subject: whom an event after `after` and up to `upto` told something of."""
    con = lake.connect()
    try:
        return _told(con, after, upto)
    finally:
        con.close()


def _told(con: duckdb.DuckDBPyConnection, after: int, upto: int) -> pa.Table:
    return con.execute(
        "SELECT DISTINCT subject FROM lake.event WHERE seq > $after AND seq <= $upto"
        " AND list_contains($names, name)",
        {"after": after, "upto": upto, "names": list(TELLING)},
    ).to_arrow_table()


def annotated(con: duckdb.DuckDBPyConnection, after: int, upto: int) -> pa.Table:
    """The newest annotations of those that were written in a stretch of the log."""
    span = {"after": after, "upto": upto}
    return query.run(con, query.load("rapport.segments", "annotated"), span).to_arrow_table()
