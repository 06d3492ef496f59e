"""Every dependency says, in one sentence, why it is here."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


def stated() -> set[str]:
    project = tomllib.loads(PYPROJECT.read_text())
    groups = [
        project["project"]["dependencies"],
        *project["project"]["optional-dependencies"].values(),
        *project["dependency-groups"].values(),
    ]
    return {requirement for group in groups for requirement in group}


def test_every_dependency_has_a_sentence_of_reason() -> None:
    reasons = dict(re.findall(r'^  "([^"]+)",[ ]+# (.+)$', PYPROJECT.read_text(), re.MULTILINE))
    without = stated() - reasons.keys()
    assert not without, f"say why, in a comment on the same line: {', '.join(sorted(without))}"
    unfinished = [r for r, reason in reasons.items() if not re.match(r"[A-Z].{10,}\.$", reason)]
    assert not unfinished, f"a sentence begins with a capital and ends with a full stop: {unfinished}"


def test_no_dependency_is_stated_twice() -> None:
    project = tomllib.loads(PYPROJECT.read_text())
    names = [re.split(r"[<>=\[ ]", r)[0].lower() for r in project["project"]["dependencies"]]
    assert len(names) == len(set(names))
