"""`rapport insights`: list the models, run them, measure them."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

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
@click.option(
    "--soon", is_flag=True, help="Leave it to the worker of `rapport serve`, and come back at once."
)
@output.as_json
def run(names: tuple[str, ...], soon: bool, json_: bool) -> None:
    """Run these models, or all of them."""
    if soon and names:
        raise click.UsageError("--soon runs all models; leave the names out.")
    stores.set_up()
    if soon:
        from rapport.web import jobs

        jobs.run_insights_soon()
        if json_:
            output.emit({"queued": True})
        else:
            click.echo("They wait for the worker; `rapport serve` has one.")
        return
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
@click.option("--cut", type=click.DateTime(["%Y-%m-%d"]), help="What the model may know ends here; UTC.")
@click.option("--horizon-days", type=click.IntRange(1, 3650), help="How long after the cut it is judged on.")
@click.option(
    "--set", "given", multiple=True, metavar="NAME=VALUE", help="A parameter of the model; repeatable."
)
@output.as_json
def backtest(
    name: str,
    data: Path | None,
    cut: dt.datetime | None,
    horizon_days: int | None,
    given: tuple[str, ...],
    json_: bool,
) -> None:
    """How good a model is, against its naive baseline."""
    stores.set_up()
    from rapport.insights import services

    asked = services.Asked(
        cut=cut.replace(tzinfo=dt.UTC) if cut else None,
        horizon_days=horizon_days,
        parameters=dict(_parameter(one) for one in given),
    )
    result = services.backtest(name, data, asked)
    if json_:
        output.emit(result)
        return
    output.table(
        f"{name}, on {result['n']:,} rows: {result['split']}",
        ["figure", "value", "naive", "the naive rule"],
        [
            (m["name"], _figure(m, "value"), _figure(m, "baseline_value"), m["baseline"])
            for m in result["metrics"]
        ],
        right=(1, 2),
    )
    for sentence in (*(curve["meaning"] for curve in result["curves"]), result["note"]):
        if sentence:
            click.echo(sentence)


def _parameter(given: str) -> tuple[str, Any]:
    name, equals, value = given.partition("=")
    if not equals or not name:
        raise click.UsageError(f"{given!r} is no NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value


def _figure(metric: dict[str, Any], of: str) -> str:
    shown = f"{metric[of]:.4g}"
    if of == "value" and metric["low"] is not None:
        shown += f" [{metric['low']:.4g}, {metric['high']:.4g}]"
    return shown
