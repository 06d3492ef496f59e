"""`rapport insights`: list the models, run them, measure them."""

from __future__ import annotations

from pathlib import Path

import click

from rapport.cli import output
from rapport.web import stores


@click.group("insights")
def insights_command() -> None:
    """Models that write scores and annotations."""


@insights_command.command("list")
@output.as_json
def list_models(json_: bool) -> None:
    """What each model says, and when it last ran."""
    stores.set_up()
    from rapport.insights import selectors

    cards = selectors.cards()
    if json_:
        output.emit(cards)
    else:
        output.table(
            "", ["model", "version", "what it says"], [(c.name, c.version, c.meaning) for c in cards]
        )


@insights_command.command("run")
@click.argument("names", nargs=-1, metavar="[MODEL]...")
@output.as_json
def run(names: tuple[str, ...], json_: bool) -> None:
    """Run these models, or all of them."""
    stores.set_up()
    from rapport.insights import services

    with output.progress("running", quiet=json_) as show:
        summaries = services.run(list(names) or None, progress=show)
    if json_:
        output.emit(summaries)
        return
    output.table(
        "",
        ["model", "version", "state", "rows in", "rows out", "seconds"],
        [(s.model, s.version, s.state, s.n_in, s.n_out, f"{s.duration_s:.1f}") for s in summaries],
        right=(3, 4, 5),
    )
    if any(s.state == "failed" for s in summaries):
        raise SystemExit(1)


@insights_command.command("backtest")
@click.argument("name", metavar="MODEL")
@click.option(
    "--data",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    default=None,
    help="Your own file.",
)
@output.as_json
def backtest(name: str, data: Path | None, json_: bool) -> None:
    """How good a model is, against its naive baseline."""
    stores.set_up()
    from rapport.insights import services

    result = services.backtest(name, data)
    if json_:
        output.emit(result)
    else:
        output.table(name, ["", ""], [(key, value) for key, value in result.items()])
