"""How many a rule would have held for on earlier days, by what people had done until then."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable

import duckdb

from rapport.consent.services import Warrant
from rapport.segments import rules
from rapport.segments.selectors import columns, listing, membership

Began = Callable[[duckdb.DuckDBPyConnection], None]


def sizes_on(
    rule: rules.Rule, leave: Warrant, days: Iterable[dt.date], *, began: Began | None = None
) -> list[tuple[dt.date, int]]:
    """The size on each of these days (UTC), of people who had been seen by then.

    What people did is taken as it was on the day. Traits, consents, scores and other segments are taken as they
    are now, for they keep no past. `began` is given the connection, so that the question can be stopped.
    """
    catalogue = listing.catalogue()
    found = [
        (day, rules.compile_(rule, catalogue, dt.datetime.combine(day, dt.time.max, dt.UTC))) for day in days
    ]
    if not found:
        return []
    needs = found[0][1].needs
    sizes = []
    with columns.engine(leave, needs) as con:
        if began is not None:
            began(con)
        membership.provide(con, needs.segments)
        for day, compiled in found:
            row = con.execute(
                f"SELECT count(*) FROM ({compiled.sql}) AS found_ SEMI JOIN"
                " (SELECT person FROM profile WHERE first_seen <= $on_day) AS seen USING (person)",
                {**compiled.parameters, "on_day": day},
            ).fetchone()
            assert row is not None
            sizes.append((day, int(row[0])))
    return sizes
