"""The commands that the pages tell people to type do work, in the order in which the page has them.

Each page is one story in a data folder of its own, run in a process of its own from the root of the
checkout. A line that ends in `# exit 1` is meant to be refused.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMAND = ".venv/bin/rapport"
# These never come back by themselves; tests of their own start and stop them.
SERVING = {"serve", "web", "collect"}
STORIES = ["README.md", "docs/tutorials/first-ten-minutes.md", "docs/how-to/import-your-own-files.md"]


def shell_lines(page: Path) -> list[str]:
    """The lines of the page's `sh` blocks, continued ones joined."""
    blocks = re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
    text = "\n".join(blocks).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip()]


def rapport_lines(page: Path) -> list[tuple[list[str], int]]:
    """The arguments of each `rapport` line and the exit status it should have."""
    found = []
    for line in shell_lines(page):
        if not line.startswith(COMMAND):
            continue
        words = shlex.split(line, comments=True)[1:]
        if words and words[0] not in SERVING:
            found.append((words, 1 if line.endswith("# exit 1") else 0))
    return found


@pytest.mark.parametrize("story", STORIES)
def test_a_pages_commands_do_what_it_says(story: str, tmp_path: Path) -> None:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RAPPORT_")}
    environment["RAPPORT_HOME"] = str(tmp_path / "home")
    lines = rapport_lines(ROOT / story)
    assert lines, f"{story} shows no command"
    done = subprocess.run(
        [sys.executable, Path(__file__).parent / "run_story.py"],
        input=json.dumps([words for words, _ in lines]),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for (words, wanted), (status, said) in zip(lines, json.loads(done.stdout), strict=True):
        assert status == wanted, f"rapport {shlex.join(words)}\n{said}"
        assert "Traceback" not in said, f"rapport {shlex.join(words)}\n{said}"


def pages() -> list[Path]:
    return sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@pytest.mark.parametrize("page", pages(), ids=lambda f: str(f.relative_to(ROOT)))
def test_every_make_target_that_is_mentioned_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    mentioned = set(re.findall(r"`make ([a-z-]+)", text)) | {
        line.split()[1] for line in shell_lines(page) if line.startswith("make ")
    }
    assert mentioned <= targets


@pytest.mark.parametrize("page", pages(), ids=lambda f: str(f.relative_to(ROOT)))
def test_every_command_that_is_mentioned_exists(page: Path) -> None:
    """Wherever a page writes `rapport something`, that command is there."""
    import click

    from rapport.cli.main import group

    context = click.Context(group, info_name="rapport")
    known = set(group.list_commands(context))
    mentioned = set(re.findall(r"`(?:\.venv/bin/)?rapport ([a-z-]+)", page.read_text()))
    mentioned |= {words[0] for words, _ in rapport_lines(page)}
    assert mentioned <= known
