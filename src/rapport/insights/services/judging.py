"""Judging a model: on the log's own past, or on a file."""

from __future__ import annotations

import datetime as dt
import glob
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from rapport.events import lake
from rapport.insights import rules
from rapport.insights.contract import SCORES, Backtest, Context, Insight, is_of_texts
from rapport.insights.services import keeping, permitting, setting_apart
from rapport.kit import query
from rapport.kit.errors import Invalid

LABEL_MAX = 64  # characters
# What a file of order lines may call each thing; the first it has is taken.
LINE = {
    "customer": ("customer_id", "email", "customer"),
    "ordered_at": ("ordered_at", "date", "ts"),
    "order_id": ("order_id",),
    "quantity": ("quantity",),
    "unit_price": ("unit_price", "price", "amount", "value"),
    "currency": ("currency",),
    "product_code": ("product_code", "product", "item"),
    "category": ("category",),
    "country": ("country",),
    "channel": ("channel",),
}
REQUIRED = ("customer", "ordered_at")


@dataclass(frozen=True, slots=True)
class Asked:
    """How somebody wants a model judged, where it is not as usual."""

    cut: dt.datetime | None = None  # what the model may know ends here; by default a horizon before the end
    horizon_days: int | None = None  # how long after the cut it is judged on
    parameters: Mapping[str, Any] = field(default_factory=dict)  # over the model's own


def backtest(name: str, file: Path | None = None, asked: Asked | None = None) -> dict[str, Any]:
    """How good a model is beside a naive rule: on the log's past, or on a file (CSV, Parquet or JSON lines).

    For a model of texts the file has columns text and label; for a model of people, order lines under the
    names of the orders import. Raises NotFound for an unknown model, Invalid for a file that does not fit,
    for a parameter that the model does not have, and for a cut with nothing on one of its sides.
    """
    model = keeping.insight(name)
    asked = asked or Asked()
    for parameter in asked.parameters:
        if parameter not in model.parameters:
            known = ", ".join(sorted(model.parameters)) or "none"
            raise Invalid(f"model {name} has no parameter {parameter!r}", f"It has: {known}.")
    if is_of_texts(model):
        found = _of_texts(model, file)
    elif file is None:
        found = _on_the_log(model, asked)
    else:
        found = _on_lines(model, file, asked)
    return {"model": model.name, "version": model.version, **found.as_json()}


def on_the_past(
    con: duckdb.DuckDBPyConnection,
    model: Insight,
    first: dt.datetime,
    last: dt.datetime,
    asked: Asked | None = None,
) -> Backtest:
    """Judge a model of people on the end of what the connection's events cover."""
    asked = asked or Asked()
    horizon = asked.horizon_days or rules.HORIZON_DAYS
    if asked.cut is None:
        cut = rules.backtest_cut(first, last, horizon)
    elif first < asked.cut <= last:
        # The last day counts whole.
        cut = rules.Cut(asked.cut, asked.horizon_days or (last - asked.cut).days + 1)
    else:
        raise Invalid(
            f"the cut {asked.cut:%Y-%m-%d} has nothing on one of its sides",
            f"What there is goes from {first:%Y-%m-%d} to {last:%Y-%m-%d}: give a day in between.",
        )
    context = keeping.context(model, cut.horizon_days, asked.parameters, now=cut.at)
    # What models have written since the cut knows what came after it.
    lake.give(con, "score", SCORES.empty_table())
    return model.backtest(read(con, model, context), context)


def read(con: duckdb.DuckDBPyConnection, model: Insight, context: Context) -> pa.Table:
    """The table that a model of people asks for."""
    if model.needs is None:
        raise Invalid(f"model {model.name} scores people and names no query", "Give it a `needs`.")
    asked = {"now": context.now, "horizon_days": context.horizon_days, **context.parameters}
    if "correction" in model.needs.needs:
        lake.give(con, "correction", setting_apart.corrections())
    return query.run(con, model.needs, asked).to_arrow_table()


def table_of(file: Path) -> pa.Table:
    """The rows of a file, every column of a CSV as text. Raises Invalid where it cannot be read."""
    with _reading(file, file.name) as rows:
        return rows.to_arrow_table()


def labelled_table(
    file: Path, label: str = "label", of: str = "", most: int | None = None, *, called: str = ""
) -> pa.Table:
    """Text and label of a file's rows, and the annotation that the labels are of; rows that lack one are left out.

    A column `aspect`, which says what of the text a label is about, goes along where the file has one. Raises
    Invalid where a row has no label that can be kept, and where there are more rows than `most`; it names the
    file as it is `called`.
    """
    called = called or file.name
    with _reading(file, called) as rows:
        for column in ("text", label):
            if column not in rows.columns:
                raise Invalid(
                    f"{called} has no column {column!r}; it has {', '.join(rows.columns)}",
                    "Rename a column, or name the label's column.",
                )
        needed = {"text": "text", "label": label, "aspect": "aspect"}
        if "aspect" not in rows.columns:
            del needed["aspect"]
        chosen = rows.select(*(duckdb.ColumnExpression(c).alias(name) for name, c in needed.items()))
        given = (chosen if most is None else chosen.limit(most + 1)).to_arrow_table()
    if most is not None and given.num_rows > most:
        raise Invalid(f"{called} has more than {most:,} rows", f"Give at most {most:,} in a file.")
    try:
        given = pa.table({name: given.column(name).cast(pa.string()) for name in needed})
    except pa.ArrowException:
        raise Invalid(
            f"{called} holds something other than words", "Give texts and labels as plain text."
        ) from None
    labels = _labels(called, given.column("label"))
    names = pa.repeat(of, given.num_rows)
    table = pa.table({"text": given.column("text"), "label": labels, "name": names}).cast(keeping.LABELLED)
    if "aspect" in needed:
        arrow: Any = pc
        table = table.append_column("aspect", arrow.fill_null(given.column("aspect"), ""))
    table = table.drop_null()
    if table.num_rows == 0:
        raise Invalid(f"{called} has no row with a text and a label", "Nothing can be judged.")
    return table


@contextmanager
def _reading(file: Path, called: str) -> Iterator[duckdb.DuckDBPyRelation]:
    """The rows of a file before they are read."""
    readers = {
        ".csv": "read_csv($file, all_varchar = true)",
        ".tsv": "read_csv($file, all_varchar = true)",
        ".parquet": "read_parquet($file)",
        ".jsonl": "read_json_auto($file, format = 'newline_delimited')",
    }
    reader = readers.get(file.suffix.lower())
    if reader is None:
        raise Invalid(f"{called} is no table known here", f"Give one of {', '.join(readers)}.")
    try:
        with lake.new_engine() as con:
            yield con.sql(f"SELECT * FROM {reader}", params={"file": glob.escape(str(file))})
    except (duckdb.Error, pa.ArrowException) as error:
        raise _unreadable(str(error), file, called) from None


def _unreadable(told: str, file: Path, called: str) -> Invalid:
    """What an engine says of a file, in a line and under the file's own name."""
    if "not utf-8" in told.lower():
        return Invalid(
            f"{called} is not in UTF-8",
            "Save it again with that encoding; a spreadsheet calls it CSV UTF-8. Nothing was changed.",
        )
    first = told.partition("\n")[0].replace(glob.escape(str(file)), called).replace(str(file), called)
    return Invalid(f"{called} cannot be read: {first}", "Check the file; nothing was changed.")


def _labels(called: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """The labels without the blanks around them; those that are nothing else are null."""
    arrow: Any = pc
    label = arrow.utf8_trim_whitespace(column)
    wrong = arrow.or_(
        arrow.greater(arrow.utf8_length(label), LABEL_MAX),
        arrow.match_substring_regex(label, r"[\x00-\x1f\x7f]"),
    )
    place = arrow.index(wrong, True).as_py()
    if place >= 0:
        raise Invalid(
            f"the label in row {place + 1:,} of {called} is none: {label[place].as_py()[:20]!r}",
            f"A label has 1 to {LABEL_MAX} characters on one line; name the label's column.",
        )
    return arrow.if_else(arrow.equal(label, ""), None, label)


def _of_texts(model: Insight, file: Path | None) -> Backtest:
    of = model.gives[0].name
    table = keeping.LABELLED.empty_table() if file is None else labelled_table(file, of=of)
    return model.backtest(table, keeping.context(model))


def _on_the_log(model: Insight, asked: Asked) -> Backtest:
    identity = permitting.identity_seen(permitting.refused_by(permitting.warrant(model)))
    con = lake.connect()
    try:
        lake.give(con, "identity", identity)
        return _past_of(con, model, asked)
    finally:
        con.close()


def _past_of(con: duckdb.DuckDBPyConnection, model: Insight, asked: Asked) -> Backtest:
    (extent,) = query.run(con, query.load("rapport.insights", "extent")).to_arrow_table().to_pylist()
    if not extent["n"]:
        raise Invalid("the log is empty", "Import something first, or give a file with --data.")
    return on_the_past(con, model, extent["first_ts"], extent["last_ts"], asked)


def _on_lines(model: Insight, file: Path, asked: Asked) -> Backtest:
    given = table_of(file)
    columns = {}
    for name, spellings in LINE.items():
        there = next((s for s in spellings if s in given.column_names), None)
        if there is None and name in REQUIRED:
            raise Invalid(
                f"{file.name} has no column {' or '.join(spellings)}; it has {', '.join(given.column_names)}",
                "Rename the columns as for `rapport import orders`.",
            )
        columns[name] = (
            pa.nulls(given.num_rows, pa.string()) if there is None else given.column(there).cast(pa.string())
        )
    con = lake.new_engine()
    try:
        con.register("line", pa.table(columns))
        try:
            orders = query.run(con, query.load("rapport.insights", "transactions")).to_arrow_table()
        except duckdb.Error as error:
            raise Invalid(f"{file.name} holds something that does not fit: {error}", "Correct it.") from None
        con.register("order_event", orders)
        for name, shape in lake.TABLES.items():
            if name != "event":  # a file of orders knows nothing of the others
                con.execute(f"CREATE TEMP TABLE {name} ({shape[0]})")
        con.execute(
            "CREATE TEMP VIEW event AS SELECT row_number() OVER () AS seq, ts, subject, name, 'file' AS source,"
            ' channel, NULL::VARCHAR AS venue, NULL::VARCHAR AS "text", value_minor, currency, properties'
            " FROM order_event;"
            " CREATE TEMP VIEW identity AS"
            " SELECT DISTINCT subject, subject AS person, subject AS core FROM order_event"
        )
        return _past_of(con, model, asked)
    finally:
        con.close()
