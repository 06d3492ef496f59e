"""`rapport aio`: work out what people care about, think and stand for; show it of one, with what shows it."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores


@click.group("aio")
def aio_command() -> None:
    """Attitudes, interests and opinions of people, each with the words that show it."""


@aio_command.command("refresh")
@output.as_json
def refresh(json_: bool) -> None:
    """Work out the statements of everybody, as of now."""
    stores.set_up()
    from rapport.aio import services

    with output.progress("working out", quiet=json_) as show:
        done = services.refresh(progress=lambda what: show(0, None, what))
    found = {
        "people": done.n_people,
        "statements": done.n_statements,
        "seconds": round(done.duration_s, 2),
        "standings": done.counts,
    }
    if json_:
        output.emit(found)
        return
    click.echo(f"{done.n_people:,} people, {done.n_statements:,} rows of evidence, {done.duration_s:.1f} s.")
    output.table(
        "",
        ["kind", "about", "people", "for", "against", "declared"],
        [
            (c["kind"], c["about"], c["n"], c["n_positive"], c["n_negative"], c["n_declared"])
            for c in done.counts
        ],
        right=(2, 3, 4, 5),
    )


@aio_command.command("show")
@click.argument("ref", metavar="ID")
@output.as_json
def show(ref: str, json_: bool) -> None:
    """What is stated of one person. ID is a person's number or namespace:value."""
    stores.set_up()
    from rapport.aio import selectors
    from rapport.people import selectors as people

    found = selectors.of_person(people.person_id(ref))
    if json_:
        output.emit(found)
        return
    if not found:
        click.echo("Nothing is stated: too little shows it, or they allow no estimates of them.")
        return
    for one in found:
        said = f"{one.value:.2f} [{one.low:.2f}, {one.high:.2f}]" if one.state == "stands" else one.state
        click.echo(f"{one.kind:9} {one.label} {one.title}: {said} ({one.origin}, {one.n})")
        for shown in one.evidence:
            click.echo(f"          {shown.at[:10]} {shown.source}, {shown.how}: “{shown.quote}”")
