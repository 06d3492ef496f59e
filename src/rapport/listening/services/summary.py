"""What an import tells of itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from rapport.listening.services.refusals import BadRow

BAD_ROWS_MAX = 100_000  # named one by one in a summary; the quarantine keeps all of them


@dataclass(slots=True)
class ImportSummary:
    """What became of a file. Rows are of the file; events are what sound rows became."""

    id: str = ""  # of the import, '' for a dry run
    kind: str = ""
    source: str = ""
    file: str = ""
    description: str = ""  # what the file is: CSV with commas, gzip
    state: str = ""
    dry_run: bool = False
    read: int = 0  # rows
    quarantined: int = 0  # rows refused
    recorded: int = 0  # events that the other rows became
    accepted: int = 0  # of these, new
    duplicate: int = 0  # of these, known before
    first_seq: int | None = None
    last_seq: int | None = None
    mapping: dict[str, str] = field(default_factory=dict)  # column to field
    properties: dict[str, str] = field(default_factory=dict)  # column to property or trait
    totals: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    error: str = ""
    duration_s: float = 0.0
    rows_per_s: int = 0
    bad_rows: list[BadRow] = field(default_factory=list)
    bad_rows_not_named: int = 0  # refused beyond those in bad_rows

    def refuse(self, rows: list[BadRow]) -> None:
        """Count refused rows, and name as many as a summary can hold."""
        self.quarantined += len(rows)
        room = max(0, BAD_ROWS_MAX - len(self.bad_rows))
        self.bad_rows += rows[:room]
        self.bad_rows_not_named += max(0, len(rows) - room)
