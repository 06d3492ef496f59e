"""`rapport bench`: figures as ratios, with the peer or limit named."""

from __future__ import annotations

import click

from rapport.cli import output


@click.command("bench")
@click.argument("names", nargs=-1)
@output.as_json
def bench_command(names: tuple[str, ...], json_: bool) -> None:
    """Measure, each figure against a named peer or limit in the same run."""
    output.set_up_django()
    from rapport.bench import harness

    raise SystemExit(harness.run(list(names), json=json_))
