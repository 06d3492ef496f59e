"""One import under way: what it reads, where it writes to, how far it is, and what is kept of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from rapport.events import rules as log_rules
from rapport.events import selectors as log_selectors
from rapport.events import services as log
from rapport.kit import clock, home, ids
from rapport.kit.errors import Conflict, Invalid, RapportError
from rapport.listening.models import Import
from rapport.listening.rules.fields import Kind
from rapport.listening.rules.kinds import kind_named
from rapport.listening.services import files, recognising
from rapport.listening.services.files import Given
from rapport.listening.services.recognising import Opened
from rapport.listening.services.refusals import BadRow, refuse_all
from rapport.listening.services.summary import ImportSummary

SOURCE_CHARS_MAX = 128

# rows done, rows expected in all (None where unknown), what is being done
Progress = Callable[[int, int | None, str], None]


@dataclass(slots=True)
class Work:
    """One import under way: where it writes to, and how far it is."""

    given: Given
    kind: Kind
    source: str
    options: dict[str, str]
    summary: ImportSummary
    progress: Progress
    row: Import | None = None  # None for a dry run
    done: int = 0  # chunks recorded before, when this import was interrupted
    chunk: int = 0
    context: dict[str, Any] = field(default_factory=dict)  # kept with a refused row, to correct it by
    archive: Opened | None = None  # where the file is no file of rows

    @property
    def batch(self) -> str:
        return str(self.row.id) if self.row else ""

    def show(self, phase: str) -> None:
        ratio = self.given.done_ratio
        expected = int(self.summary.read / ratio) if ratio > 0 and phase == "reading" else self.summary.read
        self.progress(self.summary.read, expected or None, phase)

    def record(self, con: duckdb.DuckDBPyConnection, select: str) -> None:
        """Make the touchpoints of a SELECT durable, unless they were when this import was interrupted."""
        self.chunk += 1
        if self.row is None:
            (n,) = con.execute(f"SELECT count(*) FROM ({select})").fetchall()[0]
            self.summary.recorded += int(n)
        elif self.chunk > self.done:
            written = log.record_query(con, select, source=self.source, batch=self.batch, trusted=True)
            self._save(written)

    def record_rows(self, rows: list[dict[str, Any]], *, within: str) -> None:
        """The same for rows in the shape of a touchpoint whose ids are unique `within` a network."""
        self.chunk += 1
        if self.row is None:
            self.summary.recorded += len(rows)
        elif self.chunk > self.done:
            written = log.Range(0, 0)
            if rows:
                table = pa.Table.from_pylist(rows, schema=log_rules.TOUCHPOINT)
                written = log.record(table, source=self.source, batch=self.batch, within=within)
            self._save(written)

    def _save(self, written: log.Range) -> None:
        assert self.row is not None
        if written.n:
            self.row.first_seq = self.row.first_seq or written.first
            self.row.last_seq = written.last
        self.row.position = self.chunk
        self.row.save(update_fields=["first_seq", "last_seq", "position"])

    def refuse(self, rows: list[BadRow]) -> None:
        """Count bad rows and, unless this is a dry run, quarantine them."""
        self.summary.refuse(rows)
        if rows and self.row is not None:
            log.quarantine_rows(
                refuse_all(
                    rows, kind=self.kind.name, source=self.source, batch=self.batch, context=self.context
                )
            )


def prepare(
    kind: str,
    path: str | Path,
    *,
    source_name: str,
    options: Mapping[str, str],
    progress: Progress | None,
    file_name: str = "",
    is_mapped: bool = False,
) -> Work:
    """Look at a file and at what was asked for, without writing anything.

    An archive of a network is recognised, unless somebody says which column is what (`is_mapped`).
    """
    began = kind_named(kind)
    unknown = set(options) - set(OPTIONS)
    if unknown:
        raise Invalid(f"there is no option {', '.join(sorted(unknown))}", f"There are {', '.join(OPTIONS)}.")
    takes_archives = kind in recognising.KINDS and not is_mapped
    given = files.look_at(path, file_name, takes_zip=takes_archives)
    archive = recognising.opened(given) if takes_archives else None
    source = source_name.strip() or (archive.source if archive else kind)
    if len(source) > SOURCE_CHARS_MAX:
        raise Invalid(
            f"the source's name has {len(source)} characters", f"At most {SOURCE_CHARS_MAX} are kept."
        )
    summary = ImportSummary(kind=kind, source=source, file=given.name)
    return Work(given, began, source, dict(options), summary, progress or _silent, archive=archive)


OPTIONS = {
    "currency": "of amounts whose row does not say, ISO 4217",
    "network": "of posts whose row does not say",
    "channel": "of rows that do not say",
    "purpose": "of consents whose row does not say",
    "state": "of consents whose row does not say: granted, denied or withdrawn",
    "survey": "of answers whose row does not say",
    "date_order": "day or month: which comes first in dates like 02/03/2015",
    "decimal": "point or comma: what comes before the decimals",
    "time_zone": "of times without one, such as Europe/Berlin; UTC otherwise",
    "account": "whose archive it is, where it does not say: a handle, mail addresses, a name",
    "site": "the log's own site, whose pages are no referrers",
}


def _silent(done: int, expected: int | None, phase: str) -> None:
    """Show nothing."""
    del done, expected, phase


def begin(
    work: Work,
    mapping: Mapping[str, str],
    by: str,
    *,
    import_id: uuid.UUID | None = None,
    kept_path: Path | None = None,
) -> None:
    """Give the work its row: that of the same import if it was interrupted, else a new one.

    With `import_id` the row is new and queued, over our own copy of the file.
    """
    fingerprint = files.fingerprint(work.given)
    same = {
        "fingerprint": fingerprint,
        "kind": work.kind.name,
        "source": work.source,
        "wishes": dict(mapping),
        "options": work.options,
    }
    if import_id is None and (earlier := _interrupted(same)):
        work.row, work.done = earlier, earlier.position
        work.summary.notes.append(f"resumed: {earlier.position} parts were recorded before")
        return
    work.row = Import.objects.create(
        id=import_id or ids.uuid7(),
        **same,
        kept_path=str(kept_path or ""),
        file_name=work.given.name[:255],
        size_bytes=work.given.size_bytes,
        started_by=by[:254],
        archives=work.archive.connectors if work.archive else [],
    )


def _interrupted(same: Mapping[str, Any]) -> Import | None:
    """The same import, stopped before its end; Conflict where it runs."""
    row = (
        Import.objects.filter(**same, position__gt=0)
        .exclude(state=Import.State.DONE)
        .order_by("-created_at")
        .first()
    )
    if row is not None and row.state == Import.State.RUNNING:
        _not_running(row)
    return row


def _not_running(row: Import) -> None:
    try:
        with home.lock(f"import-{row.id}"):
            pass
    except Conflict:
        raise Conflict(
            f"{row.file_name} is being imported right now",
            "Wait for it to end; the list of imports shows how far it is.",
        ) from None


@contextmanager
def noted(work: Work) -> Iterator[None]:
    """Hold the import's lock, and write down when it begins and what stops it."""
    row = work.row
    if row is None:
        yield
        return
    with home.lock(f"import-{row.id}"):
        row.state, row.error = Import.State.RUNNING, ""
        row.started_at = row.started_at or clock.now()
        row.save(update_fields=["state", "error", "started_at"])
        try:
            yield
        except Exception as error:
            row.state, row.ended_at = Import.State.FAILED, clock.now()
            row.error = str(error) if isinstance(error, RapportError) else f"{type(error).__name__}: {error}"
            row.save(update_fields=["state", "ended_at", "error"])
            raise


def settle(work: Work) -> None:
    """Wait until the lake has what was recorded, and count what became of it."""
    assert work.row is not None
    last = work.row.last_seq
    if last is not None:
        log.settle(last, lambda loaded: work.progress(loaded, last, "loading"))
        counted = log_selectors.batch(work.batch)
        summary = work.summary
        summary.recorded, summary.accepted = counted["n_read"], counted["n_accepted"]
        # What the plan refuses in the loader after all is refused, not known before.
        summary.duplicate = counted["n_duplicate"]
        summary.quarantined += counted["n_quarantined"]
        if n := counted["n_left_out"]:
            summary.notes.append(
                f"{n} rows are left out: they name people who were erased, and are kept nowhere"
            )
    work.summary.first_seq, work.summary.last_seq = work.row.first_seq, work.row.last_seq


def finish(work: Work) -> None:
    """Write down what the import came to."""
    summary, row = work.summary, work.row
    if row is None:
        summary.dry_run, summary.state = True, "dry run"
        return
    row.state = Import.State.FAILED if summary.error else Import.State.DONE
    row.ended_at, row.error = clock.now(), summary.error
    row.n_read, row.n_quarantined, row.n_recorded = summary.read, summary.quarantined, summary.recorded
    row.n_accepted, row.n_duplicate = summary.accepted, summary.duplicate
    row.description, row.mapping, row.totals = summary.description, summary.mapping, summary.totals
    row.notes = summary.notes
    row.save()
    summary.id, summary.state = str(row.id), str(row.state)
