"""Verbs of listening: import a file, set up a network and read it, post there, follow words."""

from __future__ import annotations

import functools
import shutil
import uuid
from collections.abc import Iterable, Mapping
from pathlib import Path

from rapport.events import quarantine
from rapport.kit import clock, home, ids
from rapport.kit.errors import Conflict, Invalid, NotFound
from rapport.listening import models
from rapport.listening.rules import fields
from rapport.listening.rules.kinds import KINDS, kind_named
from rapport.listening.services import imports, replay, weblog
from rapport.listening.services import work as under_way
from rapport.listening.services.asking import hold_while
from rapport.listening.services.following import Preview as FollowPreview
from rapport.listening.services.following import follow, matched, preview, unfollow
from rapport.listening.services.forgetting import forget, names_any
from rapport.listening.services.keeping import carry_out as carry_out_terms
from rapport.listening.services.keeping import carry_out_if_due as terms_if_due
from rapport.listening.services.posting import find, publish
from rapport.listening.services.refusals import BadRow
from rapport.listening.services.rounds import (
    Round,
    check_source,
    finger,
    read_source,
    receive,
    try_out,
)
from rapport.listening.services.running import deliver, read_forever, run_forever
from rapport.listening.services.sources import (
    add_source,
    change_source,
    read_anew,
    remove_source,
    switch,
    switch_off,
    switch_on,
)
from rapport.listening.services.summary import ImportSummary
from rapport.listening.services.work import OPTIONS, Progress

__all__ = [
    "OPTIONS",
    "RELATIONS",
    "BadRow",
    "FollowPreview",
    "ImportSummary",
    "Progress",
    "Round",
    "add_source",
    "carry_out_terms",
    "change_source",
    "check_source",
    "delete_mapping",
    "deliver",
    "find",
    "finger",
    "follow",
    "forget",
    "hold_while",
    "import_file",
    "keep_upload",
    "matched",
    "names_any",
    "preview",
    "publish",
    "read_anew",
    "read_forever",
    "read_source",
    "receive",
    "register_replayers",
    "remove_source",
    "run_forever",
    "run_import",
    "save_mapping",
    "switch",
    "switch_off",
    "switch_on",
    "terms_if_due",
    "try_out",
    "unfollow",
]

RELATIONS = weblog.RELATIONS  # that several of our queries share, for the check of all queries


def import_file(
    kind: str,
    path: str | Path,
    *,
    mapping: Mapping[str, str] | None = None,
    mapping_name: str = "",
    source_name: str = "",
    options: Mapping[str, str] | None = None,
    dry_run: bool = False,
    progress: Progress | None = None,
    by: str = "",
    file_name: str = "",
) -> ImportSummary:
    """Read a file of that kind into the log, and wait until the lake has it.

    `mapping` is column to field, over what the columns' names suggest; with `mapping_name` it is saved
    under that name, or the saved one is used where none is given. `options` are those of OPTIONS, and
    `file_name` is what the file was called before it was kept here. A file read before changes nothing; an
    interrupted import goes on where it stopped. With `dry_run` every bad row is named and nothing is written.
    Raises Invalid or NotFound for a file that cannot be read at all.
    """
    wishes, chosen = _mapping_named(mapping_name, kind, mapping or {}, options or {})
    work = under_way.prepare(
        kind,
        path,
        source_name=source_name,
        options=chosen,
        progress=progress,
        file_name=file_name,
        is_mapped=any(wishes.values()),
    )
    if not dry_run:
        under_way.begin(work, wishes, by)
    summary = imports.carry_out(work, wishes)
    if mapping_name and mapping and not dry_run:
        save_mapping(mapping_name, kind, wishes, options=chosen, by=by)
    return summary


def keep_upload(
    kind: str,
    name: str,
    content: Iterable[bytes],
    *,
    mapping: Mapping[str, str] | None = None,
    source_name: str = "",
    options: Mapping[str, str] | None = None,
    by: str = "",
) -> uuid.UUID:
    """Keep an uploaded file and queue its import; `run_import` carries it out. Gives the import's id."""
    kind_named(kind)
    import_id = ids.uuid7()
    folder = home.path("imports", str(import_id))
    folder.mkdir(parents=True)
    path = folder / "file"
    with path.open("wb") as file:
        for part in content:
            file.write(part)
    try:
        work = under_way.prepare(
            kind,
            path,
            source_name=source_name,
            options=options or {},
            progress=None,
            file_name=Path(name).name,
            is_mapped=any((mapping or {}).values()),
        )
        under_way.begin(work, mapping or {}, by, import_id=import_id, kept_path=path)
    except Exception:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return import_id


def run_import(import_id: uuid.UUID, progress: Progress | None = None) -> ImportSummary:
    """Carry out a queued import, or go on with an interrupted one; our copy of the file goes when it is done."""
    row = models.Import.objects.filter(pk=import_id).first()
    if row is None:
        raise NotFound(f"there is no import {import_id}", "Reload the list of imports.")
    if row.state == models.Import.State.DONE:
        raise Conflict(f"{row.file_name} is imported already", "Upload it again to import it once more.")
    if not row.kept_path or not Path(row.kept_path).exists():
        raise NotFound(f"our copy of {row.file_name} is gone", "Upload the file again.")
    try:
        work = under_way.prepare(
            row.kind,
            row.kept_path,
            source_name=row.source,
            options=row.options,
            progress=progress,
            file_name=row.file_name,
            is_mapped=any(row.wishes.values()),
        )
        work.row, work.done = row, row.position
        summary = imports.carry_out(work, row.wishes)
    except Invalid as error:
        models.Import.objects.filter(pk=import_id).update(
            state=models.Import.State.FAILED, error=str(error), ended_at=clock.now()
        )
        _forget_copy(row)
        raise
    _forget_copy(row)
    return summary


def _forget_copy(row: models.Import) -> None:
    shutil.rmtree(Path(row.kept_path).parent, ignore_errors=True)
    models.Import.objects.filter(pk=row.pk).update(kept_path="")


def save_mapping(
    name: str,
    kind: str,
    columns: Mapping[str, str],
    *,
    options: Mapping[str, str] | None = None,
    by: str = "",
) -> None:
    """Keep a mapping under a name; a mapping of that name is replaced."""
    if not name.strip() or len(name) > 64:
        raise Invalid(f"{name!r} is no name for a mapping", "Use up to 64 characters.")
    known = kind_named(kind)
    wrong = [f for f in columns.values() if f not in {"", fields.DROPPED} and known.field(f) is None]
    if wrong:
        raise Invalid(f"{kind} have no field {wrong[0]!r}", f"There are {', '.join(known.field_names)}.")
    models.Mapping.objects.update_or_create(
        name=name.strip(),
        defaults={
            "kind": kind,
            "columns": dict(columns),
            "options": dict(options or {}),
            "changed_at": clock.now(),
            "changed_by": by[:254],
        },
    )


def delete_mapping(name: str) -> None:
    """Forget a saved mapping."""
    deleted, _ = models.Mapping.objects.filter(name=name).delete()
    if not deleted:
        raise NotFound(f"there is no saved mapping {name!r}", "Reload the list of mappings.")


def _mapping_named(
    name: str, kind: str, mapping: Mapping[str, str], options: Mapping[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """What is asked for: the given mapping and options over the saved ones of that name."""
    if not name or mapping:
        return dict(mapping), dict(options)
    saved = models.Mapping.objects.filter(name=name).first()
    if saved is None:
        names = ", ".join(models.Mapping.objects.filter(kind=kind).values_list("name", flat=True))
        raise NotFound(
            f"there is no saved mapping {name!r}", f"There are: {names}." if names else "None is saved yet."
        )
    if saved.kind != kind:
        raise Invalid(
            f"mapping {name!r} is for {saved.kind}, not for {kind}", "Choose another, or another kind."
        )
    return dict(saved.columns), {**saved.options, **options}


def register_replayers() -> None:
    """Say how corrected rows of each kind go back in; called when the app is ready."""
    for kind in KINDS:
        quarantine.register_replayer(f"row:{kind}", functools.partial(replay.replay_row, kind))
