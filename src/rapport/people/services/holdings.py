"""In whose hands a device was when, for devices on which more than one has logged in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from rapport.events import lake
from rapport.kit import bulk, query
from rapport.people.rules import graph
from rapport.people.selectors import rows
from rapport.people.services import components, writing

HOLDING = pa.schema(
    [("device", pa.int64()), ("from_ts", pa.timestamp("us", tz="UTC")), ("holder", pa.int64())]
)


def keep(subjects: graph.Subjects) -> None:
    """Read anew when each device among these subjects passed from hand to hand, where it did.

    Always from the whole log, so that it does not matter in which order log-ins are heard of; such devices
    are few.
    """
    shared, holders = _shared(components.devices(subjects))
    if shared.size == 0:
        return
    found = of_log(shared, holders)
    with writing.change():
        writing.delete("holding", "device", shared.tolist())
        bulk.upsert("people_holding", HOLDING.names, writing.tuples(found), conflict=("device", "from_ts"))


def of_log(shared: graph.Subjects, holders: graph.Subjects) -> pa.Table:
    """The rows of HOLDING that the log's claims between these devices and holders make."""
    con = lake.connect()
    try:
        lake.give(con, "shared", pa.table({"device": shared}))
        lake.give(con, "held", pa.table({"holder": holders}))
        found = query.run(con, query.load("rapport.people", "holdings")).to_arrow_table()
    finally:
        con.close()
    return found.select(HOLDING.names).cast(HOLDING)


def _shared(devices: graph.Subjects) -> tuple[graph.Subjects, graph.Subjects]:
    """The devices that more than one identifier was asserted of, and all those identifiers."""
    said = [
        rows.of("edge", components.EDGE, end, devices, where=f"source <> '{components.STAFF}'")
        for end in ("a", "b")
    ]
    device = np.concatenate([rows.numbers(t, end) for t, end in zip(said, "ab", strict=True)])
    other = np.concatenate([rows.numbers(t, end) for t, end in zip(said, "ba", strict=True)])
    person = ~graph.is_in(other, components.devices(np.unique(other)))
    pairs = np.unique(np.stack([device[person], other[person]], axis=1), axis=0)
    shared, n = np.unique(pairs[:, 0], return_counts=True)
    shared = shared[n > 1]
    return shared, np.unique(pairs[graph.is_in(pairs[:, 0], shared), 1])
