"""The subscriber `people`: new identifiers, assertions that two are one, and what is told of somebody.

Everything is an upsert keyed by subject, pair or trait, so a batch given twice changes nothing, and a
batch cut short by a crash is completed when it is given again.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake, subscriptions
from rapport.kit import bulk, query
from rapport.people.rules import graph
from rapport.people.selectors import rows
from rapport.people.services import components, profiles, writing

KEY = "people"
NAMES = ("person_identified", "post_published", "order_placed")


def register() -> None:
    """Ask the log for what makes people."""
    subscriptions.subscribe(KEY, names=NAMES, handler=on_batch)


def on_batch(batch: subscriptions.Batch) -> None:
    """Bring identifiers, edges, identities, traits and persons up to this batch."""
    with lake.new_engine() as con:
        con.register("event", batch.events)
        con.register("claim", batch.claims)
        con.register("subject", batch.subjects)
        found = _identifiers(con)
        told = query.run(con, query.load("rapport.people", "told")).to_arrow_table()
        claims = query.run(con, query.load("rapport.people", "claimed")).to_arrow_table()
    fresh = np.sort(rows.numbers(found, "subject"))
    ends = [rows.numbers(claims, c) for c in "ab"]
    subjects = np.unique(np.concatenate([fresh, *ends, rows.numbers(told, "subject")]))
    # Products are no people, and who was erased has no identity: neither comes in by a claim or a trait.
    known = rows.numbers(components.identities(subjects), "subject")
    people = np.union1d(known, fresh)
    inside = graph.is_in(ends[0], people) & graph.is_in(ends[1], people)
    _identify(found, claims.filter(pa.array(inside)), fresh[~graph.is_in(fresh, known)])
    _tell(told.filter(pa.array(graph.is_in(rows.numbers(told, "subject"), people))))
    profiles.refresh(people)


def _identifiers(con: duckdb.DuckDBPyConnection) -> pa.Table:
    found = query.run(con, query.load("rapport.people", "identifiers")).to_arrow_table()
    return found.filter(pc.invert(pc.is_in(found["namespace"], value_set=pa.array(graph.NOT_PEOPLE))))


def _identify(found: pa.Table, claims: pa.Table, fresh: graph.Subjects) -> None:
    """Write identifiers and edges, then join what the accepted edges connect."""
    bulk.upsert("people_identifier", found.column_names, writing.tuples(found), conflict=("subject",))
    a, b = (rows.numbers(claims, c) for c in "ab")
    refused = components.refused()
    # Whoever said "not one person" is not overruled by a file: the pair waits for a reviewer.
    doubted = graph.pairs_in(a, b, rows.numbers(refused, "a"), rows.numbers(refused, "b"))
    state = pa.array(np.where(doubted, graph.PROPOSED, graph.ACCEPTED))
    edges = claims.append_column("state", state)
    # On conflict nothing: what became of an edge is never undone by hearing the assertion again.
    bulk.upsert(
        "people_edge",
        [*edges.column_names, "certainty", "confidence", "decided_by"],
        ((*row, graph.CERTAIN, 1.0, "") for row in writing.tuples(edges)),
        conflict=("a", "b", "evidence", "source"),
    )
    a, b = a[~doubted], b[~doubted]
    new = graph.is_in(a, fresh) & graph.is_in(b, fresh)
    components.introduce(fresh, a[new], b[new])
    components.join(a[~new], b[~new])


def _tell(told: pa.Table) -> None:
    """Write traits; an older statement that arrives late does not overwrite a newer one."""
    bulk.upsert(
        "people_trait",
        ["observed_at" if name == "at" else name for name in told.column_names],
        writing.tuples(told.sort_by("subject")),
        conflict=("subject", "name", "origin"),
        update=("value", "confidence", "observed_at", "source", "seq"),
        where="(excluded.observed_at, excluded.seq) > (people_trait.observed_at, people_trait.seq)",
    )
