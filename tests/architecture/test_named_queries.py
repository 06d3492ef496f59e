"""Every named query has its header, and the engine understands it against a fresh lake."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rapport.events import lake
from rapport.kit import query

SOURCE = Path(__file__).parents[2] / "src" / "rapport"


def files() -> list[Path]:
    return sorted(SOURCE.rglob("*.sql"))


def packages() -> list[str]:
    """Top packages that have queries."""
    return sorted({f"rapport.{f.relative_to(SOURCE).parts[0]}" for f in files()})


@pytest.mark.parametrize("file", files(), ids=lambda f: str(f.relative_to(SOURCE)))
def test_a_query_states_grain_needs_gives_and_units(file: Path) -> None:
    parsed = query.parse(str(file), file.read_text())
    assert all(parsed.header[key] for key in query.REQUIRED)


def test_the_engine_understands_every_query(home: Path) -> None:
    checked = lake.check_queries(*packages())
    assert checked == len(files())


def test_no_analytical_sql_hides_in_python() -> None:
    """A window, a join over the lake or a GROUP BY in a string belongs into a file with a header."""
    hidden = [
        f"{f.relative_to(SOURCE)}"
        for f in SOURCE.rglob("*.py")
        if "test" not in f.name and "tests" not in f.parts and "bench" not in f.parts
        for text in re.findall(r'"""(?:(?!""").)*"""', f.read_text(), re.DOTALL)
        if re.search(r"\bSELECT\b.*\b(OVER\s*\(|GROUP BY|QUALIFY)\b", text, re.DOTALL)
    ]
    assert hidden == []
