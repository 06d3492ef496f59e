"""The facts about people that a statement reads, given to its connection as relations."""

from __future__ import annotations

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from rapport.consent.services import Warrant
from rapport.events import lake
from rapport.explore.rules.compiling import Reads
from rapport.kit import query
from rapport.people import selectors as people
from rapport.people.rules.graph import is_in
from rapport.people.selectors import rows
from rapport.segments import selectors as segments
from rapport.segments import services as segment_services

KNOWN = pa.schema([("person", pa.int64()), ("country", pa.string()), ("language", pa.string())])
TOLD = pa.schema(
    [
        ("subject", pa.int64()),
        ("name", pa.string()),
        ("origin", pa.string()),
        ("value", pa.string()),
        ("confidence", pa.float64()),
        ("observed_at", pa.timestamp("us", tz="UTC")),
        ("seq", pa.int64()),
    ]
)


def give(con: duckdb.DuckDBPyConnection, reads: Reads, leave: Warrant) -> int:
    """Make what is read of people relations of the connection; gives how many identifiers are left out.

    Whoever refuses the warrant's purpose is in none of them.
    """
    refused = leave.refuses()
    everybody = people.identity_arrow()
    hidden = is_in(rows.numbers(everybody, "subject"), rows.numbers(refused, "subject"))
    lake.give(con, "identity", everybody.filter(pa.array(~hidden)))
    lake.give(con, "refused", refused)
    if reads.profile:
        known = "SELECT id AS person, country, language FROM people_person"
        lake.give(con, "known", rows.table(known, KNOWN))
    if reads.traits:
        lake.give(con, "trait_of", _traits(con, reads.traits))
    if reads.scores:
        lake.give(con, "score_of", _scores(reads.scores))
    if reads.segments:
        lake.give(con, "member", _members(reads.segments))
    return int(np.count_nonzero(hidden))


def _traits(con: duckdb.DuckDBPyConnection, names: frozenset[str]) -> pa.Table:
    listed = ", ".join(["%s"] * len(names))
    told = (
        f"SELECT subject, name, origin, value, confidence, {rows.time('observed_at')}, seq FROM people_trait"
        f" WHERE name IN ({listed})"
    )
    lake.give(con, "told", rows.table(told, TOLD, sorted(names)))
    found = query.run(con, query.load("rapport.explore", "trait_of")).to_arrow_table()
    con.execute("DROP TABLE temp.told")
    return found


def _scores(names: frozenset[str]) -> pa.Table:
    """The class of a score that has classes; of another, its value to two decimals."""
    found = people.scores_arrow(sorted(names))
    labels: Any = found["label"].to_pylist()
    values: Any = found["value"].to_pylist()
    said = [label or f"{value:.2f}" for label, value in zip(labels, values, strict=True)]
    return pa.table({"person": found["person"], "name": found["name"], "value": pa.array(said, pa.string())})


def _members(keys: frozenset[str]) -> pa.Table:
    found = []
    for key in sorted(keys):
        chosen = segments.segment(key)  # says so where there is none
        # Whoever refused the segment's own purpose since it was worked out is in it no more.
        leave = segment_services.leave("explore", chosen.purpose)
        people_in = segments.members_arrow(key, leave).column("person")
        named = pa.array([key] * len(people_in), pa.string())
        found.append(pa.table({"segment": named, "person": people_in}))
    return pa.concat_tables(found)
