"""`rapport identity`: who may be one person, in a file or among the people here."""

from __future__ import annotations

from pathlib import Path

import click

from rapport.cli import output
from rapport.kit.errors import Invalid
from rapport.web import stores


@click.group("identity")
def identity_command() -> None:
    """Probable identities: pairs that may be one person, with a probability."""


@identity_command.command("link")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--threshold",
    type=click.FloatRange(0.001, 1),
    default=0.5,
    show_default=True,
    help="Pairs less probable than this are not printed.",
)
@click.option("--id", "id_column", default="", help="The column that numbers the rows; otherwise guessed.")
@click.option(
    "--map",
    "pairs",
    multiple=True,
    metavar="COLUMN=FIELD",
    help="What a column says; nothing after = leaves it out.",
)
@output.as_json
def link(file: Path, threshold: float, id_column: str, pairs: tuple[str, ...], json_: bool) -> None:
    """Which rows of FILE (CSV, JSON lines, Parquet) may be one person. Nothing is imported."""
    stores.set_up()
    from rapport.people.services.linking_files import link_file

    stated = {}
    for pair in pairs:
        column, equals, field = pair.rpartition("=")
        if not equals or not column:
            raise Invalid(f"--map {pair!r} is not understood", "Write COLUMN=FIELD.")
        stated[column] = field
    with output.progress("comparing", quiet=json_) as show:
        found = link_file(
            file, id_column=id_column, stated=stated, low=threshold, progress=lambda what: show(0, None, what)
        )
    probabilities = found.links.pairs["probability"].to_pylist()
    rows = list(zip(found.a.to_pylist(), found.b.to_pylist(), probabilities, strict=True))
    if json_:
        output.emit(
            {
                "rows": found.links.n_rows,
                "unreadable_rows": found.n_faults,
                "id": found.id_column or "line",
                "compared": found.mapping,
                "not_compared": list(found.left_out),
                "threshold": threshold,
                "pairs": [{"a": a, "b": b, "probability": round(p, 6)} for a, b, p in rows],
            }
        )
        return
    output.table(
        "",
        [found.id_column or "line", f"{found.id_column or 'line'} of the other", "probability"],
        [(a, b, f"{p:.4f}") for a, b, p in rows],
        right=(2,),
    )
    said = ", ".join(f"{column} as {field}" for field, column in found.mapping.items())
    click.echo(f"{len(rows):,} pairs among {found.links.n_rows:,} rows. Compared: {said}.", err=True)
    if found.left_out:
        click.echo(
            f"Not compared: {', '.join(found.left_out)}. --map COLUMN=FIELD says what one is.", err=True
        )
    if found.n_faults:
        click.echo(f"{found.n_faults:,} rows could not be read and were left out.", err=True)


@identity_command.command("propose")
@output.as_json
def propose(json_: bool) -> None:
    """Compare all people here; who may be one person is laid before a reviewer."""
    stores.set_up()
    from rapport.people import services

    with output.progress("comparing", quiet=json_) as show:
        run = services.propose_identities(lambda what: show(0, None, what))
    if json_:
        output.emit(run)
        return
    print(
        f"{run.people:,} people compared in {run.duration_s:.1f} s: {run.waiting:,} pairs wait for a reviewer,"
        f" {run.accepted:,} joined, {run.settled:,} were settled before."
    )
