"""One row per person out of what is known of them: traits, scores and the like, each a column of its type.

The steps are tables of the given connection: `person_all`, `belongs_all`, `namespace_all`, `told_all`,
`score_all` hold the persons asked about, and `seen_all` when they were seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import duckdb
import pyarrow as pa

from rapport.kit import query
from rapport.people.rules import sensitive
from rapport.people.selectors import wholesale
from rapport.segments.rules.catalogue import LABEL, SCORE, TRAIT

SQL_TYPES: Final[Mapping[str, str]] = {
    "number": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "text": "VARCHAR",
}
TYPES: Final[Mapping[str, str]] = {sql: type_ for type_, sql in SQL_TYPES.items()}
TRAITS_MAX = 300  # columns; of more traits, those that are known of the most people
FITS_RATIO = 0.99  # of the values that must read as a type; the others are left empty
# Codes, whatever digits they are made of.
CODES = frozenset({"postcode", "phone", "number", "house", "street_number", "vat", "iban"})
OFFERED = 50  # values of a text
OFFERED_RATIO = 0.2  # of the people whose value must be among these; else the values name people
REACHED_BY = ("email", "phone")  # namespaces with a column of their own

_STAGES: Final[Mapping[str, pa.Schema]] = {
    "person_all": wholesale.PERSON,
    "namespace_all": wholesale.NAMESPACE,
    "told_all": wholesale.TOLD,
    "score_all": wholesale.SCORE,
}


def quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Empty the stages."""
    for name, schema in _STAGES.items():
        con.register("shape", schema.empty_table())
        con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM shape")
        con.unregister("shape")


def add(con: duckdb.DuckDBPyConnection, name: str, pieces: Iterable[pa.Table]) -> None:
    """Lay pieces down in a stage."""
    for piece in pieces:
        con.register("piece", piece)
        con.execute(f"INSERT INTO temp.{name} SELECT * FROM piece")
        con.unregister("piece")


def trait_types(con: duckdb.DuckDBPyConnection, known: Mapping[str, str]) -> dict[str, str]:
    """The SQL type of each trait in `believed`; of those in `known`, the one they have."""
    found = query.run(con, query.load("rapport.segments", "trait_type")).fetchall()
    names = [name for name, *_ in found]
    closed = sensitive.are_sensitive(pa.chunked_array([pa.array(names, pa.string())])).to_pylist()
    types: dict[str, str] = {}
    for (name, n, *fits), is_closed in zip(found, closed, strict=True):
        if is_closed or len(types) >= TRAITS_MAX:
            continue
        kinds = dict(zip(("number", "boolean", "date"), fits, strict=True))
        best = max(kinds, key=lambda k: kinds[k])
        if name in CODES or kinds[best] < FITS_RATIO * n:
            best = "text"
        types[name] = known.get(name) or SQL_TYPES[best]
    return types


def make(con: duckdb.DuckDBPyConnection, target: str, *, traits: Mapping[str, str] | None = None) -> None:
    """Make the table `target` from the stages, ascending by person; `traits` are types that are settled."""
    believed = query.load("rapport.segments", "believed").text
    con.execute(f"CREATE OR REPLACE TEMP TABLE believed AS {believed}")
    types = trait_types(con, traits or {})
    told = ", ".join(
        f"max({_typed(type_)}) FILTER (WHERE name = {literal(name)}) AS {quoted(TRAIT + name)}"
        for name, type_ in types.items()
    )
    given = scores_pivot(con)
    reached = ", ".join(
        f"coalesce(list_contains(n.namespaces, {literal(kind)}), false) AS has_{kind}" for kind in REACHED_BY
    )
    joins = columns = ""
    if told:
        columns += ", t.* EXCLUDE (person)"
        joins += (
            f" LEFT JOIN (SELECT person, {told} FROM believed GROUP BY person) AS t ON p.person = t.person"
        )
    if given:
        columns += ", s.* EXCLUDE (person)"
        joins += (
            f" LEFT JOIN (SELECT person, {given} FROM score_all GROUP BY person) AS s ON p.person = s.person"
        )
    con.execute(
        f"CREATE OR REPLACE TABLE {target} AS SELECT p.person, p.kind, nullif(p.country, '') AS country,"
        " nullif(p.language, '') AS language, a.first_seen, a.last_seen,"
        f" coalesce(n.namespaces, []::VARCHAR[]) AS namespaces, {reached}{columns}"
        " FROM person_all AS p"
        " LEFT JOIN seen_all AS a ON p.person = a.person"
        " LEFT JOIN (SELECT b.person, list_sort(list(DISTINCT i.namespace)) AS namespaces"
        " FROM namespace_all AS i JOIN belongs_all AS b ON i.subject = b.subject GROUP BY b.person) AS n"
        f" ON p.person = n.person{joins} ORDER BY p.person"
    )
    con.execute("DROP TABLE temp.believed")


def scores_pivot(con: duckdb.DuckDBPyConnection) -> str:
    """The columns that the stage `score_all` makes, as expressions over its rows of one person."""
    scored = con.execute(
        "SELECT name, bool_or(label <> '') FROM score_all GROUP BY name ORDER BY name"
    ).fetchall()
    return ", ".join(
        f"max(value) FILTER (WHERE name = {literal(name)}) AS {quoted(SCORE + name)}"
        + (
            f", max(nullif(label, '')) FILTER (WHERE name = {literal(name)}) AS {quoted(LABEL + name)}"
            if labelled
            else ""
        )
        for name, labelled in scored
    )


def score_units(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The unit of each score's column."""
    found = con.execute("SELECT name, max(unit) FROM score_all GROUP BY name").fetchall()
    return {SCORE + name: unit for name, unit in found}


def _typed(type_: str) -> str:
    if type_ == "DATE":
        return "try_cast(left(value, 10) AS DATE)"
    if type_ == "DOUBLE":
        # "nan" and "inf" read as numbers, and would stand above all of them.
        return "CASE WHEN isfinite(try_cast(value AS DOUBLE)) THEN try_cast(value AS DOUBLE) END"
    return "value" if type_ == "VARCHAR" else f"try_cast(value AS {type_})"


def describe(
    con: duckdb.DuckDBPyConnection, target: str, into: str, units: Mapping[str, str] | None = None
) -> None:
    """Make the table `into`: name, type, the values to offer and the unit of each column of `target`."""
    con.execute(
        f'CREATE OR REPLACE TABLE {into} (name VARCHAR, "type" VARCHAR, "values" VARCHAR[], unit VARCHAR)'
    )
    shape = con.execute(f"DESCRIBE {target}").fetchall()
    named = [(name, type_) for name, type_, *_ in shape if type_ in TYPES and name != "person"]
    described = [
        (
            name,
            TYPES[type_],
            _offered(con, target, name) if type_ == "VARCHAR" else [],
            (units or {}).get(name, ""),
        )
        for name, type_ in named
    ]
    columns = list(zip(*described, strict=True)) or [(), (), (), ()]
    con.register(
        "described",
        pa.table([pa.array(c, t) for c, t in zip(columns, _DESCRIBED, strict=True)], names=_NAMES),
    )
    con.execute(f"INSERT INTO {into} SELECT * FROM described")
    con.unregister("described")


_NAMES = ["name", "type", "values", "unit"]
_DESCRIBED = [pa.string(), pa.string(), pa.list_(pa.string()), pa.string()]


def _offered(con: duckdb.DuckDBPyConnection, target: str, name: str) -> list[str]:
    column = quoted(name)
    found = con.execute(
        f"SELECT {column}, count(*) AS n FROM {target} WHERE {column} IS NOT NULL"
        f" GROUP BY ALL ORDER BY n DESC, 1 LIMIT {OFFERED}"
    ).fetchall()
    if len(found) < OFFERED:
        return [value for value, _ in found]
    row = con.execute(f"SELECT count({column}) FROM {target}").fetchone()
    covered = sum(n for _, n in found)
    return [value for value, _ in found] if row and covered >= OFFERED_RATIO * row[0] else []
