"""`rapport import`: files into the log, and a summary that adds up."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import click

from rapport.cli import output
from rapport.kit.errors import Invalid
from rapport.web import stores

KNOWLEDGE = "knowledge"  # no touchpoints: entries of what the firm knows
KINDS = ("people", "orders", "events", "posts", "weblog", "products", "consents", "answers")


@click.command("import")
@click.argument("kind", type=click.Choice((*KINDS, KNOWLEDGE)))
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--map", "pairs", multiple=True, metavar="COLUMN=FIELD", help="Which column holds which field.")
@click.option("--mapping", "mapping_name", default="", help="Use the saved mapping of this name, or save it.")
@click.option("--source", "source_name", default="", help="Name of the source; otherwise the kind's own.")
@click.option(
    "--option", "options", multiple=True, metavar="NAME=VALUE", help="Such as currency=GBP, network=x."
)
@click.option("--dry-run", is_flag=True, help="Name every bad row and why; write nothing.")
@output.as_json
def import_command(
    kind: str,
    files: tuple[Path, ...],
    pairs: tuple[str, ...],
    mapping_name: str,
    source_name: str,
    options: tuple[str, ...],
    dry_run: bool,
    json_: bool,
) -> None:
    """Import files (CSV, JSON lines, Parquet; also gzipped) of one KIND; knowledge is CSV, JSON lines or JSON.

    Posts may also be the archive that a network gave you, as it came: X, Mastodon, Telegram, WhatsApp, Facebook,
    Reddit, mail (mbox, eml), also zipped. Say whose it is with --option account=NAME where it does not.
    """
    stores.set_up()
    if kind == KNOWLEDGE:
        _import_knowledge(files, dry_run=dry_run, json_=json_)
        return
    from rapport.listening import services

    summaries = []
    with output.progress("importing", quiet=json_) as show:
        for file in files:
            summary = services.import_file(
                kind,
                file,
                mapping=_pairs(pairs, "--map"),
                mapping_name=mapping_name,
                source_name=source_name,
                options=_pairs(options, "--option"),
                dry_run=dry_run,
                progress=show,
                by="command line",
            )
            summaries.append({**dataclasses.asdict(summary), **_arrivals(summary)})
    if json_:
        output.emit(summaries[0] if len(summaries) == 1 else summaries)
    else:
        for entry in summaries:
            _show(entry)
    if any(entry.get("bad_rows") for entry in summaries) and dry_run:
        raise SystemExit(1)


def _import_knowledge(files: tuple[Path, ...], *, dry_run: bool, json_: bool) -> None:
    """Entries of what the firm knows, from files; every bad row is named, and the good ones are written."""
    from rapport.knowledge import services

    done = []
    with output.progress("importing", quiet=json_) as show:
        for file in files:
            if not file.is_file():
                raise Invalid(f"there is no file {file}", "Check the path.")
            content = file.read_bytes()
            done.append(
                services.import_file(
                    content, name=file.name, by="command line", dry_run=dry_run, progress=show
                )
            )
    if json_:
        documents = [dataclasses.asdict(one) for one in done]
        output.emit(documents[0] if len(documents) == 1 else documents)
    else:
        for file, one in zip(files, done, strict=True):
            click.echo(
                f"{file.name}: {one.n_rows:,} rows, {one.n_new:,} new entries, {one.n_changed:,} changed,"
                f" {one.n_wordings:,} wordings, {one.n_options:,} options."
                + (" Nothing was written." if dry_run else "")
            )
            for row in one.bad:
                output.complain(f"line {row.line}: {row.message}" if row.line else row.message, row.hint)
    if any(one.bad for one in done):
        raise SystemExit(1)


def _arrivals(summary: object) -> dict[str, int]:
    """People this import brought: new ones, and ones we already knew."""
    from rapport.events import subscriptions
    from rapport.people import selectors

    first, last = getattr(summary, "first_seq", None), getattr(summary, "last_seq", None)
    if not first or not last:
        return {"people_new": 0, "people_matched": 0}
    subscriptions.settle(last, ["people"])
    found = selectors.arrivals(first, last)
    return {"people_new": found.new, "people_matched": found.matched}


def _pairs(texts: tuple[str, ...], option: str) -> dict[str, str]:
    pairs = {}
    for text in texts:
        left, equals, right = text.partition("=")
        if not equals or not left or not right:
            raise Invalid(f"{option} {text!r} is not understood", f"Write {option} left=right.")
        pairs[left] = right
    return pairs


def _show(entry: dict[str, object]) -> None:
    output.table(
        str(entry.get("file") or entry.get("file_name") or ""),
        ["", ""],
        [
            (key.replace("_", " "), value)
            for key, value in entry.items()
            if isinstance(value, (int, float, str)) and value != ""
        ],
    )
    for note in entry.get("notes") or ():  # type: ignore[attr-defined]
        print(f"  {note}")
    for row in entry.get("bad_rows") or ():  # type: ignore[attr-defined]
        print(f"  {row}")
