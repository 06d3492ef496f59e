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
    chosen = list(manner.mapping)
    relation = table.relation(chosen)
    without_space = cells.clean if chunk.has_odd_space else cells.only_blanks
    given, computed, problems = ["line"], ["line"], []
    wanted = [f.name for f in manner.kind.fields] + [f for f in by_field if f.startswith(IDENTIFIER_PREFIX)]
    required = {f.name for f in manner.kind.fields if f.required}
    for place, name in enumerate(wanted):
        out = column_of(name)
        form = manner.form(name)
        default = literal(manner.defaults[name]) if name in manner.defaults else "NULL"
        if name not in by_field:
            computed.append(f'{default}::{_TYPES.get(form, "VARCHAR")} AS "{out}"')
            continue
        column = by_field[name]
        cell, is_text = table.cell(column)
        raw = f"r{place}"
        text = cells.given(cell, is_text, form, without_space)
        if form in cells.PARTED and is_text:
            text = cells.time_text(text, manner.orders.get(column, values.DAY_FIRST))
        given.append(f"{text} AS {raw}")
        value, wrong = cells.value(raw, form, is_text, manner.marks.get(column, values.POINT))
        computed.append(f'{value if default == "NULL" else f"coalesce({value}, {default})"} AS "{out}"')
        if name in required:
            problems.append((f"{raw} IS NULL", f"missing|{name}"))
        problems += [
            (condition.replace("$value", f't."{out}"'), f"{code}|{name}") for condition, code in wrong
        ]
        if form == fields.TIME:
            problems += cells.limits(f't."{out}"', name)
    if chunk.has_nul:
        given.append(f"({table.nul()}) AS has_nul")
        problems.insert(0, ("has_nul", "nul|"))
    rest = table.rest(manner.names, manner.dropped)
    given.append(f"{_with_forms(table, manner, rest)} AS rest")
    keyed = manner.kind.name != "orders"  # an order line has no key of its own: its order has
    given.append(f"md5({table.content(manner.dropped)}) AS content" if keyed else "NULL::VARCHAR AS content")
    problems += manner.checks
    problems.append((f"strlen(rest) > {log_rules.MESSAGE_BYTES_MAX}", "too_large|"))
    conditions = " ".join(f"WHEN {condition} THEN {literal(code)}" for condition, code in problems)
    inner = f"SELECT {', '.join(given)} FROM {relation}"
    carried = ", ".join(g.rpartition(" AS ")[2] for g in given[1:])
    middle = f"SELECT {', '.join(computed)}, {carried} FROM ({inner})"
    shown = ", ".join(f't."{column_of(name)}"' for name in wanted)
    return (
        f"SELECT t.line, {shown}, {_handles(by_field)} AS handles, t.rest, t.content,"
        f" CASE {conditions} END AS problem FROM ({middle}) AS t"
    )


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


def _with_forms(table: Table, manner: Manner, rest: str) -> str:
    if isinstance(table, Columns) and manner.forms:
        forms = {c: manner.forms.get(c, "text" if table.cell(c)[1] else "json") for c in manner.names}
        return members(manner.names, table.place, forms)
    return rest
