"""The catalogue of the columns: what a rule may name, with the values there are."""

from __future__ import annotations

from dataclasses import replace

import duckdb

from rapport.consent import selectors as consent
from rapport.consent.services import CHANNELS
from rapport.events import plan
from rapport.segments.rules.catalogue import Catalogue, Column, Counted
from rapport.segments.selectors import columns_profile
from rapport.segments.selectors.columns_store import Overlay, Store

DIMENSIONS = 50  # offered of one kind of event


def offered(store: Store, overlay: Overlay | None) -> Catalogue:
    """Everything of the files and of the overlay; worked out once for each of these."""
    key = overlay.prefix if overlay else ""
    if store.offered is None or store.offered[0] != key:
        con = store.con.cursor()
        try:
            store.offered = (key, _worked_out(store, overlay, con))
        finally:
            con.close()
    purposes = {p.key: p.name for p in consent.purposes(active_only=True)}
    return replace(store.offered[1], purposes=purposes)


def _worked_out(store: Store, overlay: Overlay | None, con: duckdb.DuckDBPyConnection) -> Catalogue:
    columns = {
        name: Column(name, type_, tuple(values), unit=unit)
        for name, type_, values, unit in con.execute(
            f'SELECT name, "type", "values", unit FROM {store.profile}.column_'
        ).fetchall()
    }
    if overlay is not None and overlay.hides_persons:
        shape = con.execute(f"DESCRIBE memory.{overlay.prefix}profile").fetchall()
        for name, sql_type, *_ in shape:
            if sql_type in columns_profile.TYPES and name not in columns and name != "person":
                columns[name] = Column(name, columns_profile.TYPES[sql_type])  # type: ignore[arg-type]
    return Catalogue(
        columns=columns,
        events=_events(store, overlay, con),
        annotations=_annotations(store, overlay, con),
        channels=tuple(CHANNELS),
        namespaces=_namespaces(store, overlay, con),
    )


def _events(store: Store, overlay: Overlay | None, con: duckdb.DuckDBPyConnection) -> dict[str, Counted]:
    parts = [f"SELECT name, dimension, n_rows, n, has_value FROM {part}.day_key" for part in store.parts]
    if overlay is not None and overlay.has_rows:
        parts.append(
            "SELECT name, dimension, count(*), sum(n)::BIGINT, bool_or(value_minor <> 0)"
            f" FROM memory.{overlay.prefix}day GROUP BY name, dimension"
        )
    found = con.execute(
        "SELECT name, dimension, sum(n_rows)::BIGINT, sum(n)::BIGINT AS n_all, bool_or(has_value)"
        f" FROM ({' UNION ALL '.join(parts)}) GROUP BY name, dimension"
        f" QUALIFY row_number() OVER (PARTITION BY name ORDER BY dimension <> '', n_all DESC, dimension) <= {DIMENSIONS + 1}"
        " ORDER BY name, dimension <> '', n_all DESC, dimension"
    ).fetchall()
    planned = plan.current()
    counted: dict[str, Counted] = {}
    for name in (e.name for e in planned.values() if e.counted):
        mine = [row for row in found if row[0] == name]
        whole = next((row for row in mine if row[1] == ""), None)
        counted[name] = Counted(
            name,
            planned[name].meaning,
            tuple(row[1] for row in mine if row[1] != ""),
            whole[2] if whole else 0,
            bool(whole[4]) if whole else False,
        )
    return counted


def _annotations(
    store: Store, overlay: Overlay | None, con: duckdb.DuckDBPyConnection
) -> dict[str, tuple[str, ...]]:
    parts = [f"SELECT name, label FROM {part}.label_" for part in store.parts]
    if overlay is not None:
        parts.append(f"SELECT name, label FROM memory.{overlay.prefix}annotated")
    found = con.execute(
        f"SELECT name, list_sort(list(DISTINCT label)) FROM ({' UNION ALL '.join(parts)})"
        " GROUP BY name ORDER BY name"
    ).fetchall()
    return {name: tuple(label for label in labels if label) for name, labels in found}


def _namespaces(store: Store, overlay: Overlay | None, con: duckdb.DuckDBPyConnection) -> tuple[str, ...]:
    parts = [f"SELECT namespace FROM {store.profile}.namespace_"]
    if overlay is not None and overlay.hides_persons:
        parts.append(f"SELECT unnest(namespaces) FROM memory.{overlay.prefix}profile")
    found = con.execute(
        f"SELECT DISTINCT namespace FROM ({' UNION ALL '.join(parts)}) ORDER BY namespace"
    ).fetchall()
    return tuple(namespace for (namespace,) in found)
