"""Chunks of a file of rows as touchpoints: typed, checked, keyed, and shaped by the kind's own query."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit import query
from rapport.kit.errors import Invalid
from rapport.listening.rules import fields
from rapport.listening.rules.mapping import missing_fields, settle_mapping
from rapport.listening.services import manners, reading
from rapport.listening.services.csvs import Csv
from rapport.listening.services.files import Given
from rapport.listening.services.manners import Manner
from rapport.listening.services.refusals import BadRow, bad_row
from rapport.listening.services.tables import Chunk, Lines, Table, literal, parquet_table

PACKAGE = "rapport.listening"


def table_of(given: Given) -> Table:
    """The rows of a file, by what its content is."""
    if given.is_parquet:
        return parquet_table(given)
    begins = given.sample.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begins.startswith(b"["):
        raise Invalid(f"{given.name} is one JSON list", "Write one object a line (JSON lines).")
    return Lines(given) if begins.startswith(b"{") else Csv(given)


def manner_of(
    kind: fields.Kind, table: Table, mapping: Mapping[str, str], options: Mapping[str, str]
) -> Manner:
    """Which column is which field, and what the options add; Invalid where something needed is missing."""
    columns = [
        *table.columns,
        *(c for c in mapping if isinstance(table, Lines) and "." in c and c not in table.columns),
    ]
    settled = settle_mapping(kind, columns, mapping)
    dropped = [c for c, f in settled.items() if f == fields.DROPPED]
    chosen = {c: f for c, f in settled.items() if f != fields.DROPPED}
    others = [c for c in table.columns if c not in settled]
    names = (
        {c: c for c in others}
        if isinstance(table, Lines)
        else dict(zip(others, fields.property_names(others), strict=True))
    )
    defaults = {
        name: options[name]
        for name in ("currency", "network", "channel", "purpose", "state", "survey")
        if options.get(name)
    }
    defaults = {name: value for name, value in defaults.items() if kind.field(name)}
    lacking = missing_fields(kind, chosen, defaults)
    if lacking:
        shown = ", ".join(map(repr, table.columns[:20]))
        raise Invalid(f"{lacking}; the file has {shown}", "Say which one it is with --map COLUMN=FIELD.")
    if "currency" in defaults:
        defaults["currency"] = defaults["currency"].upper()
    manner = Manner(kind, chosen, names, dropped, defaults=defaults)
    manner.checks = _checks(kind, manner)
    return manner


# How files say that somebody allowed, refused or took back. What is not here is refused, never guessed.
STATES = {
    "granted": (
        "granted",
        "grant",
        "yes",
        "y",
        "true",
        "1",
        "opt_in",
        "optin",
        "opted_in",
        "subscribed",
        "consented",
    ),
    "denied": ("denied", "deny", "refused", "no", "n", "false", "0", "never"),
    "withdrawn": (
        "withdrawn",
        "withdraw",
        "opt_out",
        "optout",
        "opted_out",
        "unsubscribed",
        "revoked",
        "objected",
    ),
}
_PLAIN_STATE = "trim(regexp_replace(lower(t.\"state\"), '[^a-z0-9]+', '_', 'g'), '_')"
_PLAIN_PURPOSE = "trim(regexp_replace(lower(t.\"purpose\"), '[^a-z0-9]+', '_', 'g'), '_')"
IDENTIFIER_CHECK = (
    't."identifier" IS NOT NULL AND NOT regexp_full_match(t."identifier", \'[a-z][a-z0-9_]{1,31}:.+\')',
    "bad_identifier|identifier",
)
CONSENT_CHECKS = [
    IDENTIFIER_CHECK,
    (
        f"{_PLAIN_STATE} NOT IN ({', '.join(literal(word) for words in STATES.values() for word in words)})",
        "bad_state|state",
    ),
    (f"NOT regexp_full_match({_PLAIN_PURPOSE}, '[a-z0-9][a-z0-9_]{{0,31}}')", "bad_purpose|purpose"),
]
PLAIN_SURVEY = "trim(regexp_replace(lower(t.\"survey\"), '[^a-z0-9_]+', '-', 'g'), '-_')"
ANSWER_CHECKS = [
    IDENTIFIER_CHECK,
    (f"NOT regexp_full_match({PLAIN_SURVEY}, '[a-z0-9][a-z0-9_-]{{0,63}}')", "bad_survey|survey"),
]
FURTHER_CHECKS = {"consents": CONSENT_CHECKS, "answers": ANSWER_CHECKS}


def _checks(kind: fields.Kind, manner: Manner) -> list[tuple[str, str]]:
    """What refuses a row of this kind beyond its single fields."""
    nobody = [f't."{name}" IS NULL' for group in kind.one_of for name in group if kind.field(name)]
    handles = [
        f't."{reading.column_of(f)}" IS NULL'
        for f in manner.mapping.values()
        if f.startswith(fields.IDENTIFIER_PREFIX)
    ]
    if kind.name in {"people", "events", "consents", "answers"}:
        named = ", ".join(
            c
            for c, f in manner.mapping.items()
            if f in kind.one_of[0] or f.startswith(fields.IDENTIFIER_PREFIX)
        )
        checks = [(" AND ".join(nobody + handles), f"no_identifier|{named}")]
        return [*checks, *FURTHER_CHECKS.get(kind.name, ())]
    if kind.name == "orders":
        checks = [(" AND ".join(nobody), "missing|unit_price")]
        if "quantity" in manner.columns:
            checks.append(('t."quantity" IS NULL', "missing|quantity"))
        too_much = 'abs(coalesce(t."amount", coalesce(t."quantity", 1) * t."unit_price")) > 1e13'
        return [*checks, (too_much, "too_much|"), ('t."currency" IS NULL', "missing|currency")]
    if kind.name == "posts":
        plain = "trim(regexp_replace(lower(t.\"network\"), '[^a-z0-9]+', '_', 'g'), '_')"
        odd = f"NOT regexp_full_match({plain}, '[a-z][a-z0-9_]{{1,31}}') AND lower(t.\"network\") NOT IN ('x', 'x.com')"
        return [(odd, "bad_network|network")]
    if kind.name == "products":
        return [('abs(t."price") > 1e13', "too_much|")]
    return []


@dataclass
class Staging:
    """What one import of a file of rows keeps from chunk to chunk; kinds that need more extend it."""

    con: duckdb.DuckDBPyConnection
    table: Table
    manner: Manner
    source: str
    n_chunks: int = 0
    is_joined: bool = False  # whether the relation is made by a join
    relation = "post_row"  # what the kind's query reads

    @property
    def kind(self) -> str:
        return self.manner.kind.name

    def take(self, chunk: Chunk) -> tuple[int, list[BadRow]]:
        """Type a chunk; afterwards the kind's relation holds its sound rows. Gives its rows and the bad ones."""
        con = self.con
        n = chunk.table.num_rows + len(chunk.faults)
        chunk = self.table.sound(con, chunk)
        if self.n_chunks == 0:
            manners.decide_forms(con, self.table, chunk, self.manner)
            con.execute("CREATE OR REPLACE TEMP TABLE content_seen (content VARCHAR, n BIGINT)")
        else:
            con.execute("INSERT INTO content_seen SELECT content, 1 FROM typed_row WHERE content IS NOT NULL")
        self.n_chunks += 1
        con.register("chunk", chunk.table)
        select = reading.typed(self.table, self.manner, chunk)
        con.execute(f"CREATE OR REPLACE TEMP TABLE typed_row AS {select}")
        bad = [bad_row(f.line, f.reason, f.row, about=f.about) for f in chunk.faults]
        bad += self._bad_rows(chunk)
        bad += self.shape(chunk)
        return n, sorted(bad, key=lambda b: b.line)

    def shape(self, chunk: Chunk) -> list[BadRow]:
        """Make the kind's relation from the typed rows; gives rows that turn out bad on the way."""
        del chunk
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT * FROM ({self.keyed()})")
        return []

    def select(self) -> str:
        """The touchpoints of the sound rows of the chunk taken last, in the order of the file."""
        text = query.load(PACKAGE, f"{self.kind}_touchpoints").text
        # Rows come out as they went in, but through a join: that mixes what several threads give it.
        return f"SELECT * FROM ({text}) ORDER BY line" if self.is_joined else text

    def close(self) -> None:
        """Remove what waited on disk."""

    def keyed(self) -> str:
        """Sound rows with message_id: a key of their content, and of how often it came before."""
        distinct, n, again = self.con.execute(
            "SELECT count(DISTINCT content), count(*), (SELECT count(*) FROM typed_row AS t"
            " SEMI JOIN content_seen AS c ON t.content = c.content) FROM typed_row"
        ).fetchall()[0]
        self.is_joined = distinct < n or again > 0
        if not self.is_joined:
            return "SELECT t.*, t.content AS message_id FROM typed_row AS t WHERE t.problem IS NULL"
        text = query.load(PACKAGE, "row_occurrences").text
        self.con.execute(f"CREATE OR REPLACE TEMP TABLE row_occurrence AS {text}")
        return (
            "SELECT t.*, t.content || CASE WHEN coalesce(o.n, 0) = 0 THEN '' ELSE '-' || o.n END AS message_id"
            " FROM typed_row AS t LEFT JOIN row_occurrence AS o ON t.line = o.line WHERE t.problem IS NULL"
        )

    def rows_at(self, chunk: Chunk, lines: pa.Array) -> dict[int, dict[str, Any]]:
        """Rows of a chunk as they stood in the file, by line."""
        rows = chunk.table.filter(pc.is_in(chunk.table["line"], lines))
        return dict(zip(rows["line"].to_pylist(), self.table.raw(rows), strict=True))

    def _bad_rows(self, chunk: Chunk) -> list[BadRow]:
        found = self.con.execute(
            "SELECT line, problem FROM typed_row WHERE problem IS NOT NULL"
        ).to_arrow_table()
        if not found.num_rows:
            return []
        rows = self.rows_at(chunk, found["line"].combine_chunks())
        columns = self.manner.columns
        bad = []
        for line, problem in zip(found["line"].to_pylist(), found["problem"].to_pylist(), strict=True):
            reason, _, name = problem.partition("|")
            bad.append(bad_row(line, reason, rows[line], field=name, column=columns.get(name, "")))
        return bad
