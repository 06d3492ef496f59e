"""Make the files of a generation whole: everything from the log and from what is known of people."""

from __future__ import annotations

from collections.abc import Callable

import duckdb

from rapport.events import lake
from rapport.kit import clock, query
from rapport.people import selectors as people
from rapport.people.rules import words
from rapport.people.selectors import wholesale
from rapport.segments.selectors import columns_held, columns_log, columns_profile
from rapport.segments.selectors.columns_held import Generation
from rapport.segments.selectors.columns_profile import literal
from rapport.segments.services import columns_writing

Progress = Callable[[str], None]


def whole(present: wholesale.Present, say: Progress) -> Generation:
    """Everything from the log and from what is known of people; what came in meanwhile comes with the next."""
    con = lake.connect()
    profile, base = columns_held.new_name("profile"), columns_held.new_name("day")
    try:
        with (
            columns_writing.new_file(con, base) as part,
            columns_writing.new_file(con, profile) as people_file,
        ):
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
            n_rows = columns_writing.count(con, f"{part}.day")
    finally:
        for name in _STAGES:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")
        con.close()
    now_us = clock.now_us()
    made = Generation(
        number=columns_writing.next_number(),
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
    con.execute(f"CREATE TABLE {part}.day ({columns_writing.DAY_COLUMNS})")
    con.execute(f"CREATE TABLE {part}.other ({columns_writing.OTHER_COLUMNS})")
    for name, text in (("day", "counted_day"), ("other", "counted_other")):
        con.execute(f"INSERT INTO {part}.{name} {query.load('rapport.segments', text).text}")
    columns_writing.write_keys(con, part, "temp.day_key")
    con.execute(f"CREATE TABLE {part}.hidden (subject BIGINT)")


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
    columns_writing.write_labels(con, part)
    con.execute(f"CREATE TABLE {part}.reannotated (seq BIGINT, name VARCHAR)")


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
    columns_writing.describe(con, file, columns_profile.score_units(con))
    return columns_writing.count(con, f"{file}.profile")
