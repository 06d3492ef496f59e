"""Settings come from at most thirty RAPPORT_* variables, each of them documented."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "rapport"
PAGE = ROOT / "docs" / "reference" / "settings.md"
MAX_SETTINGS = 30


def read_by_the_code() -> set[str]:
    found: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        if file.name.startswith("test_") or "tests" in file.parts:
            continue
        text = file.read_text()
        found |= {f"RAPPORT_{name}" for name in re.findall(r'\benv\(\s*"([A-Z_]+)"', text)}
        found |= set(re.findall(r'environ(?:\.get\(|\[|\.setdefault\()\s*"(RAPPORT_[A-Z_]+)"', text))
    return found


def documented() -> set[str]:
    return set(re.findall(r"^\| `(RAPPORT_[A-Z_]+)` \|", PAGE.read_text(), re.MULTILINE))


def test_every_setting_is_documented_and_every_documented_one_is_read() -> None:
    assert documented() == read_by_the_code()


def test_there_are_few() -> None:
    assert len(read_by_the_code()) <= MAX_SETTINGS


def test_no_setting_is_read_in_a_way_that_this_test_does_not_see() -> None:
    mentioned: set[str] = set()
    for file in SOURCE.rglob("*.py"):
        if not file.name.startswith("test_") and "tests" not in file.parts:
            mentioned |= set(re.findall(r"\bRAPPORT_[A-Z_]*[A-Z]\b", file.read_text()))
    assert mentioned <= read_by_the_code()
