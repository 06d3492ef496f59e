"""`rapport people`: look somebody up, join and part, show them everything, erase them."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores


@click.group("people")
def people_command() -> None:
    """Look people up, merge and un-merge, export and erase. ID is a person's number or namespace:value."""


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
        ["edge", "one person with", "because", "how sure", "state"],
        [(e.id, f"{e.a} = {e.b}", e.because, e.sure, e.state) for e in person.edges],
    )
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

    done = services.merge(
        selectors.person(a).id, selectors.person(b).id, evidence=evidence, by="command line"
    )
    if json_:
        output.emit({"edge": done.edge, "persons": done.persons})
    else:
        print(f"Merged. Undo it with: rapport people unmerge {done.edge}")


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


@people_command.command("export")
@click.argument("ref", metavar="ID")
@output.as_json
def export(ref: str, json_: bool) -> None:
    """Everything we keep of one person, as one JSON document: every value with its origin."""
    del json_  # the document is for the person and their next supplier: it is JSON either way
    stores.set_up()
    from rapport.consent import services

    output.emit(services.everything(ref))


@people_command.command("erase")
@click.argument("ref", metavar="ID", required=False)
@click.option("--yes", is_flag=True, help="Really erase. Without it, only what would go is shown.")
@click.option("--also-probable", is_flag=True, help="Also what is theirs on probable evidence alone.")
@click.option("--replay", is_flag=True, help="Erase again whom a restored backup brought back.")
@output.as_json
def erase(ref: str | None, yes: bool, also_probable: bool, replay: bool, json_: bool) -> None:
    """Erase one person from every store, for good; prints the certificate.

    With --replay, and erasures.jsonl put back beside a restored backup, erases again everybody on it.
    """
    if replay == bool(ref):
        raise click.UsageError("Give either an ID or --replay.")
    stores.set_up()
    from rapport.consent import selectors, services

    if replay:
        n = selectors.n_to_replay()
        certificates = services.replay(by="command line") if yes else []
        if json_:
            output.emit({"identifiers_to_erase": n, "certificates": certificates})
        elif not yes:
            print(f"{n} erased identifiers are unknown to this store. Erase them again with --yes.")
        else:
            print(f"{len(certificates)} people erased again.")
        if not yes and n:
            raise SystemExit(1)
        return
    extent = services.extent(str(ref), also_probable=also_probable)
    if not yes:
        if json_:
            output.emit({"would_erase": extent})
        else:
            output.table("Would be erased:", ["identifier"], [(text,) for text in extent.identifiers])
            if extent.probable:
                output.table(
                    "Would stay, being theirs only probably:", ["identifier"], [(t,) for t in extent.probable]
                )
            print("Nothing was erased. Say --yes to erase for good.")
        raise SystemExit(1)
    with output.progress("erasing", quiet=json_) as show:
        certificate = services.erase(
            str(ref),
            by="command line",
            also_probable=also_probable,
            progress=lambda what: show(0, None, what),
        )
    if json_:
        output.emit({"certificate": certificate})
        return
    print(f"Erased. Certificate {certificate.id}: {certificate.n_rows} rows in {certificate.took_s} s.")
    output.table("", ["store", "rows"], sorted(certificate.counts.items()), right=(1,))
