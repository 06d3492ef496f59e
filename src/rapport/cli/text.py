"""`rapport text`: what the models say of texts, and teaching them with the firm's own labels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click
import msgspec

from rapport.cli import output, textlines
from rapport.web import stores


@click.group("text")
def text_command() -> None:
    """Read texts, and teach the models that read them."""


@text_command.command("score")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option(
    "--tier",
    type=click.Choice(["fast", "full"]),
    default="fast",
    show_default=True,
    help="full asks the slower models too, where one is installed.",
)
@click.option(
    "--as",
    "shape",
    type=click.Choice(["auto", "text", "jsonl"]),
    default="auto",
    show_default=True,
    help="Whether a line is a text or a JSON object with text; auto looks at the first.",
)
@click.option("--json", "json_", is_flag=True, help="The same; one JSON object a line is printed anyway.")
def score(file: str, tier: str, shape: str, json_: bool) -> None:  # noqa: ARG001  --json is understood everywhere
    """What the models say of each line of FILE (- for standard input): one JSON object a line, in the same order.

    A line is a text, or a JSON object with `text` and perhaps `lang`. Where there is a data folder, its models
    read as the firm has taught them. A line that cannot be read gives an object with `error` and `line` in its
    place, and the exit status 1.
    """
    stores.set_up()
    from rapport.insights import services

    reader = services.Reader.of(tier, firms=stores.has_records())
    out = sys.stdout.buffer
    n_bad = 0
    with click.open_file(file, "rb") as stream:
        for batch in textlines.batches(stream, shape, named=file):
            good = [one for one in batch if isinstance(one, services.Read)]
            said = iter(reader.read(good))
            for one in batch:
                document: dict[str, Any]
                if isinstance(one, services.Read):
                    document = next(said)
                else:
                    document, n_bad = {"error": one.message, "line": one.line}, n_bad + 1
                out.write(msgspec.json.encode(document) + b"\n")
            out.flush()
    if n_bad:
        lines = (
            "1 line could not be read; it says"
            if n_bad == 1
            else f"{n_bad:,} lines could not be read; each says"
        )
        click.echo(f"rapport: {lines} why in its place.", err=True)
        raise SystemExit(1)


@text_command.command("train")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--label-column", default="label", show_default=True, help="The column that holds the label.")
@click.option("--model", default="sentiment", show_default=True, help="Which model learns.")
@click.option("--of", default="", help="Which annotation the labels are of, where the model gives several.")
@click.option("--anyway", is_flag=True, help="Keep what was learnt even where it makes the model worse.")
@output.as_json
def train(file: Path, label_column: str, model: str, of: str, anyway: bool, json_: bool) -> None:
    """Teach a text model from the labels of FILE and all it was given before; before and after on a part held out.

    Where it would get worse, or the labels are too few to tell, nothing changes and the exit status is 1.
    """
    stores.set_up()
    from rapport.insights import services

    with output.progress(f"teaching {model}", quiet=json_) as show:
        lesson = services.adapt(
            model, file, label_column, of=of, by="command line", anyway=anyway, progress=show
        )
    if json_:
        output.emit(lesson.as_json())
    else:
        _tell(lesson)
    if not lesson.taught:
        raise SystemExit(1)


@text_command.command("versions")
@click.argument("model")
@output.as_json
def versions(model: str, json_: bool) -> None:
    """The versions of a text model that are kept, the newest first, and how good each lesson made it."""
    stores.set_up()
    from rapport.insights import selectors

    kept = selectors.versions(model)
    if json_:
        output.emit(kept)
        return
    output.table(
        model,
        ["version", "since", "serves", "learnt from", "macro-F1 before", "after", "by"],
        [
            (
                v.version,
                f"{v.created_at:%Y-%m-%d %H:%M}" if v.created_at else "",
                "yes" if v.serves else "",
                f"{v.n:,} texts" if v.n else "as shipped",
                _interval(v.before),
                _interval(v.after),
                v.by,
            )
            for v in kept
        ],
    )


@text_command.command("rollback")
@click.argument("model")
@click.argument("version", required=False, default="")
@output.as_json
def rollback(model: str, version: str, json_: bool) -> None:
    """Let an earlier VERSION of a text model serve again; by default the one before."""
    stores.set_up()
    from rapport.insights import services

    serves = services.rollback(model, version)
    if json_:
        output.emit({"model": model, "version": serves})
    else:
        click.echo(
            f"Version {serves} of {model} serves from now on. Texts are read again in the background; "
            f"`rapport insights run {model}` does it now."
        )


def _tell(lesson: Any) -> None:
    judged = lesson.judged
    if judged is not None:
        output.table(
            f"{lesson.model} on {judged.n:,} held-out texts: {judged.split}",
            ["", "texts", f"before ({lesson.before_version})", "after"],
            [
                ("macro-F1", f"{judged.n:,}", _interval(judged.before), _interval(judged.after)),
                ("accuracy", f"{judged.n:,}", f"{judged.accuracy_before:.3f}", f"{judged.accuracy_after:.3f}"),
                *((f"F1, {one.label}", f"{one.n:,}", _interval(one.before), _interval(one.after))
                  for one in judged.labels),
            ],
            right=(1, 2, 3),
        )  # fmt: skip
    if lesson.taught:
        click.echo(
            f"Version {lesson.version} of {lesson.model} serves from now on. "
            f"`rapport text rollback {lesson.model}` goes back."
        )
    else:
        output.complain(
            f"{lesson.model} was not taught: {lesson.refused}",
            ""
            if judged is None
            else "Version " + lesson.version + " goes on; --anyway keeps what was learnt.",
        )


def _interval(figure: Any) -> str:
    return "" if figure is None else f"{figure.value:.3f} [{figure.low:.3f}, {figure.high:.3f}]"
