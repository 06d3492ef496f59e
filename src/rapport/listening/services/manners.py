"""How the columns of one file are read: decided from all their values before one of them is.

What is decided is said in the summary.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

import duckdb

from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.listening.rules import fields, values
from rapport.listening.rules.fields import Kind
from rapport.listening.rules.values import Dates, Figures
from rapport.listening.services import cells
from rapport.listening.services.tables import FORMS, Chunk, Columns, Table, literal


@dataclass(slots=True)
class Manner:
    """How the columns of one file are read."""

    kind: Kind
    mapping: dict[str, str]  # column to field
    names: dict[str, str]  # the other columns, to the property or trait they become
    dropped: list[str]
    orders: dict[str, str] = field(default_factory=dict)  # of day and month, by column
    marks: dict[str, str] = field(default_factory=dict)  # before decimals, by column
    forms: dict[str, str] = field(default_factory=dict)  # of the other columns: number, boolean
    notes: list[str] = field(default_factory=list)
    defaults: dict[str, str] = field(default_factory=dict)  # field to its value where the file says none
    checks: list[tuple[str, str]] = field(default_factory=list)  # conditions that refuse a row, and codes

    @property
    def columns(self) -> dict[str, str]:
        """Field to column."""
        return {f: c for c, f in self.mapping.items()}

    def form(self, field_name: str) -> str:
        """How the text of a field is read."""
        found = self.kind.field(field_name)
        return found.form if found else fields.TEXT


def decide(
    con: duckdb.DuckDBPyConnection,
    table: Table,
    chunks: Iterable[Chunk],
    manner: Manner,
    wishes: Mapping[str, str],
) -> None:
    """Fill `orders`, `marks` and `notes` of a manner from the columns; reads on while a date is ambiguous."""
    wished_order = _wish(wishes, "date_order", {"day": values.DAY_FIRST, "month": values.MONTH_FIRST})
    wished_mark = _wish(wishes, "decimal", {"point": values.POINT, "comma": values.COMMA})
    timed = [c for c, f in manner.mapping.items() if manner.form(f) in cells.PARTED]
    counted = [c for c, f in manner.mapping.items() if manner.form(f) == fields.NUMBER]
    dates = dict.fromkeys(timed, Dates())
    figures = dict.fromkeys(counted, Figures())
    for n, chunk in enumerate(chunks):
        con.register("chunk", table.sound(con, chunk).table)
        relation = table.relation(timed + counted)
        found = {c: table.cell(c) for c in timed + counted}
        open_dates = [c for c in timed if found[c][1] and not (n and dates[c].is_decided)]
        for c in open_dates:
            dates[c] += _dates(con, relation, found[c][0])
        for c in counted:
            if found[c][1]:
                figures[c] += _figures(con, relation, found[c][0])
        if all(dates[c].is_decided for c in timed):
            break
    for c in timed:
        manner.orders[c], why = values.date_order(dates[c])
        if wished_order and why:
            manner.orders[c], why = wished_order, f"read as {wished_order}, as asked"
        if why:
            manner.notes.append(f"{c}: {why}")
    for c in counted:
        manner.marks[c], why = values.decimal_mark(figures[c])
        if wished_mark:
            manner.marks[c], why = wished_mark, f"numbers read with a decimal {wished_mark}, as asked"
        if why:
            manner.notes.append(f"{c}: {why}")


def _wish(wishes: Mapping[str, str], name: str, choices: Mapping[str, str]) -> str:
    given = wishes.get(name, "")
    if given and given not in choices:
        raise Invalid(f"{name} is {given!r}", f"Choose one of {', '.join(choices)}.")
    return choices.get(given, "")


def _dates(con: duckdb.DuckDBPyConnection, relation: str, cell: str) -> Dates:
    """Counts over a column's dates that are written with slashes, dots or hyphens."""
    slashed = f"regexp_extract({cells.clean(cell)}, {literal(values.SLASHED)}, ['a', 'b', 'c'])"
    source = f"(SELECT {cell} AS v, {slashed} AS d FROM {relation})"
    row = con.execute(
        "SELECT count(*) FILTER (d.a <> ''), count(*) FILTER (try_cast(d.a AS INTEGER) > 12),"
        " count(*) FILTER (try_cast(d.b AS INTEGER) > 12), count(*) FILTER (d.a <> '' AND contains(v, '.')),"
        f" count(*) FILTER (d.a <> '' AND regexp_matches(v, '(?i)[ap]m')) FROM {source}"
    ).fetchone()
    found = Dates(*row) if row else Dates()
    if found.is_decided:
        return found
    late = (
        "count(*) FILTER (d.a <> '' AND try_strptime(d.{day} || '/' || d.{month} || '/' || right(d.c, 2), '%d/%m/%y')"
        " > $now::TIMESTAMP)"
    )
    (day_first, month_first) = con.execute(
        f"SELECT {late.format(day='a', month='b')}, {late.format(day='b', month='a')} FROM {source}",
        {"now": clock.now().replace(tzinfo=None)},
    ).fetchall()[0]
    return replace(found, late_day_first=day_first, late_month_first=month_first)


def _figures(con: duckdb.DuckDBPyConnection, relation: str, cell: str) -> Figures:
    """Counts over a column's numbers that hold a comma or a point."""
    row = con.execute(
        "SELECT count(*) FILTER (contains(v, ',')),"
        " count(*) FILTER (contains(v, '.') AND regexp_matches(v, '\\.(\\d{0,2}|\\d{4,})$')),"
        " count(*) FILTER (contains(v, ',') AND regexp_matches(v, ',(\\d{0,2}|\\d{4,})$'))"
        f" FROM (SELECT {cells.clean(cell)} AS v FROM {relation})"
    ).fetchone()
    return Figures(*row) if row else Figures()


def decide_forms(con: duckdb.DuckDBPyConnection, table: Table, chunk: Chunk, manner: Manner) -> None:
    """Which of the other columns hold numbers or truth values throughout, so that they become such."""
    if not isinstance(table, Columns):
        return  # JSON says itself what is a number
    texts = {c: table.cell(c)[0] for c in manner.names if table.cell(c)[1]}
    if not texts:
        return
    con.register("chunk", chunk.table)
    parts = []
    for cell in texts.values():
        v = f"nullif(trim({cell}), '')"
        parts += [f"bool_and(regexp_full_match({v}, '{form}'))" for form in FORMS.values()]
    row = con.execute(f"SELECT {', '.join(parts)} FROM chunk").fetchone() or ()
    for k, column in enumerate(texts):
        for form, fits in zip(FORMS, row[len(FORMS) * k :], strict=False):
            if fits:
                manner.forms[column] = form
