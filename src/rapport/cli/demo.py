"""`rapport demo`: the synthetic market into this data folder."""

from __future__ import annotations

from pathlib import Path

import click

from rapport.cli import output

COMPARED_MAX = 20_000  # people; among more, pairs that are alike are looked for at night or when asked for


@click.command("demo")
@click.option("--people", "n_people", default=10_000, show_default=True)
@click.option("--seed", default=1, show_default=True)
@click.option(
    "--truth", type=click.Path(path_type=Path), default=None, help="Write the known truth to this folder."
)
@click.option("--if-empty", is_flag=True, help="Do nothing where this data folder already holds events.")
@output.as_json
def demo_command(n_people: int, seed: int, truth: Path | None, if_empty: bool, json_: bool) -> None:
    """Fill this data folder with an invented auto-parts shop and its customers."""
    from rapport.web.stores import initialise

    initialise()
    from rapport.demo import asking, consenting, following, knowing, market
    from rapport.events import services, spool, subscriptions
    from rapport.people import services as people

    if if_empty and spool.current().next_seq() > 1:
        return
    with output.progress("inventing a market", quiet=json_) as show:
        consenting.write_wordings()
        knowing.publish()
        summary = market.load(
            n_people, seed, truth, lambda done, total: show(done, total, "inventing people")
        )
        last = summary.last_seq
        services.settle(last, lambda seq: show(seq, last, "loading events"))
        subscriptions.settle(last, progress=lambda key, seq: show(seq, last, f"{key} reads the log"))
        asking.publish()
        following.follow()
        if n_people <= COMPARED_MAX:
            people.propose_identities(lambda what: show(0, None, what))
    if json_:
        output.emit(summary)
    else:
        print(
            f"An invented shop is in this data folder: {summary.n_people:,} people, {summary.n_touchpoints:,} events,"
            f" {summary.n_texts:,} texts (seed {summary.seed})."
        )
        if truth:
            print(f"What is true of it lies apart, in {truth}.")
