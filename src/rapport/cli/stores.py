"""Commands over the stores: make them, load what waits, let subscribers and jobs work, ask in SQL."""

from __future__ import annotations

import sys

import click

from rapport.cli import output
from rapport.kit import home, process
from rapport.web import stores


@click.command("init")
@output.as_json
def init_command(json_: bool) -> None:
    """Create or migrate the stores of this data folder; safe to repeat."""
    stores.initialise()
    checked = stores.check_queries()
    if json_:
        output.emit({"home": str(home.root()), "queries_checked": checked})
    else:
        print(f"The stores in {home.root()} are ready ({checked} queries checked).")


@click.command("load")
@click.option("--drain", is_flag=True, help="Load what waits, then stop.")
@output.as_json
def load_command(drain: bool, json_: bool) -> None:
    """Move accepted events from the spool into the lake; one per lake."""
    stores.set_up()
    from rapport.events import loader, runner, upkeep

    with home.lock(loader.LOCK):
        if not drain:
            runner.load_forever(process.Stop().catch_signals())
            return
        with output.progress("loading", quiet=json_) as show:
            accepted = upkeep.drain(lambda done: show(done.last, None, "loading events"))
    if json_:
        output.emit({"accepted": accepted})
    else:
        print(f"{accepted:,} events are now in the lake.")


@click.command("work")
@click.option("--drain", is_flag=True, help="Do what is due, then stop.")
def work_command(drain: bool) -> None:
    """Let subscribers read the log and messages leave; jobs run in a process of its own beside (`rapport jobs`)."""
    stores.set_up()
    from rapport.events import runner, subscriptions
    from rapport.messaging import services as messaging
    from rapport.publishing import services as publishing
    from rapport.web import jobs, working

    if drain:
        subscriptions.drain()
        jobs.run_due()
        messaging.drain()
        return
    stop = process.Stop().catch_signals()
    with working.running_beside(stop), messaging.running_beside(stop), publishing.running_beside(stop):
        runner.subscribe_forever(stop)


@click.command("live")
def live_command() -> None:
    """Show the comments of what runs live at once; `work` starts it while something does."""
    stores.set_up()
    from rapport.publishing import services as publishing

    publishing.run(process.Stop().catch_signals())


@click.command("jobs")
def jobs_command() -> None:
    """Run the jobs started on screen or by the clock; `work` starts it."""
    stores.set_up()
    from rapport.web import working

    working.run(process.Stop().catch_signals())


@click.command("sql")
@click.argument("statement")
@click.option("--limit", default=1000, show_default=True, help="Rows to print at most.")
@output.as_json
def sql_command(statement: str, limit: int, json_: bool) -> None:
    """Ask the lake and the operational store a read-only question.

    Views: event, subject, claim, subject_day, session, annotation, receipt, and, from the operational
    store, person, identifier, identity, trait, score, consent; order_line has one row per line of an order.
    """
    import duckdb

    from rapport.kit.errors import Invalid

    stores.set_up()
    from rapport.people import selectors as people

    try:
        with people.analyst_engine(statement) as con:
            result = con.execute(statement)
            columns = [column[0] for column in result.description or []]
            rows = result.fetchmany(limit + 1)
    except duckdb.Error as error:
        raise Invalid(
            f"the question was not understood: {error}", "`rapport sql --help` names the views."
        ) from None
    cut = len(rows) > limit
    if json_:
        output.emit({"columns": columns, "rows": [list(row) for row in rows[:limit]], "cut": cut})
        return
    output.table("", columns, rows[:limit])
    if cut:
        print(f"Only the first {limit} rows are shown; ask with --limit for more.", file=sys.stderr)
