"""Make the next generation of files out of the last one and what came since."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import duckdb

from rapport.kit import clock
from rapport.people.selectors import wholesale
from rapport.segments.selectors import (
    columns_held,
    columns_overlay,
    columns_profile,
    columns_store,
    columns_views,
)
from rapport.segments.selectors.columns_held import Generation
from rapport.segments.selectors.columns_profile import quoted
from rapport.segments.selectors.columns_store import Position, Store
from rapport.segments.services import columns_writing


def by_difference(
    held: Generation, at: Position, counted: int, say: Callable[[str], None]
) -> Generation | None:
    """The next generation out of the last and what came since; None where the two do not add up."""
    say("reading what came since")
    store = columns_store.open_store(held)
    try:
        overlay = columns_overlay.laid_over(store, at)
        con = store.con.cursor()
        con.execute("SET TimeZone = 'UTC'")
        row = con.execute("SELECT coalesce(sum(n), 0)::BIGINT FROM log_day WHERE dimension = ''").fetchone()
        if held.counted + (int(row[0]) if row else 0) != counted:
            return None  # something was taken out of the log, or mended there
        profile, delta = columns_held.new_name("profile"), columns_held.new_name("day")
        say("writing it down")
        with columns_writing.new_file(con, delta) as part:
            _write_delta(store, con, overlay, part)
            n_added = columns_writing.count(con, f"{part}.day")
        with columns_writing.new_file(con, profile) as file:
            _renew_profile(store, con, overlay, file, at.people.scores != held.scores)
            n_persons = columns_writing.count(con, f"{file}.profile")
    finally:
        store.con.close()
    made = replace(
        held,
        number=held.number + 1,
        profile=profile,
        parts=(held.parts[0], delta),
        change=at.people.change,
        scores=at.people.scores,
        people_seq=at.people.seq,
        seq=at.head,
        made_us=clock.now_us(),
        counted=counted,
        n_persons=n_persons,
        n_rows=held.n_rows - held.n_added + n_added,
        n_added=n_added,
    )
    columns_held.publish(made)
    return made


def _write_delta(
    store: Store, con: duckdb.DuckDBPyConnection, overlay: columns_store.Overlay, part: str
) -> None:
    """All that came since everything was made: the rows of the last such part that still hold, and the newer."""
    prefix, old = f"memory.{overlay.prefix}", store.delta
    days = [
        f"SELECT name, dimension, day, person, subject, n, value_minor, first_ts, last_ts FROM {prefix}day"
    ]
    others = [f"SELECT name, dimension, subject, day, n, value_minor, first_ts, last_ts FROM {prefix}other"]
    annotated = [f"SELECT seq, name, label, day, subject, person FROM {prefix}annotated"]
    hidden, again = [f"SELECT subject FROM {prefix}hidden"], [f"SELECT seq, name FROM {prefix}reannotated"]
    if old:
        still = f"d.subject NOT IN (SELECT subject FROM {prefix}hidden)"
        key = f'JOIN {old}.day_key AS k ON d."key" = k."key" WHERE {still}'
        measured = "d.n, d.value_minor, d.first_ts, d.last_ts"
        days.append(
            f"SELECT k.name, k.dimension, d.day, d.person, d.subject, {measured} FROM {old}.day AS d {key}"
        )
        others.append(f"SELECT k.name, k.dimension, d.subject, d.day, {measured} FROM {old}.other AS d {key}")
        annotated.append(
            f"SELECT d.seq, d.name, d.label, d.day, d.subject, d.person FROM {old}.annotated AS d WHERE {still}"
            f" AND (d.seq, d.name) NOT IN (SELECT (seq, name) FROM {prefix}reannotated)"
        )
        hidden.append(f"SELECT subject FROM {old}.hidden")
        again.append(f"SELECT seq, name FROM {old}.reannotated")
    con.execute(f"CREATE OR REPLACE TEMP TABLE days AS {' UNION ALL '.join(days)}")
    con.execute(f"CREATE OR REPLACE TEMP TABLE others AS {' UNION ALL '.join(others)}")
    con.execute(
        'CREATE OR REPLACE TEMP TABLE keys AS SELECT row_number() OVER (ORDER BY name, dimension)::INTEGER AS "key",'
        " name, dimension FROM (SELECT name, dimension FROM days UNION SELECT name, dimension FROM others)"
    )
    con.execute(f"CREATE TABLE {part}.day ({columns_writing.DAY_COLUMNS})")
    con.execute(
        f'INSERT INTO {part}.day SELECT k."key", d.day, d.person, d.subject, d.n, d.value_minor, d.first_ts,'
        " d.last_ts FROM days AS d JOIN keys AS k ON d.name = k.name AND d.dimension = k.dimension"
        ' ORDER BY k."key", d.day, d.person'
    )
    con.execute(f"CREATE TABLE {part}.other ({columns_writing.OTHER_COLUMNS})")
    con.execute(
        f'INSERT INTO {part}.other SELECT d.subject, k."key", d.day, d.n, d.value_minor, d.first_ts, d.last_ts'
        " FROM others AS d JOIN keys AS k ON d.name = k.name AND d.dimension = k.dimension ORDER BY d.subject"
    )
    columns_writing.write_keys(con, part, "keys")
    con.execute(
        f"CREATE TABLE {part}.annotated AS SELECT * FROM ({' UNION ALL '.join(annotated)}) ORDER BY name, label, day"
    )
    columns_writing.write_labels(con, part)
    con.execute(f"CREATE TABLE {part}.hidden AS {' UNION '.join(hidden)}")
    con.execute(f"CREATE TABLE {part}.reannotated AS {' UNION '.join(again)}")


def _renew_profile(
    store: Store,
    con: duckdb.DuckDBPyConnection,
    overlay: columns_store.Overlay,
    file: str,
    scores_anew: bool,
) -> None:
    view = columns_views.profile(store, overlay)
    units = dict(con.execute(f"SELECT name, unit FROM {store.profile}.column_").fetchall())
    select = f"SELECT p.* FROM ({view}) AS p"
    if scores_anew:
        columns_profile.clear(con)
        columns_profile.add(con, "score_all", wholesale.all_scores())
        units = columns_profile.score_units(con)
        given = columns_profile.scores_pivot(con)
        select = _without_scores(con, view)
        if given:
            select = (
                f"SELECT p.*, s.* EXCLUDE (person) FROM ({select}) AS p LEFT JOIN"
                f" (SELECT person, {given} FROM score_all GROUP BY person) AS s ON p.person = s.person"
            )
    con.execute(f"CREATE TABLE {file}.profile AS SELECT * FROM ({select}) ORDER BY person")
    columns_writing.describe(con, file, units)
    con.execute(
        # `is_person` says where the counters of a subject lie: with those of persons, or apart.
        f"CREATE TABLE {file}.belongs AS SELECT b.subject, b.person, p.person IS NOT NULL AS is_person FROM"
        f" (SELECT subject, person FROM {store.profile}.belongs"
        f" WHERE subject NOT IN (SELECT subject FROM memory.{overlay.prefix}changed)"
        f" UNION ALL SELECT subject, person FROM memory.{overlay.prefix}changed) AS b"
        f" LEFT JOIN {file}.profile AS p ON b.person = p.person ORDER BY b.subject"
    )


def _without_scores(con: duckdb.DuckDBPyConnection, view: str) -> str:
    names = [row[0] for row in con.execute(f"DESCRIBE {view}").fetchall()]
    kept = [quoted(n) for n in names if not n.startswith(("score:", "label:"))]
    return f"SELECT {', '.join(kept)} FROM ({view})"
