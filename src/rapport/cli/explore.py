"""`rapport explore`: ask the firm's figures a question written as JSON, or a saved one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from rapport.cli import output
from rapport.kit.errors import Invalid
from rapport.web import stores

if TYPE_CHECKING:
    from rapport.explore.rules.answers import Answer

BY = "command line"


@click.group("explore")
def explore_command() -> None:
    """Questions to the firm's own figures."""


@explore_command.command("ask")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@output.as_json
def ask(file: Path, json_: bool) -> None:
    """Answer the question in FILE, JSON as docs/reference/measures.md describes it."""
    stores.set_up()
    from rapport.explore import services
    from rapport.explore.rules import parsing

    try:
        given = json.loads(file.read_text("utf-8"))
    except ValueError as error:
        raise Invalid(f"{file} is no JSON: {error}", "See docs/reference/measures.md.") from None
    question = parsing.parse(given)
    with output.progress("asking", quiet=json_) as show:
        answer = services.ask(
            question, by=BY, progress=lambda ratio: show(int(100 * (ratio or 0)), 100, "asking")
        )
    _print(answer, json_)


@explore_command.command("list")
@output.as_json
def list_saved(json_: bool) -> None:
    """The saved questions."""
    stores.set_up()
    from rapport.explore import selectors
    from rapport.explore.rules.question import document
    from rapport.web.components import exploring

    saved = selectors.all_saved()
    if json_:
        output.emit(
            [
                {
                    "name": one.name,
                    "question": document(one.question),
                    "shared": one.shared,
                    "schedule": one.schedule,
                    "created_by": one.created_by,
                    "asked_at": one.asked_at,
                    "error": one.error,
                }
                for one in saved
            ]
        )
        return
    output.table(
        "",
        ["name", "question", "asks itself", "last asked"],
        [(s.name, exploring.sentence(s.question), s.schedule, s.asked_at) for s in saved],
    )


@explore_command.command("run")
@click.argument("name")
@output.as_json
def run(name: str, json_: bool) -> None:
    """Ask the saved question NAME now, and keep the answer in its history."""
    stores.set_up()
    from rapport.explore import selectors, services

    saved = selectors.saved_named(name)
    with output.progress("asking", quiet=json_) as show:
        answer = services.run_saved(
            saved.key, by=BY, progress=lambda ratio: show(int(100 * (ratio or 0)), 100, "asking")
        )
    _print(answer, json_)


def _print(answer: Answer, json_: bool) -> None:
    from rapport.explore.rules import answers
    from rapport.web.components import exploredways, exploring

    if json_:
        output.emit(answers.as_json(answer))
        return
    shown = exploredways.shown(answer)
    click.echo(exploring.sentence(answer.question))
    if shown.is_empty:
        click.echo("Nothing happened that this asks about.")
    for label, cell, note in shown.cards:
        click.echo(f"{label}: {cell.text} {note or cell.note}".rstrip())
    for table in shown.tables:
        output.table(
            table.title,
            [table.head, *table.columns],
            [(row.head, *(f"{c.text} {c.note}".strip() for c in row.cells)) for row in table.rows],
            right=tuple(range(1, len(table.columns) + 1)),
        )
    for note in shown.notes:
        click.echo(note)
