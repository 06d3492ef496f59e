"""`rapport conversations`: list what waits, and show one with what was said in it."""

from __future__ import annotations

import uuid
from dataclasses import asdict

import click

from rapport.cli import output
from rapport.kit.errors import NotFound
from rapport.web import stores

NOBODY = 0  # nobody of ours asks here, so views of one's own are empty


@click.group("conversations")
def conversations_command() -> None:
    """Conversations: what people said to us or of us, until the matter is settled."""


@conversations_command.command("list")
@click.option(
    "--view", default="open", show_default=True, help="open, overdue, public, pending, resolved ..."
)
@click.option("--after", default="", help="The `next` of the page before.")
@click.option("--limit", default=50, show_default=True, help="At most 200.")
@output.as_json
def list_conversations(view: str, after: str, limit: int, json_: bool) -> None:
    """The conversations of a view, who waits most first."""
    stores.set_up()
    from rapport.conversations import selectors

    page = selectors.page(view, NOBODY, after, limit)
    if json_:
        output.emit({"rows": [asdict(row) for row in page.rows], "next": page.next})
        return
    output.table(
        "",
        ["conversation", "channel", "waits since", "who", "about"],
        [
            (str(r.id), r.venue or r.channel, r.waiting_since or "", r.author_name or r.identifier, r.title)
            for r in page.rows
        ],
    )
    if page.next:
        click.echo(f"More: --after {page.next}")


@conversations_command.command("show")
@click.argument("number")
@output.as_json
def show(number: str, json_: bool) -> None:
    """One conversation: how it stands, and its newest messages, oldest first."""
    stores.set_up()
    from rapport.conversations import selectors

    try:
        wanted = uuid.UUID(number)
    except ValueError:
        raise NotFound(
            f"{number!r} is no conversation's number", "`rapport conversations list` shows them."
        ) from None
    head, said = selectors.conversation(wanted), selectors.messages(wanted)
    if json_:
        output.emit({**asdict(head), "messages": [asdict(m) for m in said.rows], "before": said.before})
        return
    click.echo(f"{head.title}\n{head.state}, {head.venue or head.channel}, {head.n_messages} messages")
    if head.resolved_why or head.outcome:
        click.echo(f"settled: {head.outcome} {head.resolved_why}".rstrip())
    for message in said.rows:
        who = {"out": "we", "note": "note"}.get(message.direction, message.author_name or message.identifier)
        state = f" [{message.state}]" if message.state else ""
        click.echo(f"\n{message.ts:%Y-%m-%d %H:%M} {who}{state}\n{message.text}")
