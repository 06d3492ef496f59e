"""What was committed since the files were written, laid over them.

The difference is worked out against the files, in tables of the store's memory: the counters of newer
events, and the profile of whoever changed. Subjects whose person is another now are hidden in the files,
and their rows are laid down again under the person they are now.
"""

from __future__ import annotations

import duckdb
import numpy as np
import pyarrow as pa

from rapport.people.rules import graph, words
from rapport.people.selectors import rows, wholesale
from rapport.segments.selectors import columns_log, columns_profile
from rapport.segments.selectors.columns_store import Overlay, Position, Store

DAY = "name, dimension, day, n, value_minor, first_ts, last_ts"


def laid_over(store: Store, at: Position) -> Overlay:
    """The overlay that brings the files up to a position."""
    con = store.con.cursor()
    try:
        con.execute("SET TimeZone = 'UTC'")
        _append_log(store, con, at.head)
        store.n_overlays += 1
        overlay = Overlay(f"o{store.n_overlays}_", at)
        touched = _touched(store, con)
        overlay.touched = touched.size
        _affected(store, con)
        _lay_days(store, con, overlay)
        _lay_profile(store, con, overlay)
        _lay_annotated(con, overlay)
        con.execute(f"CREATE TABLE {overlay.prefix}changed AS SELECT subject, person FROM changed")
        return overlay
    finally:
        con.close()


def _append_log(store: Store, con: duckdb.DuckDBPyConnection, head: int) -> None:
    if store.told_seq < store.log_seq:
        # Counted when the files were written, while `people` had not come so far.
        _insert(con, "log_told", columns_log.told(store.told_seq, store.log_seq))
    store.told_seq = head
    if head <= store.log_seq:
        return
    found = columns_log.since(store.log_seq, head)
    con.execute("BEGIN")
    _insert(con, "log_day", found.days)
    _insert(con, "log_told", found.told)
    if found.annotated.num_rows:
        _give(con, "annotated_again", found.annotated)
        con.execute(
            "DELETE FROM log_annotated WHERE (seq, name) IN (SELECT (seq, name) FROM annotated_again)"
        )
        con.execute("INSERT INTO log_annotated BY NAME SELECT * FROM annotated_again")
    con.execute("COMMIT")
    store.log_seq = head


def _insert(con: duckdb.DuckDBPyConnection, table: str, given: pa.Table) -> None:
    con.register("rows_given", given)
    con.execute(f"INSERT INTO {table} BY NAME SELECT * FROM rows_given")
    con.unregister("rows_given")


def _give(con: duckdb.DuckDBPyConnection, name: str, given: pa.Table) -> None:
    con.register("rows_given", given)
    con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM rows_given")
    con.unregister("rows_given")


def _touched(store: Store, con: duckdb.DuckDBPyConnection) -> graph.Subjects:
    """Fill the stages with whoever changed since: `touched` persons, `mine` their subjects, `moved` subjects."""
    since = store.generation.change
    _give(con, "changed", wholesale.identities_since(since))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE moved AS SELECT c.subject, c.person, b.person AS was"
        f" FROM changed AS c LEFT JOIN {store.profile}.belongs AS b ON c.subject = b.subject"
        " WHERE b.person IS DISTINCT FROM c.person"
    )
    stamped = wholesale.persons_since(since)
    _give(con, "stamped", pa.table({"person": stamped}))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE whose AS SELECT s.subject, coalesce(c.person, b.person) AS person FROM"
        " (SELECT subject FROM log_day UNION SELECT subject FROM log_told"
        " UNION SELECT subject FROM log_annotated UNION SELECT subject FROM moved) AS s"
        " LEFT JOIN changed AS c ON s.subject = c.subject"
        f" LEFT JOIN {store.profile}.belongs AS b ON s.subject = b.subject"
        " WHERE coalesce(c.person, b.person) IS NOT NULL"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE touched AS SELECT person FROM stamped UNION SELECT person FROM moved"
        " UNION SELECT was FROM moved WHERE was IS NOT NULL"
        " UNION SELECT w.person FROM log_told AS t JOIN whose AS w ON t.subject = w.subject"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE belongs_all AS"
        f" SELECT b.subject, b.person FROM {store.profile}.belongs AS b"
        " WHERE b.person IN (SELECT person FROM touched) AND b.subject NOT IN (SELECT subject FROM changed)"
        " UNION ALL SELECT c.subject, c.person FROM changed AS c WHERE c.person IN (SELECT person FROM touched)"
    )
    con.execute(
        "INSERT INTO whose SELECT * FROM belongs_all WHERE subject NOT IN (SELECT subject FROM whose)"
    )
    persons, subjects = (
        _numbers(con, "SELECT person FROM touched"),
        _numbers(con, "SELECT subject FROM belongs_all"),
    )
    columns_profile.clear(con)
    if persons.size:
        known = wholesale.known_of(persons, subjects)
        columns_profile.add(con, "person_all", [known.persons])
        columns_profile.add(con, "namespace_all", [known.namespaces])
        columns_profile.add(con, "told_all", [known.told])
        columns_profile.add(con, "score_all", [known.scores])
    return persons


def _numbers(con: duckdb.DuckDBPyConnection, select: str) -> graph.Subjects:
    found = con.execute(select).to_arrow_table()
    return np.unique(rows.numbers(found, found.column_names[0]))


def _affected(store: Store, con: duckdb.DuckDBPyConnection) -> None:
    """Make `recounted` persons, `affected` subjects, and `affected_row`: what the files count of these."""
    held = f"(SELECT person FROM {store.profile}.profile)"
    con.execute(
        "CREATE OR REPLACE TEMP TABLE recounted AS SELECT t.person FROM touched AS t"
        " WHERE t.person IN (SELECT person FROM moved UNION SELECT was FROM moved WHERE was IS NOT NULL)"
        # Who has become a person, or is none any more.
        f" OR (t.person IN (SELECT person FROM person_all)) <> (t.person IN {held})"
    )
    con.execute(
        # Who was nobody yet when the files were written may have rows there too.
        "CREATE OR REPLACE TEMP TABLE affected AS SELECT a.subject, coalesce(b.is_person, false) AS was_person"
        " FROM (SELECT subject FROM moved UNION"
        f" SELECT b.subject FROM {store.profile}.belongs AS b"
        " WHERE b.subject IN (SELECT subject FROM whose WHERE person IN (SELECT person FROM recounted))) AS a"
        f" LEFT JOIN {store.profile}.belongs AS b ON a.subject = b.subject"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE affected_row AS SELECT 0::BIGINT AS subject, {DAY} FROM log_day LIMIT 0"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE affected_annotated AS SELECT seq, name, label, day, subject"
        " FROM log_annotated LIMIT 0"
    )
    count = con.execute("SELECT count(*), count(*) FILTER (WHERE was_person) FROM affected").fetchone() or (
        0,
        0,
    )
    if not count[0]:
        return
    for part in store.parts:
        void = (
            f" AND d.subject NOT IN (SELECT subject FROM {store.delta}.hidden)"
            if store.delta and part == store.base
            else ""
        )
        # Rows of whoever is no person lie apart, by subject: few are found without reading all.
        for table in ("day", "other") if count[1] or part != store.base else ("other",):
            con.execute(
                f"INSERT INTO affected_row SELECT d.subject, k.name, k.dimension, d.day, d.n, d.value_minor,"
                f" d.first_ts, d.last_ts FROM {part}.{table} AS d JOIN {part}.day_key AS k ON d.key = k.key"
                f" WHERE d.subject IN (SELECT subject FROM affected){void}"
            )
        con.execute(
            f"INSERT INTO affected_annotated SELECT d.seq, d.name, d.label, d.day, d.subject"
            f" FROM {part}.annotated AS d WHERE d.subject IN (SELECT subject FROM affected){void}"
            + _not_annotated_again(store, part)
        )


def _not_annotated_again(store: Store, part: str) -> str:
    later = "log_annotated"
    clause = f" AND (d.seq, d.name) NOT IN (SELECT (seq, name) FROM {later})"
    if store.delta and part == store.base:
        clause += f" AND (d.seq, d.name) NOT IN (SELECT (seq, name) FROM {store.delta}.reannotated)"
    return clause


def _lay_days(store: Store, con: duckdb.DuckDBPyConnection, overlay: Overlay) -> None:
    """Make the overlay's counters, and those of whoever is no person, which only a renewal writes down."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE somebody AS SELECT person FROM person_all UNION ALL"
        f" SELECT person FROM {store.profile}.profile WHERE person NOT IN (SELECT person FROM touched)"
    )
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE newer AS SELECT subject, {DAY} FROM affected_row"
        f" UNION ALL SELECT subject, {DAY} FROM log_day"
    )
    con.execute(
        f"CREATE TABLE {overlay.prefix}day AS SELECT n.name, n.dimension, n.day, w.person, n.subject, n.n,"
        " n.value_minor, n.first_ts, n.last_ts FROM newer AS n JOIN whose AS w ON n.subject = w.subject"
        " SEMI JOIN somebody AS p ON w.person = p.person ORDER BY ALL"
    )
    con.execute(
        f"CREATE TABLE {overlay.prefix}other AS SELECT n.* FROM newer AS n LEFT JOIN whose AS w"
        " ON n.subject = w.subject ANTI JOIN somebody AS p ON w.person = p.person"
    )
    con.execute(f"CREATE TABLE {overlay.prefix}hidden AS SELECT DISTINCT subject FROM affected")
    overlay.hides_subjects = _some(con, f"{overlay.prefix}hidden")
    overlay.has_rows = _some(con, f"{overlay.prefix}day")


def _some(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    return bool(con.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall())


def _lay_profile(store: Store, con: duckdb.DuckDBPyConnection, overlay: Overlay) -> None:
    """Make the overlay's profiles: of those read anew, and of those who were merely seen again."""
    prefix, profile = overlay.prefix, f"{store.profile}.profile"
    passive = ", ".join(columns_profile.literal(name) for name in words.NO_SIGN_OF_LIFE)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE seen_new AS SELECT person, min(first_ts)::DATE AS first_seen,"
        f" max(last_ts)::DATE AS last_seen FROM {prefix}day WHERE dimension = '' AND name NOT IN ({passive})"
        " GROUP BY person"
    )
    con.execute(
        "CREATE OR REPLACE TEMP TABLE seen_all AS SELECT person, min(first_seen) AS first_seen,"
        " max(last_seen) AS last_seen FROM (SELECT * FROM seen_new UNION ALL"
        f" SELECT person, first_seen, last_seen FROM {profile} WHERE person IN (SELECT person FROM touched)"
        " AND person NOT IN (SELECT person FROM recounted)) AS s GROUP BY person"
    )
    types = dict(
        con.execute(
            f"SELECT name, \"type\" FROM {store.profile}.column_ WHERE name LIKE 'trait:%'"
        ).fetchall()
    )
    settled = {name.removeprefix("trait:"): columns_profile.SQL_TYPES[type_] for name, type_ in types.items()}
    columns_profile.make(con, f"{prefix}profile", traits=settled)
    con.execute(
        f"CREATE TABLE {prefix}again AS SELECT p.* REPLACE (least(p.first_seen, s.first_seen) AS first_seen,"
        f" greatest(p.last_seen, s.last_seen) AS last_seen) FROM {profile} AS p"
        " JOIN seen_new AS s ON p.person = s.person WHERE p.person NOT IN (SELECT person FROM touched)"
    )
    con.execute(
        f"CREATE TABLE {prefix}person AS SELECT person FROM touched UNION SELECT person FROM {prefix}again"
    )
    overlay.hides_persons = _some(con, f"{prefix}person")


def _lay_annotated(con: duckdb.DuckDBPyConnection, overlay: Overlay) -> None:
    prefix = overlay.prefix
    con.execute(
        f"CREATE TABLE {prefix}annotated AS SELECT a.seq, a.name, a.label, a.day, a.subject, p.person"
        " FROM (SELECT * FROM affected_annotated UNION ALL SELECT * FROM log_annotated) AS a"
        " LEFT JOIN whose AS w ON a.subject = w.subject LEFT JOIN somebody AS p ON w.person = p.person ORDER BY ALL"
    )
    con.execute(f"CREATE TABLE {prefix}reannotated AS SELECT DISTINCT seq, name FROM log_annotated")
    overlay.reannotates = _some(con, f"{prefix}reannotated")
