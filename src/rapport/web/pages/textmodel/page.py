"""One model of texts: its card, how it does on your own labels, teaching it, its versions and the way back."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST
from django_tasks_db.models import DBTaskResult

from rapport.insights import selectors as insights
from rapport.insights import services
from rapport.insights.contract import KIND, learns
from rapport.kit import registry
from rapport.kit.errors import Invalid
from rapport.staff.rules import Right
from rapport.web import jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, measuring, modelcard, spokenwords

SUFFIXES = (".csv", ".tsv", ".jsonl", ".parquet")
FILE_BYTES_MAX = 64 << 20


@dataclass(frozen=True, slots=True)
class Cell:
    """How many texts staff calls one thing and the model had called another; its texts one click away."""

    n: str
    share: str  # of the row
    is_right: bool
    url: str
    weight: int  # 0 to 4: how much of the row


@dataclass(frozen=True, slots=True)
class Row:
    label: str
    n: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Table:
    """Rows: what staff says; columns: what the model had said."""

    title: str
    finding: str
    columns: list[str]
    rows: list[Row]


@dataclass(frozen=True, slots=True)
class Gained:
    """One label before and after a lesson."""

    label: str
    n: str
    before: str
    after: str
    is_better: bool
    is_worse: bool


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a lesson."""

    taught: bool
    sentence: str
    split: str
    gained: list[Gained]
    can_insist: bool


@needs(Right.SEE_INSIGHTS)
def model(request: HttpRequest, name: str) -> HttpResponseBase:
    card = insights.card(name)
    standing = insights.standings().get(name)
    if standing is None:
        return redirect("insight", name=name)
    needed, each = insights.needed()
    n_labelled = insights.n_corrections(name) + sum(file.n_texts for file in insights.labelled_files(name))
    plugin = registry.plugin(KIND, name)
    is_teaching = _is_being_taught(name)
    context: dict[str, Any] = {
        "card": card,
        "metrics": [measuring.measured(m) for m in (card.backtest.metrics if card.backtest else ())],
        "readme": modelcard.of(plugin.module),
        "learns": learns(plugin.offers),
        "standing": standing,
        "percent": round(100 * standing.share),
        "tables": [_table(confusion) for confusion in insights.confusions(name)],
        "files": insights.labelled_files(name),
        "versions": insights.versions(name),
        "needed": needed,
        "each": each,
        "n_labelled": n_labelled,
        "lesson": None if is_teaching else _told(jobs.last_lesson(name)),
        "is_teaching": is_teaching,
        "names": [(gives.name, spokenwords.title(gives.name)) for gives in card.gives],
        "unsure_url": spokenwords.url(card.gives[0].name, order="unsure"),
        "can_teach": may(request, Right.TEACH_MODELS),
    }
    return render(request, "pages/textmodel/page.html", context)


@needs(Right.TEACH_MODELS)
@require_POST
def teach(request: HttpRequest, name: str) -> HttpResponseBase:
    assert request.user.is_authenticated
    card = insights.card(name)
    if not _is_being_taught(name):
        jobs.teach_model.enqueue(name, request.user.email, request.POST.get("anyway") == "1")
    messages.success(
        request,
        _("%(title)s is being taught. This page says how good it became before it serves.")
        % {"title": card.title},
    )
    return redirect("textmodel", name=name)


@needs(Right.TEACH_MODELS)
@require_POST
def roll_back(request: HttpRequest, name: str) -> HttpResponseBase:
    serves = services.rollback(name, request.POST.get("version", ""))
    jobs.read_texts_soon()
    messages.success(
        request,
        _("Version %(version)s serves. Texts are read again in the background.") % {"version": serves},
    )
    return redirect("textmodel", name=name)


@needs(Right.TEACH_MODELS)
@require_POST
def add_file(request: HttpRequest, name: str) -> HttpResponseBase:
    """Keep an uploaded file of labels."""
    assert request.user.is_authenticated
    given = request.FILES.get("file")
    if given is None:
        raise Invalid(_("no file was chosen"), _("Choose a file with a column of texts and one of labels."))
    called = Path(given.name or "labels.csv").name
    if not given.size:
        raise Invalid(
            _("%(file)s is empty") % {"file": called},
            _("Choose a file with a column of texts and one of labels."),
        )
    if Path(called).suffix.lower() not in SUFFIXES:
        raise Invalid(
            _("%(file)s is no table known here") % {"file": called},
            _("Give one of %(suffixes)s.") % {"suffixes": ", ".join(SUFFIXES)},
        )
    if given.size > FILE_BYTES_MAX:
        raise Invalid(
            _("%(file)s is larger than %(most)s") % {"file": called, "most": formats.size(FILE_BYTES_MAX)},
            _("Divide it."),
        )
    with tempfile.TemporaryDirectory(prefix="rapport-labels-") as folder:
        file = Path(folder) / f"labels{Path(called).suffix.lower()}"
        with file.open("wb") as out:
            for chunk in given.chunks():
                out.write(chunk)
        services.add_labelled(
            name,
            file,
            request.POST.get("column", "").strip() or "label",
            of=request.POST.get("of", ""),
            called=called,
            by=request.user.email,
        )
    messages.success(request, _("%(file)s is kept. Teach the model when you are ready.") % {"file": called})
    return redirect("textmodel", name=name)


@needs(Right.TEACH_MODELS)
@require_POST
def remove_file(request: HttpRequest, name: str, number: int) -> HttpResponseBase:
    services.remove_labelled(number, name)
    messages.success(
        request, _("The file is gone. What was learnt from it stays until the model is taught again.")
    )
    return redirect("textmodel", name=name)


def _is_being_taught(name: str) -> bool:
    """Whether somebody has asked for it already, and it is not done."""
    from django_tasks_db.compat import TaskResultStatus

    open_states = (TaskResultStatus.READY, TaskResultStatus.RUNNING)
    asked = DBTaskResult.objects.filter(status__in=open_states, task_path__endswith=".teach_model")
    return any(given["args"][0] == name for given in asked.values_list("args_kwargs", flat=True))


def _table(confusion: insights.Confusion) -> Table:
    rows = []
    for is_ in confusion.rows:
        total = sum(confusion.counts.get((is_, said), 0) for said in confusion.columns)
        cells = []
        for said in confusion.columns:
            n = confusion.counts.get((is_, said), 0)
            more = {"corrected": "1", "said": said}
            url = spokenwords.url(confusion.name, is_, **more) if n else ""
            if n and not said:
                url += "&said="
            cells.append(
                Cell(formats.number(n), formats.share(n, total), is_ == said, url, -(-4 * n // total))
            )
        rows.append(Row(spokenwords.label(confusion.name, is_), formats.number(total), cells))
    return Table(
        spokenwords.title(confusion.name),
        _("Of %(n)s texts that staff looked at, the model was right about %(right)s.")
        % {"n": formats.number(confusion.n), "right": formats.share(confusion.n_right, confusion.n)},
        [spokenwords.label(confusion.name, said) for said in confusion.columns],
        rows,
    )


def _told(lesson: dict[str, Any] | None) -> Told | None:
    if lesson is None:
        return None
    gained = [_gained(one) for one in lesson.get("labels", ())]
    if lesson["taught"]:
        sentence = _(
            "Version %(version)s was taught with %(n)s texts: macro-F1 %(after)s on texts held out, before %(before)s."
        ) % {
            "version": lesson["version"],
            "n": formats.number(lesson["n"]),
            "after": _figure(lesson["after"]),
            "before": _figure(lesson["before"]),
        }
    else:
        sentence = _("It was not taught: %(why)s.") % {"why": lesson["refused"].rstrip(".")}
    return Told(
        lesson["taught"], sentence, lesson.get("split", ""), gained, bool(gained) and not lesson["taught"]
    )


def _gained(one: dict[str, Any]) -> Gained:
    before, after = one["before"], one["after"]
    return Gained(
        one["label"],
        formats.number(one["n"]),
        _figure(before),
        _figure(after),
        after["low"] > before["value"],
        after["high"] < before["value"],
    )


def _figure(figure: dict[str, float]) -> str:
    return measuring.shown(figure["value"], figure["low"], figure["high"])


urlpatterns = [
    path("text-models/<slug:name>/", model, name="textmodel"),
    path("text-models/<slug:name>/teach/", teach, name="textmodel_teach"),
    path("text-models/<slug:name>/back/", roll_back, name="textmodel_back"),
    path("text-models/<slug:name>/labels/", add_file, name="textmodel_labels"),
    path("text-models/<slug:name>/labels/<int:number>/remove/", remove_file, name="textmodel_unlabel"),
]
