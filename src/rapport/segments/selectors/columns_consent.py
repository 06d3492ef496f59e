"""Who may be seen and who may be reached, as relations of persons.

A consent reaches as far as a core does. A person may be reached where one of the cores they are made of
allows it, and is seen where none of them refuses: what is known of them was put together out of all.
What was worked out is kept until an answer, an identity or a purpose changes, and for a minute at most,
for answers end by themselves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

import duckdb
import numpy as np
import pyarrow as pa

from rapport.consent import selectors as consent
from rapport.consent.selectors import holding
from rapport.consent.services import Warrant
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.people.rules.graph import Subjects, is_in
from rapport.people.selectors import rows
from rapport.segments.rules.columns import Needs
from rapport.segments.selectors.columns_store import Overlay, Store
from rapport.segments.selectors.columns_views import REFUSED

KEPT_S = 60
KEPT = 64  # relations

_lock = threading.Lock()


def provide(
    store: Store,
    overlay: Overlay | None,
    con: duckdb.DuckDBPyConnection,
    leave: Warrant | None,
    needs: Needs,
) -> None:
    """Make `allowed` and the table of whoever refuses."""
    stamp = _stamp()
    refused = "SELECT NULL::BIGINT AS person LIMIT 0"
    if leave is not None:
        purpose, channel = leave.purpose, leave.channel
        name = _kept(
            store,
            ("refused", purpose, channel, overlay.prefix if overlay else "", *stamp),
            lambda: _seen(store, overlay, consent.refused_subjects(purpose, channel)),
        )
        refused = f"SELECT person FROM memory.{name}"
    con.execute(f"CREATE OR REPLACE TEMP VIEW {REFUSED} AS {refused}")
    selects = ["SELECT '' AS purpose, '' AS channel, NULL::BIGINT AS person LIMIT 0"]
    for purpose, channel in sorted(needs.allowed):
        name = _kept(store, ("allowed", purpose, channel, *stamp), _asking(purpose, channel))
        selects.append(
            f"SELECT {_text(purpose)} AS purpose, {_text(channel)} AS channel, person FROM memory.{name}"
        )
    con.execute(f"CREATE OR REPLACE TEMP VIEW allowed AS {' UNION ALL '.join(f'({s})' for s in selects)}")


def _asking(purpose: str, channel: str) -> Callable[[], Subjects]:
    return lambda: _persons(consent.allowed_subjects(purpose, channel))


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _stamp() -> tuple[object, ...]:
    """Another wherever who may be seen may be another."""
    restricted = holding.restricted_arrow()
    purposes = tuple((p.key, p.legal_basis, p.is_active) for p in consent.purposes())
    return (
        rows.present_change(),
        holding.present_change(),
        holding.n_waiting(),
        str(restricted.to_pydict()),
        purposes,
        int(clock.now().timestamp()) // KEPT_S,
    )


def _persons(found: pa.Table) -> Subjects:
    """The persons of some subjects, ascending."""
    identity = people.identity_arrow()
    chosen = is_in(rows.numbers(identity, "subject"), rows.numbers(found, "subject"))
    return np.unique(rows.numbers(identity, "person")[chosen])


def _seen(store: Store, overlay: Overlay | None, found: pa.Table) -> Subjects:
    """The persons of some subjects as they are now, and as the relations, which may be older, know them."""
    as_read = f"SELECT person FROM {store.profile}.belongs SEMI JOIN given USING (subject)"
    if overlay is not None:
        changed = f"memory.{overlay.prefix}changed"
        as_read += (
            f" ANTI JOIN {changed} USING (subject)"
            f" UNION ALL SELECT person FROM {changed} SEMI JOIN given USING (subject)"
        )
    con = store.con.cursor()
    try:
        con.register("given_now", found.select(["subject"]))
        con.execute("CREATE TEMP TABLE given AS SELECT subject FROM given_now")
        con.unregister("given_now")
        known = rows.numbers(con.execute(as_read).to_arrow_table(), "person")
    finally:
        con.close()
    return np.union1d(_persons(found), known)


def _kept(store: Store, key: tuple[object, ...], work_out: Callable[[], Subjects]) -> str:
    with _lock:
        known = store.kept.get(key)
        if known is not None:
            return known
        persons = work_out()
        store.n_kept += 1
        name = f"kept_{store.n_kept}"
        con = store.con.cursor()
        try:
            con.register("persons_given", pa.table({"person": persons}))
            con.execute(f"CREATE TABLE {name} AS SELECT person FROM persons_given")
            con.unregister("persons_given")
            store.kept[key] = name
            while len(store.kept) > KEPT:
                con.execute(f"DROP TABLE IF EXISTS {store.kept.pop(next(iter(store.kept)))}")
        finally:
            con.close()
        return name
