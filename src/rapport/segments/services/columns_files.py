"""Make the files of a generation: whole, by what came since the last, or without somebody who was erased."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from rapport.events import lake
from rapport.kit import clock, query
from rapport.people import selectors as people
from rapport.people.rules import words
from rapport.people.selectors import wholesale
from rapport.segments.selectors import (
    columns_held,
    columns_log,
    columns_profile,
    columns_store,
    columns_views,
)
from rapport.segments.selectors.columns_held import Generation
from rapport.segments.selectors.columns_profile import literal, quoted
from rapport.segments.selectors.columns_store import Position, Store

Progress = Callable[[str], None]

_DAY = (
    '"key" INTEGER, day DATE, person BIGINT, subject BIGINT, n BIGINT, value_minor BIGINT,'
    " first_ts TIMESTAMPTZ, last_ts TIMESTAMPTZ"
)
_OTHER = (
    'subject BIGINT, "key" INTEGER, day DATE, n BIGINT, value_minor BIGINT, first_ts TIMESTAMPTZ,'
    " last_ts TIMESTAMPTZ"
)


def whole(present: wholesale.Present, say: Progress) -> Generation:
    """Everything from the log and from what is known of people; what came in meanwhile comes with the next."""
    con = lake.connect()
    profile, base = columns_held.new_name("profile"), columns_held.new_name("day")
    try:
        with _new_file(con, base) as part, _new_file(con, profile) as people_file:
            say("reading who is whom")
            _stage_everybody(con)
            con.execute("BEGIN")
            head, counted = columns_log.offset(con), columns_log.counted(con)
            say("sorting what people did")
            _write_days(con, part)
            _write_annotated(con, part, head)
            con.execute("COMMIT")
            say("reading what is known of them")
            _stage_known(con)
            _stage_seen(con, f"{part}.day", part)
            n_persons = _write_profile(con, people_file)
            con.execute(
                f"CREATE TABLE {people_file}.belongs AS SELECT subject, person, is_person FROM temp.belongs"
                " ORDER BY subject"
            )
            n_rows = _count(con, f"{part}.day")
    finally:
        for name in _STAGES:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")
        con.close()
    now_us = clock.now_us()
    made = Generation(
        number=_next_number(),
        stamp=columns_held.present_stamp(),
        profile=profile,
        parts=(base,),
        epoch=present.epoch,
        change=present.change,
        scores=present.scores,
        people_seq=present.seq,
        seq=head,
        made_us=now_us,
        whole_us=now_us,
        counted=counted,
        n_persons=n_persons,
        n_rows=n_rows,
    )
    columns_held.publish(made)
    return made


_STAGES = (
    "belongs",
    "belongs_all",
    "seen_all",
    "day_key",
    "person_all",
    "namespace_all",
    "told_all",
    "score_all",
)


@contextmanager
def _new_file(con: duckdb.DuckDBPyConnection, name: str) -> Iterator[str]:
    """A new file to write, under its alias; closed and whole afterwards."""
    alias = quoted(Path(name).stem)
    con.execute(f"ATTACH '{columns_held.file(name)}' AS {alias}")
    try:
        yield alias
        con.execute(f"CHECKPOINT {alias}")
    except BaseException:
        _roll_back(con)
        con.execute(f"DETACH {alias}")
        columns_held.file(name).unlink(missing_ok=True)
        raise
    con.execute(f"DETACH {alias}")


def _roll_back(con: duckdb.DuckDBPyConnection) -> None:
    try:
        con.execute("ROLLBACK")
    except duckdb.TransactionException:
        return  # none was open


def _next_number() -> int:
    held = columns_held.current()
    return held.number + 1 if held else 1


def _stage_everybody(con: duckdb.DuckDBPyConnection) -> None:
    columns_profile.clear(con)
    columns_profile.add(con, "person_all", wholesale.everybody())
    lake.give(con, "belongs_all", people.identity_arrow().select(["subject", "person"]))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE belongs AS SELECT b.subject, b.person, p.person IS NOT NULL AS is_person"
        " FROM temp.belongs_all AS b LEFT JOIN temp.person_all AS p ON b.person = p.person"
    )


def _write_days(con: duckdb.DuckDBPyConnection, part: str) -> None:
    """Counters of persons, by name and day; and those of whoever is no person, or not known yet, by subject."""
    con.execute(
        "CREATE OR REPLACE TEMP TABLE day_key AS SELECT row_number() OVER (ORDER BY name, dimension)::INTEGER"
        ' AS "key", name, dimension FROM (SELECT DISTINCT name, dimension FROM lake.subject_day)'
    )
    con.execute(f"CREATE TABLE {part}.day ({_DAY})")
    con.execute(f"CREATE TABLE {part}.other ({_OTHER})")
    for name, text in (("day", "counted_day"), ("other", "counted_other")):
        con.execute(f"INSERT INTO {part}.{name} {query.load('rapport.segments', text).text}")
    _write_keys(con, part, "temp.day_key")
    con.execute(f"CREATE TABLE {part}.hidden (subject BIGINT)")


def _write_keys(con: duckdb.DuckDBPyConnection, part: str, keys: str) -> None:
    """The kinds of counters there are in a part, and how many of each."""
    con.execute(
        f'CREATE TABLE {part}.day_key AS SELECT k."key", k.name, k.dimension,'
        " coalesce(d.n_rows, 0) AS n_rows, coalesce(d.n, 0) AS n, coalesce(d.has_value, false) AS has_value"
        f' FROM {keys} AS k LEFT JOIN (SELECT "key", count(*) AS n_rows, sum(n)::BIGINT AS n,'
        f' bool_or(value_minor <> 0) AS has_value FROM {part}.day GROUP BY "key") AS d ON k."key" = d."key"'
        f' WHERE d."key" IS NOT NULL OR k."key" IN (SELECT "key" FROM {part}.other)'
        ' ORDER BY k."key"'
    )


def _write_annotated(con: duckdb.DuckDBPyConnection, part: str, head: int) -> None:
    con.execute(
        f"CREATE TABLE {part}.annotated (seq BIGINT, name VARCHAR, label VARCHAR, day DATE, subject BIGINT,"
        " person BIGINT)"
    )
    text = query.load("rapport.segments", "annotated").text
    con.execute(
        f"INSERT INTO {part}.annotated SELECT a.seq, a.name, a.label, a.day, a.subject, b.person FROM ({text}) AS a"
        " LEFT JOIN (SELECT subject, person FROM temp.belongs WHERE is_person) AS b ON a.subject = b.subject"
        " ORDER BY a.name, a.label, a.day",
        {"after": -1, "upto": head},
    )
    _write_labels(con, part)
    con.execute(f"CREATE TABLE {part}.reannotated (seq BIGINT, name VARCHAR)")


def _write_labels(con: duckdb.DuckDBPyConnection, part: str) -> None:
    con.execute(f"CREATE TABLE {part}.label_ AS SELECT DISTINCT name, label FROM {part}.annotated")


def _stage_known(con: duckdb.DuckDBPyConnection) -> None:
    columns_profile.add(con, "namespace_all", wholesale.all_namespaces())
    columns_profile.add(con, "told_all", wholesale.all_told())
    columns_profile.add(con, "score_all", wholesale.all_scores())


def _stage_seen(con: duckdb.DuckDBPyConnection, days: str, part: str) -> None:
    passive = ", ".join(literal(name) for name in words.NO_SIGN_OF_LIFE)
    con.execute(
        "CREATE OR REPLACE TEMP TABLE seen_all AS SELECT d.person, min(d.first_ts)::DATE AS first_seen,"
        f' max(d.last_ts)::DATE AS last_seen FROM {days} AS d JOIN {part}.day_key AS k ON d."key" = k."key"'
        f" WHERE k.dimension = '' AND k.name NOT IN ({passive}) GROUP BY d.person"
    )


def _write_profile(con: duckdb.DuckDBPyConnection, file: str) -> int:
    columns_profile.make(con, f"{file}.profile")
    _describe(con, file, columns_profile.score_units(con))
    return _count(con, f"{file}.profile")


def _describe(con: duckdb.DuckDBPyConnection, file: str, units: dict[str, str]) -> None:
    columns_profile.describe(con, f"{file}.profile", f"{file}.column_", units)
    con.execute(
        f"CREATE TABLE {file}.namespace_ AS SELECT DISTINCT unnest(namespaces) AS namespace FROM {file}.profile"
    )


def _count(con: duckdb.DuckDBPyConnection, table: str) -> int:
    row = con.execute(f"SELECT count(*) FROM {table}").fetchone()
    return int(row[0]) if row else 0


# By difference


def by_difference(held: Generation, at: Position, counted: int, say: Progress) -> Generation | None:
    """The next generation out of the last and what came since; None where the two do not add up."""
    say("reading what came since")
    store = columns_store.open_store(held)
    try:
        overlay = columns_store.laid_over(store, at)
        con = store.con.cursor()
        con.execute("SET TimeZone = 'UTC'")
        row = con.execute("SELECT coalesce(sum(n), 0)::BIGINT FROM log_day WHERE dimension = ''").fetchone()
        if held.counted + (int(row[0]) if row else 0) != counted:
            return None  # something was taken out of the log, or mended there
        profile, delta = columns_held.new_name("profile"), columns_held.new_name("day")
        say("writing it down")
        with _new_file(con, delta) as part:
            _write_delta(store, con, overlay, part)
            n_added = _count(con, f"{part}.day")
        with _new_file(con, profile) as file:
            _renew_profile(store, con, overlay, file, at.people.scores != held.scores)
            n_persons = _count(con, f"{file}.profile")
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
    con.execute(f"CREATE TABLE {part}.day ({_DAY})")
    con.execute(
        f'INSERT INTO {part}.day SELECT k."key", d.day, d.person, d.subject, d.n, d.value_minor, d.first_ts,'
        " d.last_ts FROM days AS d JOIN keys AS k ON d.name = k.name AND d.dimension = k.dimension"
        ' ORDER BY k."key", d.day, d.person'
    )
    con.execute(f"CREATE TABLE {part}.other ({_OTHER})")
    con.execute(
        f'INSERT INTO {part}.other SELECT d.subject, k."key", d.day, d.n, d.value_minor, d.first_ts, d.last_ts'
        " FROM others AS d JOIN keys AS k ON d.name = k.name AND d.dimension = k.dimension ORDER BY d.subject"
    )
    _write_keys(con, part, "keys")
    con.execute(
        f"CREATE TABLE {part}.annotated AS SELECT * FROM ({' UNION ALL '.join(annotated)}) ORDER BY name, label, day"
    )
    _write_labels(con, part)
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
    _describe(con, file, units)
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


# Without somebody


def without(held: Generation, subjects: Sequence[int]) -> tuple[Generation, int]:
    """The same generation as if these subjects had never been; gives also how many rows that took.

    Left out with them are the profiles of whoever changed since, for what others were told may have quoted
    them; readers have those from the operational store until the next renewal.
    """
    con = lake.new_engine()
    con.execute("RESET disabled_optimizers")
    store_names = {name: quoted(Path(name).stem) for name in held.files}
    n = 0
    made: dict[str, str] = {}
    try:
        for name, alias in store_names.items():
            con.execute(f"ATTACH '{columns_held.file(name)}' AS {alias} (READ_ONLY)")
        lake.give(con, "gone", pa.table({"subject": pa.array(np.unique(np.asarray(subjects, np.int64)))}))
        changed = wholesale.persons_since(held.change)
        lake.give(con, "stamped", pa.table({"person": changed}))
        old = store_names[held.profile]
        con.execute(
            "CREATE OR REPLACE TEMP TABLE left_out AS SELECT subject AS person FROM gone UNION SELECT person FROM"
            f" stamped UNION SELECT person FROM {old}.belongs WHERE subject IN (SELECT subject FROM gone)"
        )
        taken = _counted_of(con, [store_names[name] for name in held.parts])
        for name in held.parts:
            made[name] = columns_held.new_name("day")
            with _new_file(con, made[name]) as part:
                n += _copy_part(con, store_names[name], part)
        made[held.profile] = columns_held.new_name("profile")
        with _new_file(con, made[held.profile]) as file:
            n += _copy(
                con, f"{old}.profile", f"{file}.profile", "person NOT IN (SELECT person FROM left_out)"
            )
            n += _copy(con, f"{old}.belongs", f"{file}.belongs", "subject NOT IN (SELECT subject FROM gone)")
            units = dict(con.execute(f"SELECT name, unit FROM {old}.column_").fetchall())
            _describe(con, file, units)
    finally:
        con.close()
    again = replace(
        held,
        number=held.number + 1,
        profile=made[held.profile],
        parts=tuple(made[name] for name in held.parts),
        counted=held.counted - taken,
    )
    return again, n


def _counted_of(con: duckdb.DuckDBPyConnection, parts: Sequence[str]) -> int:
    """Events counted of those who are gone, each where it still holds."""
    n = 0
    for at, part in enumerate(parts):
        still = (
            f" AND d.subject NOT IN (SELECT subject FROM {parts[1]}.hidden)"
            if at == 0 and len(parts) > 1
            else ""
        )
        for table in ("day", "other"):
            row = con.execute(
                f"SELECT coalesce(sum(d.n), 0)::BIGINT FROM {part}.{table} AS d JOIN {part}.day_key AS k"
                f' ON d."key" = k."key" WHERE k.dimension = \'\' AND d.subject IN (SELECT subject FROM gone){still}'
            ).fetchone()
            n += int(row[0]) if row else 0
    return n


_GONE = "subject NOT IN (SELECT subject FROM gone)"


def _copy_part(con: duckdb.DuckDBPyConnection, old: str, part: str) -> int:
    n = sum(_copy(con, f"{old}.{t}", f"{part}.{t}", _GONE) for t in ("day", "other", "annotated", "hidden"))
    con.execute(f"CREATE TABLE {part}.reannotated AS SELECT * FROM {old}.reannotated")
    _write_keys(con, part, f"{old}.day_key")
    _write_labels(con, part)
    return n


def _copy(con: duckdb.DuckDBPyConnection, old: str, new: str, where: str) -> int:
    con.execute(f"CREATE TABLE {new} AS SELECT * FROM {old} WHERE {where}")
    return _count(con, old) - _count(con, new)
