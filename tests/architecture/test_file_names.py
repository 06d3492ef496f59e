"""Every domain has the same file names; one more is allowed where a decision record says why."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rapport"
DECISIONS = ROOT / "docs" / "decisions"
DOMAINS = (
    "events",
    "staff",
    "listening",
    "people",
    "insights",
    "segments",
    "explore",
    "aio",
    "personas",
    "portfolio",
    "consent",
    "knowledge",
    "pacing",
    "venues",
    "messaging",
    "conversations",
    "publishing",
    "surveys",
    "onsite",
)

USUAL = {
    "__init__",
    "apps",
    "rules",
    "models",
    "selectors",
    "services",
    "handlers",
    "contract",
    "sql",
    "tests",
    "migrations",
}
# The record that allows a domain further names; it lists each as `domain/file`.
RECORD = DECISIONS / "0014-file-names-in-a-domain.md"


def names_in(domain: str) -> set[str]:
    entries = {e for e in (SOURCE / domain).iterdir() if e.name not in {"__pycache__", "py.typed"}}
    return {e.name if e.is_dir() or e.suffix != ".py" else e.stem for e in entries}


@pytest.fixture(scope="module")
def recorded() -> set[str]:
    listed: set[str] = set(re.findall(r"`([a-z]+/[a-z_.]+)`", RECORD.read_text()))
    return {name.removesuffix(".py") for name in listed}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_the_usual_names_and_the_recorded_ones(domain: str, recorded: set[str]) -> None:
    unusual = names_in(domain) - USUAL
    unrecorded = {f"{domain}/{name}" for name in unusual} - recorded
    assert not unrecorded, f"allow them in {RECORD.name} or move them: {', '.join(sorted(unrecorded))}"


def test_every_recorded_name_is_still_there(recorded: set[str]) -> None:
    there = {f"{domain}/{name}" for domain in DOMAINS for name in names_in(domain)}
    assert recorded <= there


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_says_in_one_sentence_what_it_means(domain: str) -> None:
    text = (SOURCE / domain / "__init__.py").read_text()
    assert re.match(r'"""[A-Z][^\n]+\."""\n', text), f"{domain}/__init__.py needs a one-sentence docstring"


def test_a_file_name_is_not_both_module_and_package() -> None:
    both = [f for f in SOURCE.rglob("*.py") if f.with_suffix("").is_dir()]
    assert both == []


def test_decision_records_are_numbered_without_gap_and_listed() -> None:
    numbers = [f.name[:4] for f in sorted(DECISIONS.glob("[0-9]*.md"))]
    assert numbers == [f"{i:04d}" for i in range(1, len(numbers) + 1)]
    index = (DECISIONS / "README.md").read_text()
    for record in DECISIONS.glob("[0-9]*.md"):
        title = record.read_text().splitlines()[0]
        assert title.startswith(f"# {record.name[:4]} "), record.name
        assert f"| [{record.name[:4]}]({record.name}) | {title[7:]} |" in index, record.name


@pytest.mark.parametrize("part", ["Context", "Decision", "What was seen", "Alternatives", "Consequences"])
def test_every_record_has_its_parts(part: str) -> None:
    without = [f.name for f in DECISIONS.glob("[0-9]*.md") if f"**{part}.**" not in f.read_text()]
    assert without == []
