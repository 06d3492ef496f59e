"""Who is in which segment: one file of members for each, as its last refresh that is done found them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rapport.consent.services import Warrant
from rapport.events import lake
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import home, query
from rapport.people import selectors as people
from rapport.segments.models import Segment
from rapport.segments.selectors import columns

MEMBER = pa.schema([("person", pa.int64()), ("since", pa.timestamp("us", tz="UTC"))])
ATTEMPTS = 3


def folder() -> Path:
    return home.path("segments")


def file(segment: int, refresh: int) -> Path:
    """Where the members that a refresh found lie, ascending by person."""
    return folder() / f"{segment}-{refresh}.parquet"


def held(segment: int, refresh: int) -> pa.Table:
    """Members (MEMBER) that a refresh found; none where it never was, or its file is gone."""
    path = file(segment, refresh)
    if refresh == 0 or not path.exists():
        return MEMBER.empty_table()
    return pq.read_table(path, schema=MEMBER)


def members_arrow(key: str, leave: Warrant | None = None) -> pa.Table:
    """The members of a segment (MEMBER), ascending; none for one that there is not.

    With a warrant, those who may be seen now: somebody may have refused since the last refresh. Without one,
    all, which is for what the machine keeps to itself.
    """
    found = _members(key)
    return found if leave is None else seen(found, leave)


def seen(found: pa.Table, leave: Warrant) -> pa.Table:
    """The rows of those persons who are there and do not refuse the purpose of a warrant, ascending."""
    with columns.engine(leave) as con:
        con.register("persons_given", found)
        con.execute("CREATE TEMP TABLE asked_of AS SELECT * FROM persons_given")
        con.unregister("persons_given")
        return con.execute(
            "SELECT a.* FROM asked_of AS a SEMI JOIN profile AS p ON a.person = p.person ORDER BY a.person"
        ).to_arrow_table()


def _members(key: str) -> pa.Table:
    for attempt in range(ATTEMPTS):
        row = Segment.objects.filter(key=key).only("id", "refresh").first()
        if row is None:
            break
        try:
            return held(row.id, row.refresh)
        except FileNotFoundError:
            # Somebody has refreshed it twice between our two looks.
            if attempt + 1 == ATTEMPTS:
                raise
    return MEMBER.empty_table()


def provide(con: duckdb.DuckDBPyConnection, keys: Iterable[str]) -> None:
    """Make the relation `member` of this connection hold these segments."""
    con.execute("DROP VIEW IF EXISTS member")
    con.execute("CREATE TEMP TABLE member (segment VARCHAR, person BIGINT, since TIMESTAMPTZ)")
    for key in sorted(keys):
        con.register("members_given", _members(key))
        con.execute("INSERT INTO member SELECT $key, person, since FROM members_given", {"key": key})
        con.unregister("members_given")


def segments_of(person: int) -> dict[str, dt.datetime]:
    """The segments that a person is in and since when, by key."""
    found = {}
    for row in Segment.objects.filter(n_members__gt=0).order_by("key").only("id", "key", "refresh"):
        path = file(row.id, row.refresh)
        if path.exists():
            mine = pq.read_table(path, schema=MEMBER, filters=[("person", "=", person)])
            if mine.num_rows:
                found[row.key] = mine["since"][0].as_py()
    return found


def identifiers_of(persons: Sequence[int]) -> dict[int, list[str]]:
    """The identifiers by which the firm knows these persons, but for their devices."""
    con = lake.connect()
    try:
        with lake.together(con):
            lake.give(con, "page_of", pa.table({"person": pa.array(persons, pa.int64())}))
            lake.give(con, "identity", people.identity_arrow())
            asked = query.load("rapport.segments", "identifiers")
            return dict(query.run(con, asked, {"namespaces": list(KNOWN_NAMESPACES)}).fetchall())
    finally:
        con.close()
