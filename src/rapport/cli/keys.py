"""Ways in: write keys for the collector, one-time links for staff."""

from __future__ import annotations

import click

from rapport.cli import output
from rapport.web import stores


@click.command("key")
@click.argument("source")
@output.as_json
def key_command(source: str, json_: bool) -> None:
    """Make a write key for a site, shop or app called SOURCE, with which it may send events."""
    from rapport.events import spool

    box = spool.current()
    box.create()
    key = box.add_write_key(source)
    if json_:
        output.emit({"source": source, "write_key": key})
    else:
        print(f"Write key for {source}: {key}")
        print("It is shown this once. Use it as the user name of HTTP basic authentication.")


@click.command("login-link")
@output.as_json
def login_link_command(json_: bool) -> None:
    """Make a one-time link that logs the owner in (or sets Rapport up), valid for a short while."""
    stores.set_up()
    from rapport.cli.serve import login_address

    link = login_address(8000)
    if json_:
        output.emit({"link": link})
    else:
        print(link)
