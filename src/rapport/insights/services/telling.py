"""Changes of standing as events: somebody we know became, or ceased to be, an advocate or a detractor."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.events import services as events
from rapport.events.rules import KNOWN_NAMESPACES
from rapport.insights import rules
from rapport.insights.contract import Insight
from rapport.kit import query
from rapport.people import selectors as people

SOURCE = "insights"


def tell(model: Insight, scored: pa.Table, as_of: dt.datetime, identity: pa.Table) -> events.Range | None:
    """Record what changes by the scores about to be written; the first time there is nothing to change from.

    Called before they are written: cut short in between, the next run finds the same changes, and they count once.
    """
    told = {g.name: rules.TOLD[g.name] for g in model.gives if g.name in rules.TOLD}
    arrow: Any = pc
    for given, (event, labels) in told.items():
        mine = scored.filter(arrow.starts_with(scored.column("name"), given))
        held = people.scores_arrow(arrow.unique(mine.column("name")).to_pylist())
        if mine.num_rows == 0 or held.num_rows == 0:
            continue
        con = lake.connect()
        try:
            lake.give(con, "said", mine.select(["person", "name", "label", "value"]))
            lake.give(con, "held", held.select(["person", "name", "label", "as_of"]))
            lake.give(con, "identity", identity)
            asked = {
                "labels": list(labels),
                "event": event,
                "as_of": as_of,
                "namespaces": list(KNOWN_NAMESPACES),
            }
            found = query.run(con, query.load("rapport.insights", "changed"), asked).to_arrow_table()
            con.register("told", found)
            return events.record_query(
                con,
                "SELECT * FROM told",
                source=SOURCE,
                batch=f"{given} {as_of:%Y-%m-%dT%H:%M:%S}",
                trusted=True,
            )
        finally:
            con.close()
    return None
