"""A hint that names a command names one that exists."""

from __future__ import annotations

import re
from pathlib import Path

import click

from rapport.cli.main import group

SOURCE = Path(__file__).parents[2] / "src" / "rapport"


def test_every_command_that_a_message_names_exists() -> None:
    known = set(group.list_commands(click.Context(group, info_name="rapport")))
    wrong = {
        (str(file.relative_to(SOURCE)), name)
        for file in [*SOURCE.rglob("*.py"), *SOURCE.rglob("*.html")]
        for name in re.findall(r"[`“]rapport ([a-z-]+)", file.read_text())
        if name not in known
    }
    assert wrong == set()
