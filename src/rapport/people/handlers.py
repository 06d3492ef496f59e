"""The subscriber `people`: new identifiers, assertions that two are one, and what is told of somebody.

Everything is an upsert keyed by subject, pair or trait, so a batch given twice changes nothing, and a
batch cut short by a crash is completed when it is given again.
"""

from __future__ import annotations

import json

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake, quarantine, subscriptions
from rapport.events import services as events
from rapport.kit import bulk, query
from rapport.people.rules import evidence, graph, sensitive
from rapport.people.selectors import cores, rows
from rapport.people.services import authors, components, holdings, profiles, writing

KEY = "people"
NAMES = ("person_identified", "post_published", "order_placed")


def register() -> None:
    """Ask the log for what makes people."""
    subscriptions.subscribe(KEY, names=NAMES, handler=on_batch, with_identities=True, is_awaited=True)


def on_batch(batch: subscriptions.Batch) -> None:
    """Bring identifiers, edges, identities, traits and persons up to this batch."""
    with lake.scratch() as con:
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
    claims = claims.filter(pa.array(inside))
    touched = _identify(found, claims, fresh[~graph.is_in(fresh, known)])
    holdings.keep(np.unique(np.concatenate([rows.numbers(claims, c) for c in "ab"])))
    _tell(told.filter(pa.array(graph.is_in(rows.numbers(told, "subject"), people))))
    profiles.refresh(np.union1d(people, touched))


def _identifiers(con: duckdb.DuckDBPyConnection) -> pa.Table:
    found = query.run(con, query.load("rapport.people", "identifiers")).to_arrow_table()
    return found.filter(pc.invert(pc.is_in(found["namespace"], value_set=pa.array(graph.NOT_PEOPLE))))


def _identify(found: pa.Table, claims: pa.Table, fresh: graph.Subjects) -> graph.Subjects:
    """Write identifiers and edges, then join what the accepted edges connect; gives whom that touched."""
    bulk.upsert("people_identifier", found.column_names, writing.tuples(found), conflict=("subject",))
    a, b = (rows.numbers(claims, c) for c in "ab")
    refused = components.refused()
    # Whoever said "not one person" is not overruled by a file: the pair waits for a reviewer.
    doubted = graph.pairs_in(a, b, rows.numbers(refused, "a"), rows.numbers(refused, "b"))
    probable = pc.is_in(claims["evidence"], value_set=pa.array(evidence.PROBABLE))
    waits = doubted | np.asarray(probable.to_numpy(zero_copy_only=False), dtype=np.bool_)
    # Nor are the terms of a network overruled by whoever says that a handle there is a customer's.
    waits |= authors.against_terms(a, b)
    edges = claims.append_column("state", pa.array(np.where(waits, graph.PROPOSED, graph.ACCEPTED)))
    edges = edges.append_column("certainty", pc.if_else(probable, graph.PROBABLE, graph.CERTAIN))
    edges = edges.append_column("confidence", pc.if_else(probable, evidence.UNCOUNTED, 1.0))
    # On conflict nothing: what became of an edge is never undone by hearing the assertion again.
    bulk.upsert(
        "people_edge",
        [*edges.column_names, "decided_by"],
        ((*row, "") for row in writing.tuples(edges)),
        conflict=("a", "b", "evidence", "source"),
    )
    a, b = a[~waits], b[~waits]
    new = graph.is_in(a, fresh) & graph.is_in(b, fresh)
    is_device = graph.is_in(fresh, components.devices(fresh) if new.any() else fresh[:0])
    components.introduce(fresh, is_device, a[new], b[new])
    return components.join(a[~new], b[~new])


def _tell(told: pa.Table) -> None:
    """Write traits; an older statement that arrives late does not overwrite a newer one.

    What was worked out about somebody's health, belief and the like is not kept: it goes to quarantine.
    """
    forbidden = pc.and_(pc.equal(told["origin"], "inferred"), sensitive.are_sensitive(told["name"]))
    if pc.any(forbidden).as_py():
        _refuse(told.filter(forbidden))
        told = told.filter(pc.invert(forbidden))
    bulk.upsert(
        "people_trait",
        ["observed_at" if name == "at" else name for name in told.column_names],
        writing.tuples(told.sort_by("subject")),
        conflict=("subject", "name", "origin"),
        update=("value", "confidence", "observed_at", "source", "seq"),
        where="(excluded.observed_at, excluded.seq) > (people_trait.observed_at, people_trait.seq)",
    )


def _refuse(inferred: pa.Table) -> None:
    """Lay what may not be inferred before somebody who can see that it stops, or that it was declared."""
    texts = cores.identifiers_for(inferred["subject"].to_pylist())
    refusals = []
    for row in inferred.to_pylist():  # few, and none where nobody infers what nobody may
        category = sensitive.category_of(row["name"])
        properties = {"traits": {row["name"]: json.loads(row["value"])}, "origin": "inferred"}
        touchpoint = {
            "name": "person_identified",
            "ts": row["at"].isoformat(),
            "identifier": texts.get(row["subject"], ""),
            "properties": json.dumps(properties),
        }
        refusals.append(
            events.Refused(
                source=row["source"],
                kind=quarantine.TOUCHPOINT,
                body=json.dumps(touchpoint),
                reason="sensitive",
                field=row["name"],
                message=f"{row['name']} is not inferred of anybody ({category.reason if category else ''}).",
            )
        )
    events.quarantine_rows(refusals)
