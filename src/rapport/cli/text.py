"""`rapport text`: teach the text models with the firm's own labels."""

from __future__ import annotations

from pathlib import Path

import click

from rapport.cli import output
from rapport.web import stores


@click.group("text")
def text_command() -> None:
    """Teach the models that read texts."""


@text_command.command("train")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--label-column", default="label", show_default=True, help="The column that holds the label.")
@click.option("--model", default="sentiment", show_default=True, help="Which model learns.")
@output.as_json
def train(file: Path, label_column: str, model: str, json_: bool) -> None:
    """Adapt a text model to the labels of FILE; says how good it was before and after on a part held out."""
    stores.set_up()
    from rapport.insights import services

    result = services.adapt(model, file, label_column=label_column)
    if json_:
        output.emit(result)
    else:
        output.table(model, ["", ""], list(result.items()))
