"""From the file to the lake: in chunks, each durable before the next is read."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import duckdb

from rapport.events import lake, spool
from rapport.events import services as log
from rapport.kit import clock, query
from rapport.kit.errors import Invalid
from rapport.listening.services import archives, linewise, logs, manners, staging
from rapport.listening.services.files import Given
from rapport.listening.services.kinds import Dated, Orders
from rapport.listening.services.kinds import staging as staging_of
from rapport.listening.services.refusals import BadRow
from rapport.listening.services.summary import ImportSummary
from rapport.listening.services.tables import Chunk, Table, literal
from rapport.listening.services.weblog import Reading
from rapport.listening.services.work import Work, finish, noted, settle

PACKAGE = staging.PACKAGE


def carry_out(work: Work, mapping: Mapping[str, str]) -> ImportSummary:
    """Read the file, record what is sound, quarantine what is not, and wait until the lake has it."""
    began = clock.monotonic_s()
    with noted(work):
        with lake.new_engine() as con:
            _set_zone(con, work.options.get("time_zone", ""))
            if work.archive is not None:
                archives.read(work, work.archive)
            elif work.kind.shape == "lines":
                _read_log(con, work)
            else:
                _read_table(con, work, mapping)
        if work.row is not None:
            settle(work)
    work.summary.duration_s = round(clock.monotonic_s() - began, 3)
    work.summary.rows_per_s = int(work.summary.read / max(work.summary.duration_s, 1e-3))
    finish(work)
    return work.summary


def _set_zone(con: duckdb.DuckDBPyConnection, zone: str) -> None:
    if zone:
        try:
            con.execute(f"SET TimeZone = {literal(zone)}")
        except duckdb.Error:
            raise Invalid(f"there is no time zone {zone!r}", "Write it like Europe/Berlin.") from None


def _read_table(con: duckdb.DuckDBPyConnection, work: Work, mapping: Mapping[str, str]) -> None:
    table = staging.table_of(work.given)
    try:
        _take_table(con, work, table, mapping)
    finally:
        table.close()
    _note_break(work)


def _take_table(con: duckdb.DuckDBPyConnection, work: Work, table: Table, mapping: Mapping[str, str]) -> None:
    options = with_defaults(work, table.columns)
    manner = staging.manner_of(work.kind, table, mapping, options)
    chunks = table.chunks()
    ahead = list(itertools.islice(chunks, 2))
    if not any(len(c.table) or c.faults for c in ahead):
        raise Invalid(f"{work.given.name} names columns and has no rows", "Export it again with its rows.")
    manners.decide(con, table, _again(work.given, table, ahead), manner, options)
    _tell(work, table, manner, options)
    staged = staging_of(con, table, manner, work.source)
    if isinstance(staged, Dated) and work.row is not None:
        # What was told before is looked for in the lake, so nothing of it may still be on its way there.
        log.settle(spool.current().next_seq() - 1)
    try:
        for chunk in itertools.chain(ahead, chunks):
            n, bad = staged.take(chunk)
            work.summary.read += n
            work.refuse(bad)
            if not isinstance(staged, Orders):
                work.record(con, staged.select())
            elif len(ahead) > 1:
                staged.set_aside()
            work.show("reading")
        if isinstance(staged, Orders):
            _record_orders(con, work, staged)
    finally:
        staged.close()


def _tell(work: Work, table: Table, manner: manners.Manner, options: Mapping[str, str]) -> None:
    """What was decided, for the summary and for whoever corrects a row."""
    summary = work.summary
    summary.description, summary.mapping, summary.properties = table.description, manner.mapping, manner.names
    summary.notes += manner.notes + told_defaults(manner)
    work.context = {
        "mapping": manner.mapping,
        "options": dict(options),
        "columns": getattr(table, "columns_of_text", []),
        "delimiter": getattr(table, "delimiter", ""),
    }


def _again(given: Given, table: Table, ahead: list[Chunk]) -> Iterator[Chunk]:
    """The chunks read already, and the others only if somebody goes on: reading them begins anew."""
    yield from ahead
    if len(ahead) > 1:
        seen = given.broken, given.read_bytes
        try:
            yield from itertools.islice(table.chunks(), len(ahead), None)
        finally:
            given.broken, given.read_bytes = seen


def _record_orders(con: duckdb.DuckDBPyConnection, work: Work, staged: Orders) -> None:
    if work.given.broken:
        last = staged.without_last_order()
        if last:
            work.summary.notes.append(f"order {last} is left out: the file breaks off in or after it")
    for _ in staged.partitions():
        work.record(con, staged.select())
        work.show("recording orders")
    work.summary.totals = staged.totals()


def with_defaults(work: Work, columns: list[str]) -> dict[str, str]:
    """The options, and what follows from the installation or the columns where they are silent."""
    from rapport.staff import selectors as staff

    options = dict(work.options)
    if work.kind.field("currency") and not options.get("currency"):
        options["currency"] = staff.currency()
    if work.kind.name == "posts" and not options.get("network"):
        tweets = any(c.lower().startswith("tweet") for c in columns)
        options["network"] = "twitter" if tweets or work.source == work.kind.name else work.source
    return options


def told_defaults(manner: manners.Manner) -> list[str]:
    return [f"{name} is {value} where the file does not say" for name, value in manner.defaults.items()]


def _read_log(con: duckdb.DuckDBPyConnection, work: Work) -> None:
    found = logs.layout(work.given)
    work.summary.description = found.description + work.given.description
    kept = Reading(con, found.has_browser, work.source, own_domain=work.options.get("site"))
    for lines in logs.chunks(work.given, found):
        untimed = kept.stage(lines)
        work.summary.read += lines.n_written
        bad = [BadRow(b.line, b.reason, b.field, "", b.message, {"line": b.text}) for b in lines.bad]
        work.refuse(sorted(bad + _untimed(work.given, untimed), key=lambda b: b.line))
        work.record(con, query.load(PACKAGE, "log_touchpoints").text)
        if kept.has_searches:
            work.record(con, query.load(PACKAGE, "log_searches").text)
        work.show("reading")
    if kept.own_domain:
        work.summary.notes.append(f"pages of {kept.own_domain} are taken for the site's own")
    _note_break(work)


def _untimed(given: Given, lines: list[int]) -> list[BadRow]:
    message = "The time cannot be read, or is before 1990 or in the future."
    return [
        BadRow(k, "bad_time", "at", "", message, {"line": t})
        for k, t in linewise.lines_at(given, lines).items()
    ]


def _note_break(work: Work) -> None:
    if work.given.broken:
        work.summary.error = f"{work.given.broken}; the {work.summary.read:,} rows before that are kept"
