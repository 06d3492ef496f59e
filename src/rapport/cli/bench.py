"""`rapport bench`: figures as ratios, with the peer or limit named."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores


@click.command("bench")
@click.argument("names", nargs=-1)
@output.as_json
def bench_command(names: tuple[str, ...], json_: bool) -> None:
    """Measure, each figure against a named peer or limit in the same run."""
    stores.set_up()
    from rapport.bench import harness

    raise SystemExit(harness.run(list(names), json=json_))
