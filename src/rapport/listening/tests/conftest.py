"""Files made for a test, and what reading them would say, without a lake."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pytest

from rapport.listening import services
from rapport.listening.services.work import Work
from rapport.listening.tests.networks import source, square

__all__ = ["source", "square"]

COLUMNS = (
    "message_id, name, epoch_us(ts) AS ts_us, strftime(ts, '%Y-%m-%d %H:%M:%S') AS at_utc, identifier, also, evidence,"
    ' channel, venue, "text", value_minor, currency, properties'
)


@dataclass
class Said:
    """What an import of a file said: its summary, and the touchpoints it would record."""

    summary: services.ImportSummary
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def reasons(self) -> list[tuple[int, str, str]]:
        return [(bad.line, bad.reason, bad.field) for bad in self.summary.bad_rows]

    def properties(self, row: int = 0) -> dict[str, Any]:
        return dict(json.loads(self.rows[row]["properties"]))


Write = Callable[[str, str | bytes], Path]
Read = Callable[..., Said]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a file with that name and content; gives its path."""

    def to_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return to_file


@pytest.fixture
def read(
    db: None,  # noqa: ARG001  where the firm's currency is asked for
    write: Write,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Read:
    """Import a file (a path, or its content) dry, and see the touchpoints it becomes."""
    monkeypatch.setenv("RAPPORT_HOME", str(tmp_path / "home"))

    def said(kind: str, content: str | bytes | Path, name: str = "file.csv", **asked: Any) -> Said:
        rows: list[dict[str, Any]] = []

        def keep(work: Work, con: duckdb.DuckDBPyConnection, select: str) -> None:
            con.execute("SET TimeZone = 'UTC'")
            given = {row[0] for row in con.execute(f"DESCRIBE {select}").fetchall()}
            named = (
                select if "message_id" in given else f"SELECT *, id::VARCHAR AS message_id FROM ({select})"
            )
            rows.extend(con.execute(f"SELECT {COLUMNS} FROM ({named})").to_arrow_table().to_pylist())
            work.summary.recorded = len(rows)

        monkeypatch.setattr(Work, "record", keep)
        path = content if isinstance(content, Path) else write(name, content)
        summary = services.import_file(kind, path, dry_run=True, **asked)
        return Said(summary, rows)

    return said
