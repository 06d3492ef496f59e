"""docs/reference/lake.md describes every table and column of the lake, with its type."""

from __future__ import annotations

import re
from pathlib import Path

from rapport.events import lake

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "lake.md"


def test_the_page_is_what_a_fresh_lake_has(home: Path) -> None:
    described = {}
    for section in re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)[1:]:
        name = section.split("\n", 1)[0]
        described[name] = re.findall(r"^\| `(\w+)` \| ([A-Z ]+) \|", section, re.MULTILINE)
    con = lake.connect()
    rows = con.execute(
        "SELECT table_name, column_name, data_type FROM duckdb_columns()"
        " WHERE database_name = 'lake' ORDER BY table_name, column_index"
    ).fetchall()
    con.close()
    there: dict[str, list[tuple[str, str]]] = {}
    for table, column, kind in rows:
        there.setdefault(table, []).append((column, kind))
    assert described == there
