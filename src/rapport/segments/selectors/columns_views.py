"""The relations of one reader: views of its own over the files and the overlay."""

from __future__ import annotations

import duckdb

from rapport.segments.selectors.columns_store import Overlay, Store

REFUSED = "refused_person"  # a table of the reader's connection, empty where nobody refuses
SAID = "d.label <> ''"  # without a label an annotation takes back what was said before


def make(
    store: Store, overlay: Overlay | None, con: duckdb.DuckDBPyConnection, *, asks_profile: bool = False
) -> None:
    """Make `profile`, `person_day` and `annotated_day` of this connection, without whoever refuses.

    With `asks_profile` they are left out of `profile` alone.
    """
    unseen = f" ANTI JOIN temp.{REFUSED} AS r ON v.person = r.person" if _any_refuses(con) else ""

    def seen_in(name: str) -> bool:
        return name == "profile" or not asks_profile

    for name, select in (
        ("profile", profile(store, overlay)),
        ("person_day", _days(store, overlay)),
        ("annotated_day", _annotated(store, overlay)),
    ):
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {name} AS "
            + (f"SELECT v.* FROM ({select}) AS v{unseen}" if unseen and seen_in(name) else select)
        )


def _any_refuses(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(con.execute(f"SELECT 1 FROM temp.{REFUSED} LIMIT 1").fetchall())


def profile(store: Store, overlay: Overlay | None) -> str:
    """A SELECT of everybody's profile."""
    files = f"SELECT * FROM {store.profile}.profile"
    if overlay is None or not overlay.hides_persons:
        return files
    prefix = overlay.prefix
    return (
        f"{files} WHERE person NOT IN (SELECT person FROM memory.{prefix}person)"
        f" UNION ALL BY NAME SELECT * FROM memory.{prefix}again"
        f" UNION ALL BY NAME SELECT * FROM memory.{prefix}profile"
    )


def hidden(store: Store, overlay: Overlay | None, part: str, table: str = "hidden") -> list[str]:
    """The tables that name what of a part is no longer so."""
    found = []
    if store.delta and part == store.base:
        found.append(f"{store.delta}.{table}")
    if overlay is not None and (overlay.hides_subjects if table == "hidden" else overlay.reannotates):
        found.append(f"memory.{overlay.prefix}{table}")
    return found


def _days(store: Store, overlay: Overlay | None) -> str:
    columns = "d.day, d.person, d.n, d.value_minor, d.first_ts, d.last_ts"
    selects = []
    for part in store.parts:
        void = [f"d.subject NOT IN (SELECT subject FROM {t})" for t in hidden(store, overlay, part)]
        selects.append(
            f"SELECT k.name, k.dimension, {columns} FROM {part}.day AS d JOIN {part}.day_key AS k ON d.key = k.key"
            + (f" WHERE {' AND '.join(void)}" if void else "")
        )
    if overlay is not None and overlay.has_rows:
        selects.append(f"SELECT d.name, d.dimension, {columns} FROM memory.{overlay.prefix}day AS d")
    return " UNION ALL ".join(selects)


def _annotated(store: Store, overlay: Overlay | None) -> str:
    columns = "d.name, d.label, d.day, d.person, 1::BIGINT AS n"
    selects = []
    for part in store.parts:
        void = ["d.person IS NOT NULL", SAID]
        void += [f"d.subject NOT IN (SELECT subject FROM {t})" for t in hidden(store, overlay, part)]
        void += [
            f"(d.seq, d.name) NOT IN (SELECT (seq, name) FROM {t})"
            for t in hidden(store, overlay, part, "reannotated")
        ]
        selects.append(f"SELECT {columns} FROM {part}.annotated AS d WHERE {' AND '.join(void)}")
    if overlay is not None:
        selects.append(
            f"SELECT {columns} FROM memory.{overlay.prefix}annotated AS d WHERE d.person IS NOT NULL AND {SAID}"
        )
    return " UNION ALL ".join(selects)
