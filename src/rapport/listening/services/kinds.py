"""Kinds of rows that need more than typing: statements without a time, events of a plan, lines of orders."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

from rapport.events import lake, plan
from rapport.events import rules as log_rules
from rapport.kit import clock, home, ids, query
from rapport.listening.services import cells
from rapport.listening.services.manners import Manner
from rapport.listening.services.refusals import BadRow
from rapport.listening.services.staging import PACKAGE, STATES, Staging
from rapport.listening.services.tables import Chunk, Table, literal

PARTITION_LINES = 2_000_000  # order lines that are grouped at once


class Dated(Staging):
    """Rows that say how things are, as of now where they do not say when.

    An id is looked for around its own time only, so a row that is told again keeps the time it was first
    told at.
    """

    column = ""  # that says when
    event = ""
    further = ""  # columns made of others

    def shape(self, chunk: Chunk) -> list[BadRow]:
        del chunk
        con = self.con
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW keyed_row AS SELECT t.*{self.further} FROM ({self.keyed()}) AS t"
        )
        told = self._told()
        moment, joined = f"coalesce(t.{self.column}, '{clock.now().isoformat()}'::TIMESTAMPTZ)", ""
        if told.num_rows:
            con.register("told_given", told)
            con.execute("CREATE OR REPLACE TEMP TABLE told AS SELECT * FROM told_given")
            moment, joined = (
                moment.replace(", '", ", d.ts, '"),
                " LEFT JOIN told AS d ON t.message_id = d.message_id",
            )
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT t.*, {moment} AS ts FROM keyed_row AS t{joined}"
        )
        return []

    def _told(self) -> pa.Table:
        """When the rows without a time were told before."""
        empty = pa.table({"message_id": pa.array([], pa.string())})
        if not lake.exists():
            return empty
        log = lake.connect()
        try:
            source = {"origin": self.source, "name": self.event}
            if not query.run(log, query.load(PACKAGE, "told_anything"), source).fetchone():
                return empty
            asked = self.con.execute(f"SELECT message_id FROM keyed_row WHERE {self.column} IS NULL")
            log.register("asked", asked.to_arrow_table())
            return query.run(log, query.load(PACKAGE, "told_before"), source).to_arrow_table()
        finally:
            log.close()


class People(Dated):
    relation, column, event = "person_row", "updated_at", "person_identified"


class Products(Dated):
    relation, column, event = "product_row", "listed_at", "product_listed"
    further = f", round(t.price * {cells.scale('t.currency')})::BIGINT AS price_minor"


class Posts(Staging):
    relation = "post_row"


class Consents(Staging):
    """Answers about the use of data, their words brought into the three that the ledger knows."""

    relation = "consent_row"

    def shape(self, chunk: Chunk) -> list[BadRow]:
        del chunk
        cases = " ".join(
            f"WHEN plain_state IN ({', '.join(literal(word) for word in words)}) THEN {literal(state)}"
            for state, words in STATES.items()
        )
        plain = "trim(regexp_replace(lower(k.state), '[^a-z0-9]+', '_', 'g'), '_')"
        self.con.execute(
            f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT s.* REPLACE (CASE {cases} END AS state)"
            f" FROM (SELECT k.*, {plain} AS plain_state FROM ({self.keyed()}) AS k) AS s"
        )
        return []


class Answers(Staging):
    relation = "answer_row"


class Events(Staging):
    """Events are checked against the plan here already, so that a bad one is named by its line."""

    relation = "event_row"

    def shape(self, chunk: Chunk) -> list[BadRow]:
        con = self.con
        for name, relation in plan.relations(plan.current()).items():
            con.register("plan_given", relation)
            con.execute(f"CREATE OR REPLACE TEMP TABLE {name} AS SELECT * FROM plan_given")
        scale = cells.scale("k.currency")
        con.execute(
            f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT k.*, CASE WHEN k.currency IS NOT NULL"
            f" THEN round(k.value * {scale})::BIGINT END AS value_minor FROM ({self.keyed()}) AS k"
        )
        self.is_joined = True  # with the plan's aliases
        con.execute(f"CREATE OR REPLACE TEMP TABLE event_staged AS {super().select()}")
        return self._against_plan(chunk)

    def select(self) -> str:
        return "SELECT * FROM event_staged"  # made in order, and nothing joins it

    def _against_plan(self, chunk: Chunk) -> list[BadRow]:
        con = self.con
        con.execute(f"CREATE OR REPLACE TEMP TABLE incoming ({lake.RELATIONS['incoming']})")
        con.execute(
            "INSERT INTO incoming BY NAME SELECT line AS seq, $now::TIMESTAMPTZ AS received_at, name, ts, identifier,"
            ' also, "text", properties FROM event_staged',
            {"now": clock.now()},
        )
        found = con.execute(
            f"SELECT seq AS line, reason, field, message FROM ({query.load('rapport.events', 'load_check').text})"
            " WHERE reason IS NOT NULL",
            {
                "identifiers_max": log_rules.IDENTIFIERS_MAX,
                "earliest": log_rules.EARLIEST,
                "future_s": log_rules.FUTURE_TOLERANCE.total_seconds(),
                "bytes_max": log_rules.MESSAGE_BYTES_MAX,
            },
        ).to_arrow_table()
        if not found.num_rows:
            return []
        con.register("wrong", found)
        con.execute("DELETE FROM event_staged WHERE line IN (SELECT line FROM wrong)")
        rows = self.rows_at(chunk, found["line"].combine_chunks())
        return [
            BadRow(w["line"], w["reason"], w["field"] or "", "", w["message"], rows[w["line"]])
            for w in found.to_pylist()
        ]


class Orders(Staging):
    """Order lines, grouped when all are known: the lines of one order may lie anywhere in the file."""

    relation = "order_line"
    folder: Path | None = None

    def shape(self, chunk: Chunk) -> list[BadRow]:
        del chunk
        scale = cells.scale("t.currency")
        amount = "coalesce(t.amount, t.quantity * t.unit_price)"
        price = "coalesce(t.unit_price, t.amount / nullif(t.quantity, 0), t.amount)"
        self.con.execute(
            f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT t.*, round({amount} * {scale})::BIGINT AS value_minor,"
            f" round({price} * {scale})::BIGINT AS unit_price_minor,"
            # A credit note's number begins with C and goes on in digits.
            " t.quantity < 0 OR regexp_matches(t.order_id, '^[Cc][0-9]') AS is_refund"
            " FROM (SELECT t.* REPLACE (coalesce(t.quantity, 1) AS quantity) FROM typed_row AS t"
            " WHERE t.problem IS NULL) AS t"
        )
        return []

    def select(self) -> str:
        return query.load(PACKAGE, "orders_touchpoints").text  # in the order of time

    def set_aside(self) -> None:
        """Keep the lines of the chunk taken last until all are known."""
        if self.folder is None:
            self.folder = home.path("tmp", f"orders-{ids.uuid7()}")
            self.folder.mkdir(parents=True)
        path = self.folder / f"{self.n_chunks:06d}.parquet"
        self.con.execute(
            f"COPY (SELECT * FROM {self.relation}) TO '{path}' (FORMAT parquet, COMPRESSION lz4)"
        )

    def without_last_order(self) -> str:
        """Leave out the order that the last line belongs to; gives its id, '' where there is none.

        Where a file breaks off, that order may miss lines, and its id would keep the whole one out later.
        """
        lines = self._waiting() if self.folder else self.relation
        row = self.con.execute(f"SELECT arg_max(order_id, line) FROM {lines}").fetchone()
        last = str(row[0]) if row and row[0] is not None else ""
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE kept_line AS SELECT * FROM {lines} WHERE order_id <> $last",
            {"last": last},
        )
        self.close()
        self.con.execute(f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT * FROM kept_line")
        return last

    def partitions(self) -> Iterator[int]:
        """Make the relation hold one part of the lines after the other, no order in two of them."""
        if self.folder is None:
            yield 0
            return
        (n,) = self.con.execute(f"SELECT count(*) FROM {self._waiting()}").fetchall()[0]
        parts = max(1, math.ceil(n / PARTITION_LINES))
        for part in range(parts):
            self.con.execute(
                f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT * FROM {self._waiting()}"
                f" WHERE md5_number_lower(order_id) % {parts} = {part}"
            )
            yield part

    def totals(self) -> dict[str, int]:
        """What all the lines come to."""
        if self.folder is not None:
            self.con.execute(
                f"CREATE OR REPLACE TEMP VIEW {self.relation} AS SELECT * FROM {self._waiting()}"
            )
        found = query.run(self.con, query.load(PACKAGE, "order_totals"))
        names = [d[0] for d in found.description or ()]
        return {name: int(value) for name, value in zip(names, found.fetchall()[0], strict=True)}

    def close(self) -> None:
        """Remove what waited."""
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None

    def _waiting(self) -> str:
        return f"read_parquet('{self.folder}/*.parquet')"


STAGINGS: dict[str, type[Staging]] = {
    "people": People,
    "orders": Orders,
    "events": Events,
    "posts": Posts,
    "consents": Consents,
    "answers": Answers,
    "products": Products,
}


def staging(con: duckdb.DuckDBPyConnection, table: Table, manner: Manner, source: str) -> Staging:
    """The staging of a kind of rows."""
    return STAGINGS[manner.kind.name](con, table, manner, source)
