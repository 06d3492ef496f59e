"""Figures that models write down for people."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from django.db import connection

from rapport.kit import bulk
from rapport.kit.errors import Invalid
from rapport.people.rules import authors, graph, sensitive
from rapport.people.selectors import cores, rows
from rapport.people.selectors import identity as identity_selectors
from rapport.people.services import writing

SCORE = pa.schema(
    [
        pa.field("person", pa.int64(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("value", pa.float64(), nullable=False),
        pa.field("unit", pa.string(), nullable=False),
        pa.field("as_of", pa.timestamp("us", tz="UTC"), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("version", pa.string(), nullable=False),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
        pa.field("label", pa.string()),
        pa.field("reason", pa.string()),
    ]
)
_MEMBERS = pa.schema([("id", pa.int64()), ("members", pa.int64())])
DROPPED_AT_ONCE = 1_000  # persons a statement, so that others can write in between
READ_ALL_FROM = 50_000  # persons; above this one scan is cheaper than looking each of them up


def write_scores(scores: pa.Table, *, identity: pa.Table | None = None) -> int:
    """Keep the scores (SCORE; the nullable columns may be missing); gives how many were kept.

    `identity` is the table the model read, so that a score over people who were merged since then shows
    as stale; without it, people count as they are now. A score of nobody is left out, and an older one
    never replaces a newer one. Rows over earlier members stay: an un-merge finds them again.

    Raises Denied, and keeps nothing, where a score is of what nobody may infer (rules.sensitive).
    """
    rows_ = _conform(scores)
    for name in pc.unique(rows_["name"]).to_pylist():
        sensitive.refuse(name)
    persons = rows.numbers(rows_, "person")
    known, members = _members(np.unique(persons), identity)
    # Of a public author no figure is kept: they are counted together or not at all.
    there = graph.is_in(persons, known) & ~graph.is_in(persons, cores.person_ids(authors.AUTHOR))
    if identity is not None:
        # Whoever was erased since the model read stays so.
        there &= graph.is_in(persons, _still_known(np.unique(persons)))
    rows_ = rows_.filter(pa.array(there)).append_column(
        "members", pa.array(members[np.searchsorted(known, persons[there])])
    )
    if rows_.num_rows > writing.SLICE_ROWS:
        # Said before and after: whoever copies them in between reads them again.
        writing.scores_change()
        written = _upsert(rows_)
        writing.scores_change()
        return written
    with writing.change() as number:
        writing.touch(np.unique(rows.numbers(rows_, "person")), number)
        return _upsert(rows_)


def _upsert(scores: pa.Table) -> int:
    columns = scores.column_names
    return bulk.upsert(
        "people_score",
        columns,
        writing.tuples(scores.sort_by([("person", "ascending"), ("name", "ascending")])),
        conflict=("person", "name", "members"),
        update=[c for c in columns if c not in {"person", "name", "members"}],
        where="excluded.as_of >= people_score.as_of",
    )


def drop_scores(
    subjects: graph.Subjects, model: str, *, name: str = "", before: dt.datetime | None = None
) -> int:
    """Forget what a model wrote (under a name; before a time) of the persons these subjects belong to, or once were.

    A person's score was computed over all their subjects, so one of them is enough.
    """
    known = rows.of(
        "identity",
        pa.schema([("subject", pa.int64()), ("person", pa.int64())]),
        "subject",
        np.unique(subjects),
    )
    persons = np.unique(np.concatenate([rows.numbers(known, "person"), graph.as_subjects(subjects)]))
    older = (" AND as_of < %s" if before else "") + (" AND name = %s" if name else "")
    asked = [bulk.time_value(before)] * bool(before) + [name] * bool(name)
    dropped = 0
    for at in range(0, persons.size, DROPPED_AT_ONCE):
        if at:
            writing.pause()
        part = persons[at : at + DROPPED_AT_ONCE]
        with writing.change() as number, connection.cursor() as cursor:
            cursor.execute(
                f"DELETE FROM people_score WHERE model = %s AND {rows.among('person')}{older}",
                [model, rows.listed(part), *asked],
            )
            if cursor.rowcount and persons.size <= DROPPED_AT_ONCE:
                writing.touch(part, number)
            dropped += cursor.rowcount
    if dropped and persons.size > DROPPED_AT_ONCE:
        writing.scores_change()
    return dropped


def _conform(scores: pa.Table) -> pa.Table:
    columns = []
    for field in SCORE:
        if field.name in scores.column_names:
            column = pc.cast(scores[field.name], field.type)
            if not field.nullable and column.null_count:
                raise Invalid(f"{column.null_count} scores have no {field.name}", "Leave these rows out.")
        elif field.nullable:
            column = pa.nulls(scores.num_rows, field.type)
        else:
            raise Invalid(f"the scores have no column {field.name}", f"They need {', '.join(SCORE.names)}.")
        if field.name in {"label", "reason"}:
            column = pc.fill_null(column, "")
        columns.append(column)
    return pa.table(columns, schema=SCORE)


def _still_known(persons: graph.Subjects) -> graph.Subjects:
    """Those of the persons that are known now, ascending; one that was merged away is, by their own subject."""
    if persons.size > READ_ALL_FROM:
        everyone = rows.numbers(identity_selectors.identity_arrow(), "subject")
        return persons[graph.is_in(persons, everyone)]
    found = rows.of("identity", pa.schema([("subject", pa.int64())]), "subject", persons)
    return np.unique(rows.numbers(found, "subject"))


def _members(persons: graph.Subjects, identity: pa.Table | None) -> tuple[graph.Subjects, graph.Subjects]:
    if identity is not None:
        known, members, _ = graph.fingerprints(
            rows.numbers(identity, "person"), rows.numbers(identity, "subject")
        )
        return known, members
    if persons.size > READ_ALL_FROM:
        found = rows.table("SELECT id, members FROM people_person ORDER BY id", _MEMBERS)
    else:
        found = rows.of("person", _MEMBERS, "id", persons).sort_by("id")
    return rows.numbers(found, "id"), rows.numbers(found, "members")
