"""Files that staff uploaded and have not imported yet: kept apart, with what was chosen for them."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import uuid
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from rapport.consent.erasers import Erasing
from rapport.events import traces
from rapport.kit import clock, home, ids
from rapport.kit.errors import NotFound
from rapport.listening import services as listening

KEPT_DAYS = 2


@dataclass(slots=True)
class Upload:
    """One file and the choices made so far."""

    id: str
    name: str
    kind: str
    source: str = ""
    mapping: dict[str, str] = field(default_factory=dict)  # column to field, as wished
    options: dict[str, str] = field(default_factory=dict)
    by: str = ""

    @property
    def folder(self) -> Path:
        return home.path("uploads", self.id)

    @property
    def path(self) -> Path:
        return self.folder / "file"


def keep(name: str, content: Iterable[bytes], *, kind: str, source: str, by: str) -> Upload:
    """Store a file; what others left behind days ago goes."""
    _sweep()
    upload = Upload(str(ids.uuid7()), Path(name).name, kind, source=source, by=by)
    upload.folder.mkdir(parents=True)
    with upload.path.open("wb") as file:
        for part in content:
            file.write(part)
    save(upload)
    return upload


def save(upload: Upload) -> None:
    """Store the choices; a dry run of other choices means nothing any more."""
    write(upload, "choices", asdict(upload))
    (upload.folder / "check.json").unlink(missing_ok=True)


def find(upload_id: uuid.UUID) -> Upload:
    """The upload, or NotFound."""
    choices = read(Upload(str(upload_id), "", ""), "choices")
    if choices is None:
        raise NotFound(_("this upload is no longer kept"), _("Upload the file again."))
    return Upload(**choices)


def forget(upload: Upload) -> None:
    """Remove the file and its choices."""
    shutil.rmtree(upload.folder, ignore_errors=True)


def erase(erasing: Erasing) -> int:
    """Remove every upload that names somebody erased, or that cannot be searched; gives how many went."""
    found = traces.of(erasing.identifiers)
    n = 0
    for folder in home.path("uploads").glob("*") if found else ():
        if any(listening.names_any(file, found) for file in folder.glob("*")):
            shutil.rmtree(folder, ignore_errors=True)
            n += 1
    return n


def write(upload: Upload, name: str, content: dict[str, Any]) -> None:
    """Store a JSON document beside the file, whole or not at all."""
    temporary = upload.folder / f".{name}.{ids.token(4)}"
    temporary.write_text(json.dumps(content, ensure_ascii=False, default=str), "utf-8")
    temporary.replace(upload.folder / f"{name}.json")


def read(upload: Upload, name: str) -> dict[str, Any] | None:
    """A JSON document beside the file, or None."""
    try:
        found: dict[str, Any] = json.loads((upload.folder / f"{name}.json").read_text("utf-8"))
    except FileNotFoundError:
        return None
    return found


def _sweep() -> None:
    oldest = clock.now() - dt.timedelta(days=KEPT_DAYS)
    for folder in home.path("uploads").glob("*"):
        if folder.is_dir() and folder.stat().st_mtime < oldest.timestamp():
            shutil.rmtree(folder, ignore_errors=True)
