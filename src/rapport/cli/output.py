"""What commands print: text for people, one JSON document for programs, progress on a terminal only."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

as_json = click.option("--json", "json_", is_flag=True, help="Print one JSON document.")


def complain(message: str, hint: str = "") -> None:
    """Say on standard error what went wrong, and what to do."""
    in_json = "--json" in sys.argv
    if in_json:
        print(json.dumps({"error": message, "hint": hint}))
    else:
        print(f"rapport: {message}." if not message.endswith(".") else f"rapport: {message}", file=sys.stderr)
        if hint:
            print(f"  {hint}", file=sys.stderr)


def emit(document: Any) -> None:
    """Print a JSON document."""
    print(json.dumps(document, default=_plain, ensure_ascii=False, indent=2))


def table(
    title: str, columns: list[str], rows: list[tuple[Any, ...]], *, right: tuple[int, ...] = ()
) -> None:
    """Print rows under headings; `right` are the columns of numbers."""
    shown = Table(title=title, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        shown.add_column(column, justify="right" if i in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*("" if value is None else str(value) for value in row))
    Console(highlight=False).print(shown)


@contextmanager
def progress(label: str, *, quiet: bool = False) -> Iterator[Callable[[int, int | None, str], None]]:
    """A function that shows (done, total or None, what is being done); nothing is shown in a pipe."""
    if quiet or not sys.stderr.isatty():
        yield lambda *_: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(label, total=None)

        def show(done: int, total: int | None, what: str = "") -> None:
            bar.update(task, completed=done, total=total, description=what or label)

        yield show


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, (uuid.UUID, Path)):
        return str(value)
    if isinstance(value, dt.timedelta):
        return value.total_seconds()
    if hasattr(value, "item"):
        return value.item()
    return str(value)
