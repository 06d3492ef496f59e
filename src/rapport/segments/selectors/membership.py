"""Who is in which segment: one file of members for each, as its last refresh that is done found them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from rapport.events import lake
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.kit import home, query
from rapport.people import selectors as people
from rapport.segments.models import Segment

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


def members_arrow(key: str) -> pa.Table:
    """The members of a segment (MEMBER), ascending, whoever may read them; none for one that there is not."""
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
        con.register("members_given", members_arrow(key))
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
        lake.give(con, "page_of", pa.table({"person": pa.array(persons, pa.int64())}))
        lake.give(con, "identity", people.identity_arrow())
        asked = query.load("rapport.segments", "identifiers")
        return dict(query.run(con, asked, {"namespaces": list(KNOWN_NAMESPACES)}).fetchall())
    finally:
        con.close()
