"""Import a file: choose it, look at how it would be read, correct that, try it dry, run it."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _

from rapport.kit.errors import Invalid
from rapport.listening import selectors as listening
from rapport.listening import services
from rapport.staff.rules import Right
from rapport.web import jobs, uploads
from rapport.web.access import needs
from rapport.web.components import imports
from rapport.web.errors import sentence
from rapport.web.uploads import Upload

SAMPLES = 3
SAMPLE_CHARS = 40
LEAVE_OUT = "-"


@dataclass(frozen=True, slots=True)
class Column:
    """One column of the file, and what it is taken for."""

    name: str
    samples: str
    chosen: str
    kept_as: str


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the import, as the form asks for it."""

    name: str
    label: Any
    help: Any
    value: str
    choices: tuple[tuple[str, Any], ...]


@needs(Right.CHANGE_SOURCES)
def upload(request: HttpRequest) -> HttpResponseBase:
    wrong = ""
    if request.method == "POST":
        assert request.user.is_authenticated
        given = request.FILES.get("file")
        kind = request.POST.get("kind", "")
        if given is None or not given.size:
            wrong = _("Choose a file that is not empty.")
        elif kind not in imports.KINDS:
            wrong = _("Choose what the file holds.")
        else:
            kept = uploads.keep(
                given.name or "file",
                given.chunks(),
                kind=kind,
                source=request.POST.get("source", "").strip(),
                by=request.user.email,
            )
            return redirect("upload_choose", upload_id=kept.id)
    context = {
        "kinds": [(name, label, meaning) for name, (label, meaning) in imports.KINDS.items()],
        "kind": request.POST.get("kind", "people"),
        "source": request.POST.get("source", ""),
        "wrong": wrong,
    }
    return render(request, "pages/upload/page.html", context, status=400 if wrong else 200)


@needs(Right.CHANGE_SOURCES)
def choose(request: HttpRequest, upload_id: uuid.UUID) -> HttpResponseBase:
    assert request.user.is_authenticated
    kept = uploads.find(upload_id)
    if request.method == "POST":
        return _act(request, kept)
    problem = ""
    preview = None
    try:
        preview = listening.preview(
            kept.path, kept.kind, name=kept.name, mapping=kept.mapping, options=kept.options
        )
        problem = preview.problem
    except Invalid as error:
        problem = f"{sentence(error.message)} {error.hint}"
    check = uploads.read(kept, "check")
    is_archive = preview is not None and preview.is_archive
    context = {
        "upload": kept,
        "preview": preview,
        "problem": sentence(problem),
        "kind_label": imports.kind(kept.kind),
        "columns": _columns(kept, preview) if preview and not is_archive else [],
        "fields": [] if is_archive else _fields(kept.kind),
        "options": _options(kept, is_archive=is_archive),
        "saved": [] if is_archive else listening.mappings(kept.kind),
        "check": check,
        "checking": _checking(kept) if check is None else None,
    }
    if getattr(request, "htmx", False):
        return render(request, "pages/upload/check.html", context)
    return render(request, "pages/upload/choose.html", context)


def _act(request: HttpRequest, kept: Upload) -> HttpResponseBase:
    assert request.user.is_authenticated
    do = request.POST.get("do")
    if do == "forget":
        uploads.forget(kept)
        return redirect("upload")
    if do == "saved":
        _use_saved(kept, request.POST.get("saved", ""))
        return redirect("upload_choose", upload_id=kept.id)
    _take_choices(kept, request)
    uploads.save(kept)
    name = request.POST.get("mapping_name", "").strip()
    if name and do in {"import", "check", "save"}:
        services.save_mapping(name, kept.kind, kept.mapping, options=kept.options, by=request.user.email)
        messages.success(request, _("The mapping is saved as “%(name)s”.") % {"name": name})
    if do == "check":
        uploads.write(kept, "checking", {})
        jobs.check_upload.enqueue(kept.id)
    if do == "import":
        return _import(request, kept)
    return redirect("upload_choose", upload_id=kept.id)


def _import(request: HttpRequest, kept: Upload) -> HttpResponseBase:
    assert request.user.is_authenticated
    with kept.path.open("rb") as file:
        import_id = services.keep_upload(
            kept.kind,
            kept.name,
            iter(lambda: file.read(1 << 20), b""),
            mapping=kept.mapping,
            source_name=kept.source,
            options=kept.options,
            by=request.user.email,
        )
    jobs.import_upload.enqueue(str(import_id))
    uploads.forget(kept)
    return redirect("imported", import_id=import_id)


def _use_saved(kept: Upload, name: str) -> None:
    found = next((m for m in listening.mappings(kept.kind) if m.name == name), None)
    if found is None:
        raise Invalid(
            _("there is no saved mapping “%(name)s”") % {"name": name}, _("Choose one of the list.")
        )
    kept.mapping, kept.options = dict(found.columns), dict(found.options)
    uploads.save(kept)


def _take_choices(kept: Upload, request: HttpRequest) -> None:
    names = request.POST.getlist("column")
    chosen = request.POST.getlist("field")
    kept.mapping = dict(zip(names, chosen, strict=False))
    given = {name: request.POST.get(f"option-{name}", "").strip() for name in imports.OPTIONS_OF[kept.kind]}
    kept.options = {name: value for name, value in given.items() if value}
    kept.source = request.POST.get("source", kept.source).strip()


def _columns(kept: Upload, preview: listening.Preview) -> list[Column]:
    found = []
    for name in preview.columns:
        samples = [str(row[name]) for row in preview.rows if row.get(name) not in (None, "")][:SAMPLES]
        shown = " · ".join(s if len(s) <= SAMPLE_CHARS else s[: SAMPLE_CHARS - 1] + "…" for s in samples)
        is_out = kept.mapping.get(name) == LEAVE_OUT
        chosen = LEAVE_OUT if is_out else preview.mapping.get(name, "")
        found.append(Column(name, shown, chosen, preview.properties.get(name, "")))
    return found


def _fields(kind: str) -> list[tuple[str, str]]:
    known = next((k for k in listening.kinds() if k.name == kind), None)
    if known is None or not known.fields:
        return []
    found = [(f.name, f.name.replace("_", " ") + (" *" if f.required else "")) for f in known.fields]
    if known.identifiers:
        found += [
            (f"identifier:{n}", _("identifier on %(network)s") % {"network": n}) for n in imports.NAMESPACES
        ]
    return found


def _options(kept: Upload, *, is_archive: bool) -> list[Option]:
    left_out = imports.OF_ROWS if is_archive else imports.OF_ARCHIVES
    return [
        Option(name, *imports.OPTIONS[name], kept.options.get(name, ""), imports.CHOICES.get(name, ()))
        for name in imports.OPTIONS_OF[kept.kind]
        if name not in left_out
    ]


def _checking(kept: Upload) -> dict[str, Any] | None:
    if uploads.read(kept, "checking") is None:
        return None
    found = jobs.progress(f"check-{kept.id}")
    return {"words": imports.progress(found), "percent": imports.done_percent(found)}


urlpatterns = [
    path("sources/upload/", upload, name="upload"),
    path("sources/upload/<uuid:upload_id>/", choose, name="upload_choose"),
]
