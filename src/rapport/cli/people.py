"""`rapport people`: look somebody up, join and part."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores


@click.group("people")
def people_command() -> None:
    """Look people up, merge and un-merge. ID is a person's number or namespace:value."""


@people_command.command("show")
@click.argument("ref", metavar="ID")
@click.option("--events", default=20, show_default=True, help="How many of the newest events to show.")
@output.as_json
def show(ref: str, events: int, json_: bool) -> None:
    """Everything we know of one person, and where it comes from."""
    stores.set_up()
    from rapport.people import selectors

    person = selectors.person(ref)
    page = selectors.timeline(person.id, limit=events)
    if json_:
        output.emit({"person": person, "timeline": page.events})
        return
    print(f"{person.display_name} (person {person.id}, {person.kind})")
    output.table("", ["identifier"], [(f"{i.namespace}:{i.value}",) for i in person.identifiers])
    output.table(
        "",
        ["trait", "value", "origin", "since"],
        [(t.name, t.chosen.value, t.chosen.origin, t.chosen.at) for t in person.traits],
    )
    output.table("", ["score", "value", "reason"], [(s.name, s.value, s.reason) for s in person.scores])
    output.table("", ["when", "event", "text"], [(e.at, e.name, e.text or "") for e in page.events])


@people_command.command("merge")
@click.argument("a", metavar="A")
@click.argument("b", metavar="B")
@click.option("--evidence", required=True, help="How you know that they are one, in a few words.")
@output.as_json
def merge(a: str, b: str, evidence: str, json_: bool) -> None:
    """Say that two people are one; `unmerge` undoes it."""
    stores.set_up()
    from rapport.people import selectors, services

    edge = services.merge(
        selectors.person(a).id, selectors.person(b).id, evidence=evidence, by="command line"
    )
    if json_:
        output.emit({"edge": edge})
    else:
        print(f"Merged. Undo it with: rapport people unmerge {edge}")


@people_command.command("unmerge")
@click.argument("edge", type=int)
@output.as_json
def unmerge(edge: int, json_: bool) -> None:
    """Take the identity EDGE away; each side has again what it had."""
    stores.set_up()
    from rapport.people import services

    services.unmerge(edge, by="command line")
    if json_:
        output.emit({"edge": edge, "state": "removed"})
    else:
        print("Un-merged.")
