"""`rapport source` and `rapport listen`: networks that are read, and reading them."""

from __future__ import annotations

import dataclasses
import json
import logging
from typing import Any

import click

from rapport.cli import output
from rapport.kit import clock, process
from rapport.kit.errors import Invalid
from rapport.web import stores

MARKS = {"ok": "ok  ", "warn": "look", "bad": "BAD "}


@click.command("listen")
@click.option("--source", "name", default="", help="Only this one, without the others' rounds.")
def listen_command(name: str) -> None:
    """Read every network that is on, until stopped."""
    stores.set_up()
    from rapport.listening import services

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    stop = process.Stop().catch_signals()
    if name:
        services.read_forever(name, stop)
    else:
        services.run_forever(stop)


@click.group("source")
def source_command() -> None:
    """Networks that are read: set them up, try them out, read them, follow words there."""


@source_command.command("list")
@output.as_json
def listing(json_: bool) -> None:
    """Sources and how they fare, and the networks that can be added."""
    stores.set_up()
    from rapport.listening import selectors

    rows, offered = selectors.sources(), selectors.offered()
    if json_:
        output.emit({"sources": rows, "connectors": offered})
        return
    if rows:
        output.table(
            "Sources",
            ["name", "network", "state", "said", "seen until", "trouble"],
            [(r.name, r.title, r.state, f"{r.n_said:,}", _when(r.seen_at), r.trouble or "") for r in rows],
            right=(3,),
        )
    else:
        print("No network is read yet. `rapport source add NAME CONNECTOR` sets one up.")
    output.table(
        "Can be added", ["connector", "title", "costs"], [(o.name, o.title, o.costs) for o in offered]
    )


@source_command.command("add")
@click.argument("name")
@click.argument("connector")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="One setting; repeat for more.")
@click.option("--days-back", default=7, show_default=True, help="How far the first reading goes back.")
@click.option(
    "--keep-days", type=int, default=None, help="Keep words for so long, where the terms allow longer."
)
@click.option("--off", is_flag=True, help="Set it up without reading it.")
@output.as_json
def add(
    name: str,
    connector: str,
    pairs: tuple[str, ...],
    days_back: int,
    keep_days: int | None,
    off: bool,
    json_: bool,
) -> None:
    """Set up a network under NAME, read through CONNECTOR. A secret may be given as NAME=@FILE."""
    stores.set_up()
    from rapport.listening import selectors, services

    services.add_source(
        name,
        connector,
        values_of(connector, pairs),
        days_back=days_back,
        keep_days=keep_days,
        is_on=not off,
        by="cli",
    )
    row = selectors.source(name.strip().lower())
    if json_:
        output.emit(row)
    else:
        print(f"{row.name} is set up and {row.state}. `rapport source check {row.name}` asks the network.")


@source_command.command("change")
@click.argument("name")
@click.option("--set", "pairs", multiple=True, metavar="NAME=VALUE", help="One setting; repeat for more.")
@click.option("--days-back", type=int, default=None, help="How far a first reading goes back.")
@click.option("--keep-days", type=int, default=None, help="Keep words for so long; 0: as the terms say.")
@output.as_json
def change(
    name: str, pairs: tuple[str, ...], days_back: int | None, keep_days: int | None, json_: bool
) -> None:
    """Change how NAME is set up, such as its key: the rest stays. One stopped for its log-in is tried again."""
    stores.set_up()
    from rapport.listening import selectors, services

    before = selectors.source(name)
    kept = before.own_keep_days if keep_days is None else keep_days or None
    left = services.change_source(
        name, values_of(before.connector, pairs), days_back=days_back, keep_days=kept, by="cli"
    )
    if json_:
        output.emit({"source": selectors.source(name), "kept_no_longer": left})
        return
    print(f"{name} is changed. `rapport source check {name}` asks the network.")
    if left:
        print(f"Kept no longer, because it was given for another server: {', '.join(left)}.")


@source_command.command("switch")
@click.argument("name")
@click.argument("state", type=click.Choice(["on", "off"]))
@output.as_json
def switch(name: str, state: str, json_: bool) -> None:
    """Read NAME again from where its reading ended, or no more."""
    stores.set_up()
    from rapport.listening import selectors, services

    services.switch(name, state == "on", by="cli")
    output.emit(selectors.source(name)) if json_ else print(f"{name} is {state}.")


@source_command.command("remove")
@click.argument("name")
@output.as_json
def remove(name: str, json_: bool) -> None:
    """Take NAME away, where nothing ever came of it; any other is switched off."""
    stores.set_up()
    from rapport.listening import services

    services.remove_source(name)
    output.emit({"name": name, "is_removed": True}) if json_ else print(f"{name} is removed.")


@source_command.command("check")
@click.argument("name")
@output.as_json
def check(name: str, json_: bool) -> None:
    """Ask a source's network whether log-in, rights and addresses work; status 1 where something is wrong."""
    stores.set_up()
    from rapport.listening import services

    found = services.check_source(name)
    if json_:
        output.emit({"works": all(f.state != "bad" for f in found), "findings": found})
    else:
        for one in found:
            print(f"{MARKS[one.state]}  {one.what}: {one.message}")
            if one.hint and one.state != "ok":
                print(f"      {one.hint}")
    if any(f.state == "bad" for f in found):
        raise SystemExit(1)


@source_command.command("read")
@click.argument("name")
@click.option(
    "--seconds", type=float, default=None, help="Stop after so long; a source that lasts never ends."
)
@click.option("--anew", is_flag=True, help="From the beginning; what is known already comes in once.")
@output.as_json
def read(name: str, seconds: float | None, anew: bool, json_: bool) -> None:
    """Read what is new now, instead of at the source's next turn; status 1 where it could not be read."""
    stores.set_up()
    from rapport.listening import services

    stop = process.Stop().catch_signals()
    until_s = None if seconds is None else clock.monotonic_s() + seconds
    if anew:
        services.read_anew(name)

    def is_stopping() -> bool:
        return bool(stop) or (until_s is not None and clock.monotonic_s() >= until_s)

    done = services.read_source(name, is_stopping=is_stopping)
    if json_:
        output.emit(done)
    else:
        print(f"{done.n_said:,} new on {done.n_pages:,} pages.")
        if done.trouble:
            output.complain(done.trouble, done.hint)
    if done.trouble:
        raise SystemExit(1)


@source_command.command("follow")
@click.argument("key", required=False)
@click.argument("kind", required=False, type=click.Choice(["brand", "product", "competitor", "problem"]))
@click.argument("words", nargs=-1)
@click.option("--without", "without", multiple=True, help="A word that rules a text out.")
@click.option("--language", "languages", multiple=True, help="Only in this language, such as en.")
@click.option(
    "--place", "places", multiple=True, help="Only where the venue begins so, such as reddit:r/cars."
)
@click.option("--title", default="", help="What screens call it.")
@click.option("--preview", is_flag=True, help="Only say what it would have found in the last seven days.")
@click.option("--stop", "stops", is_flag=True, help="Follow KEY no more.")
@output.as_json
def follow(
    key: str | None,
    kind: str | None,
    words: tuple[str, ...],
    without: tuple[str, ...],
    languages: tuple[str, ...],
    places: tuple[str, ...],
    title: str,
    preview: bool,
    stops: bool,
    json_: bool,
) -> None:
    """Follow WORDS under KEY; without arguments: what is followed."""
    stores.set_up()
    from rapport.listening import selectors, services
    from rapport.listening.rules import following

    if key is None:
        rows = selectors.follows()
        if json_:
            output.emit(rows)
        elif rows:
            shown = [(r.key, r.kind, ", ".join(r.with_words), ", ".join(r.without_words)) for r in rows]
            output.table("", ["key", "kind", "any of", "none of"], shown)
        else:
            print("Nothing is followed yet. `rapport source follow KEY KIND WORD...` begins.")
        return
    if stops:
        services.unfollow(key, by="cli")
        output.emit({"key": key, "is_on": False}) if json_ else print(f"{key} is followed no more.")
        return
    if kind is None:
        raise Invalid(f"it is not said what {key} is", "Write KEY KIND WORD..., kind being brand or problem.")
    rule = following.checked(following.Rule(key, title, kind, words, without, languages, places))
    found = services.preview(rule)
    if not preview:
        services.follow(key, kind, words, without, languages, places, title=title, by="cli")
    if json_:
        output.emit({"rule": rule, "preview": found})
        return
    print(f"{found.n:,} of {found.n_looked_at:,} texts of the last {found.days} days.")
    for one in found.examples:
        print(f"  {_when(one.ts)}  {one.venue}  {one.text[:160]}")


def values_of(connector: str, pairs: tuple[str, ...]) -> dict[str, Any]:
    """NAME=VALUE pairs as the connector's settings want them; @FILE reads a value from a file."""
    from rapport.listening.services import sources

    fields = {f.name: f for f in dataclasses.fields(sources.connector(connector).config)}
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or name not in fields:
            raise Invalid(
                f"--set {pair.partition('=')[0]!r} is not understood", f"There are {', '.join(fields)}."
            )
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:
                text = file.read().strip()
        values[name] = typed(fields[name], text)
    return values


def typed(field: dataclasses.Field[Any], text: str) -> Any:
    """A setting's text as its type wants it."""
    kind = str(getattr(field.type, "__name__", field.type))
    try:
        if kind == "bool":
            return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[
                text.lower()
            ]
        if kind == "int":
            return int(text)
        if kind == "float":
            return float(text)
        if kind != "str":
            return json.loads(text)
    except (KeyError, ValueError):
        raise Invalid(f"{text!r} cannot be the setting {field.name}", f"It is a {kind}.") from None
    return text


def _when(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M}" if at else "never"
