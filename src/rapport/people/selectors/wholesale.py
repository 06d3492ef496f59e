"""What is known of everybody, or of some, in pieces: for whoever keeps a copy of it in columns.

A copy is brought up to date by what changed since a number of the counter: identities and persons carry it.
A trait that the log told is changed by its event; a trait or a score that changed otherwise stamps its
person; and where many scores changed at once, `present().scores` is another number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa

from rapport.events import subscriptions
from rapport.people.rules import graph
from rapport.people.selectors import rows

SUBSCRIBER = "people"
PIECE_ROWS = 100_000

PERSON = pa.schema(
    [
        ("person", pa.int64()),
        ("kind", pa.string()),
        ("country", pa.string()),
        ("language", pa.string()),
    ]
)
NAMESPACE = pa.schema([("subject", pa.int64()), ("namespace", pa.string())])
TOLD = pa.schema(
    [
        ("subject", pa.int64()),
        ("name", pa.string()),
        ("origin", pa.string()),
        ("value", pa.string()),  # JSON
        ("confidence", pa.float64()),
        ("at", pa.timestamp("us", tz="UTC")),
        ("seq", pa.int64()),
    ]
)
SCORE = pa.schema(
    [
        ("person", pa.int64()),
        ("name", pa.string()),
        ("value", pa.float64()),
        ("label", pa.string()),
        ("unit", pa.string()),
    ]
)
BELONGS = pa.schema([("subject", pa.int64()), ("person", pa.int64())])


@dataclass(frozen=True, slots=True)
class Present:
    """How far everything is that is known of people; take it before reading, so that nothing is missed."""

    epoch: str  # tells this database from a restored copy
    change: int
    scores: int
    seq: int  # the last event whose traits are written down


def present() -> Present:
    """The numbers of the newest changes."""
    epoch, change = rows.CHANGES.present()
    return Present(epoch, change, rows.SCORES.present()[1], subscriptions.position(SUBSCRIBER))


def identities_since(change: int) -> pa.Table:
    """subject and person wherever that changed since."""
    sql = "SELECT subject, person FROM people_identity WHERE changed_seq > %s"
    return rows.table(sql, BELONGS, [change])


def persons_since(change: int) -> graph.Subjects:
    """Ids of the persons who changed since."""
    found = rows.table(
        "SELECT id FROM people_person WHERE changed_seq > %s", pa.schema([("id", pa.int64())]), [change]
    )
    return rows.numbers(found, "id")


def n_changed(change: int, upto: int) -> int:
    """How many identities or persons changed since, whichever are more; counted no further than `upto`."""
    most = 0
    for table in ("people_identity", "people_person"):
        found = rows.table(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE changed_seq > %s LIMIT %s) AS changed",
            pa.schema([("n", pa.int64())]),
            [change, upto],
        )
        most = max(most, int(rows.numbers(found, "n")[0]))
    return most


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of some persons, or of a piece of everybody."""

    persons: pa.Table
    namespaces: pa.Table
    told: pa.Table
    scores: pa.Table


_PERSON = "id, kind, country, language"
_TRAITS = "subject, name, origin, value, confidence, {at}, seq"
_SCORES = (
    "SELECT s.person, s.name, s.value, s.label, s.unit FROM people_score AS s"
    " INNER JOIN people_person AS p ON p.id = s.person AND p.members = s.members WHERE "
)


def known_of(persons: graph.Subjects, subjects: graph.Subjects) -> Known:
    """Everything of these persons, whose subjects these are; only those of kind person have a row."""
    wanted = rows.listed(persons)
    return Known(
        rows.table(
            f"SELECT {_PERSON} FROM people_person WHERE kind = 'person' AND {rows.among('id')}",
            PERSON,
            [wanted],
        ),
        rows.of("identifier", NAMESPACE, "subject", subjects),
        rows.of("trait", TOLD, "subject", subjects),
        rows.table(f"{_SCORES}{rows.among('s.person')}", SCORE, [wanted]),
    )


def everybody() -> Iterator[pa.Table]:
    """Every person of kind person, in pieces, ascending."""
    yield from _pieces(
        f"SELECT {_PERSON} FROM people_person WHERE kind = 'person' AND id > %s ORDER BY id LIMIT %s",
        PERSON,
        "person",
    )


def all_namespaces() -> Iterator[pa.Table]:
    """Of which kind each identifier is, in pieces."""
    yield from _pieces(
        "SELECT subject, namespace FROM people_identifier WHERE subject > %s ORDER BY subject LIMIT %s",
        NAMESPACE,
        "subject",
    )


def all_told() -> Iterator[pa.Table]:
    """Every trait as each source told it, in pieces."""
    for low, high in _spans("people_trait", "subject", PIECE_ROWS):
        columns = _TRAITS.format(at=rows.time("observed_at"))
        yield rows.table(
            f"SELECT {columns} FROM people_trait WHERE subject > %s AND subject <= %s", TOLD, [low, high]
        )


def all_scores() -> Iterator[pa.Table]:
    """Every score over the subjects that its person has now, in pieces."""
    for low, high in _spans("people_score", "person", PIECE_ROWS):
        yield rows.table(f"{_SCORES}s.person > %s AND s.person <= %s", SCORE, [low, high])


def _pieces(sql: str, schema: pa.Schema, key: str) -> Iterator[pa.Table]:
    last = -1
    while (piece := rows.table(sql, schema, [last, PIECE_ROWS])).num_rows:
        yield piece
        last = int(rows.numbers(piece, key)[-1])


def _spans(table: str, key: str, size: int) -> Iterator[tuple[int, int]]:
    """Ranges of a key that hold about so many rows each; rows of one number are never parted."""
    schema = pa.schema([("last", pa.int64())])
    last = -1
    while True:
        found = rows.table(
            f"SELECT max({key}) FROM (SELECT {key} FROM {table} WHERE {key} > %s ORDER BY {key} LIMIT %s) AS piece",
            schema,
            [last, size],
        )["last"][0].as_py()
        if found is None:
            return
        yield last, int(found)
        last = int(found)
