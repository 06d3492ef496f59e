"""Forget people in what imports leave behind and connectors keep: our copies of files, what was said of them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

from rapport.events import traces
from rapport.events.quoting import may_name
from rapport.kit import clock, home
from rapport.listening.models import Import, Withdrawal
from rapport.listening.services import storing

READ_BYTES = 8_000_000
UNNAMED_S = 3_600  # an upload that is still arriving has no row yet
OVERLAP_BYTES = 1_024  # longer than any identifier, so that none is missed between two reads
# Content that cannot be searched as it lies: gzip, zip (and so xlsx), zstd, Parquet, bzip2, xz.
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"\x28\xb5\x2f\xfd", b"PAR1", b"BZh", b"\xfd7zXZ")


def forget(identifiers: Sequence[str]) -> int:
    """Remove what tells of the identifiers, and copies of uploaded files that name one; gives how many went.

    A copy is kept until its import is done, so what goes here was never imported, or only in part: the
    screen asks for the file again. A packed copy goes unread.
    """
    found = traces.of(identifiers)
    if not found:
        return 0
    n = 0
    for row in Import.objects.exclude(kept_path="").exclude(state=Import.State.RUNNING):
        if names_any(Path(row.kept_path), found):
            shutil.rmtree(Path(row.kept_path).parent, ignore_errors=True)
            row.kept_path, row.state = "", Import.State.FAILED
            row.error = "Our copy was removed, for it named somebody who was erased. Upload the file again."
            row.save(update_fields=["kept_path", "state", "error"])
            n += 1
    _sweep_orphans()
    _unquote(found)
    # Some networks put whom into the id of a post.
    for waiting in Withdrawal.objects.all():
        if found.found_in(waiting.post_id):
            n += waiting.delete()[0]
    return n + storing.forget(identifiers, found)


def names_any(file: Path, found: traces.Traces) -> bool:
    """Whether a file that may hold anything names one of the traces, or cannot be read as it lies."""
    if not file.exists():
        return False
    with file.open("rb") as content:
        tail = b""
        while part := content.read(READ_BYTES):
            if not tail and part.startswith(PACKED):
                return True
            if found.found_in((tail + part).decode("utf-8", "replace")):
                return True
            tail = part[-OVERLAP_BYTES:]
    return False


def _sweep_orphans() -> None:
    """Folders of copies that no import names: their upload died before it was written down."""
    kept = {
        Path(p).parent.name for p in Import.objects.exclude(kept_path="").values_list("kept_path", flat=True)
    }
    running = {str(i) for i in Import.objects.filter(state=Import.State.RUNNING).values_list("id", flat=True)}
    for folder in home.path("imports").glob("*"):
        age_s = clock.now_us() / 1e6 - folder.stat().st_mtime
        if folder.name not in kept | running and age_s > UNNAMED_S:
            shutil.rmtree(folder, ignore_errors=True)


def _unquote(found: traces.Traces) -> None:
    """What an import said of a row may quote it."""
    for row in Import.objects.filter(may_name(found, "error", "notes", "file_name")):
        if not any(map(found.found_in, (row.error, row.file_name, json.dumps(row.notes)))):
            continue
        row.error, row.file_name = found.without(row.error), found.without(row.file_name)
        row.notes = json.loads(found.without(json.dumps(row.notes)))
        row.save(update_fields=["error", "notes", "file_name"])
