"""Rows as typed rows: a SELECT that types every field and names the first thing that is wrong with a row."""

from __future__ import annotations

from collections.abc import Mapping

from rapport.events import rules as log_rules
from rapport.listening.rules import fields, values
from rapport.listening.rules.fields import IDENTIFIER_PREFIX
from rapport.listening.services import cells
from rapport.listening.services.manners import Manner
from rapport.listening.services.tables import Chunk, Columns, Table, literal, members


def column_of(field_name: str) -> str:
    """A field's column in the typed relation: identifier:mastodon is identifier_mastodon."""
    return field_name.replace(":", "_")


def typed(table: Table, manner: Manner, chunk: Chunk) -> str:
    """A SELECT over `chunk`: line, a column for every field of the kind, handles, rest, content, problem.

    `problem` is NULL for a sound row, else `code|field`. A field that no column fills has its default.
    """
    by_field = manner.columns
    relation = table.relation(list(manner.mapping))
    wanted = [f.name for f in manner.kind.fields] + [f for f in by_field if f.startswith(IDENTIFIER_PREFIX)]
    layers: list[list[str]] = [[] for _ in range(LAYERS)]
    shown: list[str] = []
    problems: list[tuple[str, str]] = []
    for place, name in enumerate(wanted):
        value, wrong = _field(table, manner, chunk, name, f"f{place}", layers)
        shown.append(f'{value} AS "{column_of(name)}"')
        problems += wrong
    if chunk.has_nul:
        layers[0].append(f"({table.nul()}) AS has_nul")
        problems.insert(0, ("has_nul", "nul|"))
    layers[0].append(f"{_rest(table, manner)} AS rest")
    keyed = manner.kind.name != "orders"  # an order line has no key of its own: its order has
    content = f"md5({table.content(manner.dropped)})" if keyed else "NULL::VARCHAR"
    layers[0].append(f"{content} AS content")
    problems += manner.checks
    problems.append((f"strlen(t.rest) > {log_rules.MESSAGE_BYTES_MAX}", "too_large|"))
    select = f"SELECT line, {', '.join(layers[0])} FROM {relation}"
    for layer in layers[1:]:
        if layer:
            select = f"SELECT *, {', '.join(layer)} FROM ({select})"
    conditions = " ".join(f"WHEN {condition} THEN {literal(code)}" for condition, code in problems)
    names = ", ".join(f't."{column_of(name)}"' for name in wanted)
    return (
        f"SELECT t.line, {names}, {_handles(by_field)} AS handles, t.rest, t.content,"
        f" CASE {conditions} END AS problem FROM (SELECT *, {', '.join(shown)} FROM ({select})) AS t"
    )


LAYERS = 5  # steps that a cell may take to its value


def _field(
    table: Table, manner: Manner, chunk: Chunk, name: str, alias: str, layers: list[list[str]]
) -> tuple[str, list[tuple[str, str]]]:
    """A field's value as SQL over the last layer, and what may be wrong with it; its steps join the layers."""
    form = manner.form(name)
    default = literal(manner.defaults[name]) if name in manner.defaults else "NULL"
    column = manner.columns.get(name)
    if column is None:
        return f"{default}::{_TYPES.get(form, 'VARCHAR')}", []
    cell, is_text = table.cell(column)
    without_space = cells.clean if chunk.has_odd_space else cells.only_blanks
    order, mark = manner.orders.get(column, values.DAY_FIRST), manner.marks.get(column, values.POINT)
    steps, written = cells.steps(form, is_text, without_space, order, mark)
    made = cell
    for k, step in enumerate(steps):
        layers[k].append(f"{step(made)} AS {alias}_{k}")
        made = f"{alias}_{k}"
    raw = f"t.{alias}_{written}"
    problems = [
        (c.replace("$value", f"t.{made}").replace("$raw", raw), f"{code}|{name}")
        for c, code in cells.wrong(form)
    ]
    if name in {f.name for f in manner.kind.fields if f.required}:
        problems.insert(0, (f"{raw} IS NULL", f"missing|{name}"))
    if form == fields.TIME:
        problems += cells.limits(f"t.{made}", name)
    return made if default == "NULL" else f"coalesce({made}, {default})", problems


_TYPES = {fields.NUMBER: "DOUBLE", fields.TIME: "TIMESTAMPTZ"}


def _handles(by_field: Mapping[str, str]) -> str:
    """Identifiers of the fields identifier:<namespace>, each in its one spelling."""
    handles = []
    for name in by_field:
        if name.startswith(IDENTIFIER_PREFIX):
            namespace, cell = name.removeprefix(IDENTIFIER_PREFIX), f't."{column_of(name)}"'
            if namespace not in log_rules.KNOWN_NAMESPACES + log_rules.DEVICE_NAMESPACES:
                cell = f"lower(ltrim({cell}, '@'))"
            handles.append(f"{literal(namespace + ':')} || {cell}")
    return f"list_filter([{', '.join(handles)}], lambda h: h IS NOT NULL)" if handles else "NULL::VARCHAR[]"


def _rest(table: Table, manner: Manner) -> str:
    """The other columns of a row as a JSON object."""
    if isinstance(table, Columns) and manner.forms:
        forms = {c: manner.forms.get(c, "text" if table.cell(c)[1] else "json") for c in manner.names}
        return members(manner.names, table.place, forms)
    return table.rest(manner.names, manner.dropped)
