"""`rapport answer`: for each question the entries that may answer it, from a file of questions and a file of entries."""

from __future__ import annotations

from pathlib import Path

import click

from rapport.cli import output
from rapport.web import stores


@click.command("answer")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--knowledge",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="Entries: CSV, JSONL or a JSON list.",
)
@output.as_json
def answer_command(file: Path, knowledge: Path, json_: bool) -> None:
    """For each question of FILE the top three entries with probability, or a question back, or silence.

    FILE holds one question a line, or JSONL, JSON or CSV with `question`. The entries are those of the knowledge
    file alone; the data folder is neither read nor written. A bad row of it is named, and the exit status is 1.
    """
    stores.set_up()
    from rapport.knowledge.rules import files
    from rapport.knowledge.services import alone

    asked = files.questions(file.read_bytes(), file.name)
    held = files.read(knowledge.read_bytes(), knowledge.name)
    with output.progress("reading what is known", quiet=json_) as show:
        known = alone.Alone.of(held.entries, lambda what: show(0, None, what))
        answers = known.answer(asked)
    for bad in held.bad:
        output.complain(f"{knowledge.name}, line {bad.line}: {bad.message}", bad.hint)
    if json_:
        output.emit({"answers": [a.as_json() for a in answers], "calibration": known.calibration(),
                     "bad_rows": [{"line": b.line, "message": b.message, "hint": b.hint} for b in held.bad]})  # fmt: skip
    else:
        for one in answers:
            click.echo(one.question.replace("\n", " "))
            for k, proposed in enumerate(one.proposals, start=1):
                click.echo(f"  {k}. {proposed.probability:5.0%}  {proposed.key}  {proposed.title}")
            if one.asks:
                click.echo(f"  ask first: {one.asks}")
            if one.abstains:
                click.echo("  quiet: none of these is likely enough.")
    if held.bad:
        raise SystemExit(1)
