"""`rapport answer` and `rapport import knowledge`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from rapport.cli.answer import answer_command
from rapport.cli.imports import import_command
from rapport.knowledge import selectors

KNOWN = (
    '{"id": "judder", "title": "Wipers judder", "questions": ["My wipers judder", "The blades jump"], "answer": "Clean."}\n'
    '{"id": "oil", "title": "Which oil", "questions": ["Which oil does my car need?"], "answer": "5W-30."}\n'
    '{"id": "return", "title": "Send it back", "questions": ["How do I return a part?"], "answer": "Print the label."}\n'
)


@pytest.fixture
def known(tmp_path: Path) -> Path:
    file = tmp_path / "known.jsonl"
    file.write_text(KNOWN)
    return file


def test_each_question_gets_its_three_likeliest_entries(known: Path, tmp_path: Path) -> None:
    asked = tmp_path / "asked.txt"
    asked.write_text("why do the wipers judder so?\nDo you sponsor brass bands?\n")
    done = CliRunner().invoke(answer_command, [str(asked), "--knowledge", str(known), "--json"])
    assert done.exit_code == 0, done.output
    first, second = json.loads(done.output)["answers"]
    assert first["entries"][0]["key"] == "judder"
    assert len(first["entries"]) == 3
    assert not first["abstains"]
    assert first["entries"][0]["probability"] > 0.4 > second["entries"][0]["probability"]
    assert second["abstains"]


def test_a_bad_row_is_named_and_the_rest_answers(known: Path, tmp_path: Path) -> None:
    known.write_text(KNOWN + '{"title": "no key"}\n')
    asked = tmp_path / "asked.txt"
    asked.write_text("which oil?\n")
    done = CliRunner().invoke(answer_command, [str(asked), "--knowledge", str(known)])
    assert done.exit_code == 1
    assert "line 4" in done.output
    assert "oil" in done.output


@pytest.mark.usefixtures("home", "db")
def test_knowledge_is_imported_once_however_often(known: Path) -> None:
    tried = CliRunner().invoke(import_command, ["knowledge", str(known), "--dry-run", "--json"])
    assert (tried.exit_code, json.loads(tried.output)["n_new"]) == (0, 3)
    assert selectors.entries()[0] == []
    for _ in range(2):
        assert CliRunner().invoke(import_command, ["knowledge", str(known)]).exit_code == 0
    assert [row.n_wordings for row in selectors.entries()[0]] == [1, 1, 2]
