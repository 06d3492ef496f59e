"""Named analytical queries: one `.sql` file each, with a header, checked when a process starts.

A file begins with comment lines `-- key: value`. Four keys are required: `grain` (what one row is),
`needs` (tables and relations it reads), `gives` (its columns) and `units`. Parameters are written `$name`.
A relation that the caller makes, and no store has, is described by a line of its own, so that the query
can be checked without it: `-- given: shown(seq BIGINT, ts TIMESTAMPTZ)`.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from rapport.kit.errors import Invalid, NotFound

if TYPE_CHECKING:
    import duckdb

REQUIRED = ("grain", "needs", "gives", "units")


@dataclass(frozen=True, slots=True)
class Query:
    """A named query: `package/name`, its header and its text."""

    name: str
    header: Mapping[str, str]
    text: str
    given: tuple[str, ...] = ()  # relations the caller makes: `name(column TYPE, ...)`

    @property
    def needs(self) -> tuple[str, ...]:
        return tuple(part.strip() for part in self.header["needs"].split(",") if part.strip())


def parse(name: str, text: str) -> Query:
    """Read a query file's header; a missing key is named."""
    header: dict[str, str] = {}
    given: list[str] = []
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        key, colon, value = line[2:].partition(":")
        if colon and key.strip() == "given":
            given.append(value.strip())
        elif colon and key.strip().isidentifier():
            header[key.strip()] = value.strip()
    missing = [key for key in REQUIRED if key not in header]
    if missing:
        raise Invalid(
            f"query {name} lacks {', '.join(missing)} in its header",
            "Begin the file with lines such as `-- grain: one row per person`.",
        )
    return Query(name=name, header=header, text=text, given=tuple(given))


@functools.cache
def load(package: str, name: str) -> Query:
    """The query `sql/<name>.sql` of a package such as `rapport.people`."""
    path = resources.files(package).joinpath("sql", f"{name}.sql")
    if not path.is_file():
        raise NotFound(f"{package} has no query {name!r}", f"Expected the file {path}.")
    return parse(f"{package}/{name}", path.read_text(encoding="utf-8"))


def all_of(package: str) -> Iterator[Query]:
    """Every query of a package and of the packages below it."""
    yield from _walk(package, resources.files(package))


def _walk(package: str, folder: Traversable) -> Iterator[Query]:
    for entry in sorted(folder.iterdir(), key=lambda e: e.name):
        if entry.is_dir() and entry.name == "sql":
            for file in sorted(entry.iterdir(), key=lambda e: e.name):
                if file.name.endswith(".sql"):
                    yield parse(f"{package}/{file.name[:-4]}", file.read_text(encoding="utf-8"))
        elif entry.is_dir() and entry.name not in {"__pycache__", "tests", "migrations", "static"}:
            yield from _walk(f"{package}.{entry.name}", entry)


def run(
    con: duckdb.DuckDBPyConnection, query: Query, params: Mapping[str, Any] | None = None
) -> duckdb.DuckDBPyConnection:
    """Execute a named query; only the parameters it names are passed."""
    named = set(re.findall(r"\$([A-Za-z_]\w*)", query.text))
    given = {key: value for key, value in (params or {}).items() if key in named}
    return con.execute(query.text, given or None)


def prepare(con: duckdb.DuckDBPyConnection, query: Query) -> None:
    """Ask the engine whether it understands the query, without running it."""
    import duckdb

    stand_ins = []
    try:
        if (n := len(con.extract_statements(query.text))) != 1:
            raise Invalid(f"query {query.name} holds {n} statements", "Keep one statement in a .sql file.")
        for relation in query.given:
            con.execute(f"CREATE TEMP TABLE {relation}")
            stand_ins.append(relation.partition("(")[0].strip())
        con.execute(f"PREPARE check_ AS {query.text}")
        con.execute("DEALLOCATE check_")
    except duckdb.Error as error:
        raise Invalid(
            f"query {query.name} is not understood: {error}", "Correct the .sql file; nothing was run."
        ) from error
    finally:
        for name in stand_ins:
            con.execute(f"DROP TABLE IF EXISTS temp.{name}")
