"""Models of texts: what each says in one sentence, how sure, which version serves, how far it has read."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.insights import selectors as insights
from rapport.insights import services
from rapport.staff.rules import Right
from rapport.web import jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, measuring, spokenwords
from rapport.web.layout import Entry

entries = [
    Entry(
        "textmodels",
        gettext_lazy("Text models"),
        "insights",
        "learn",
        32,
        Right.SEE_INSIGHTS,
        also=("textmodel",),
    )
]


@dataclass(frozen=True, slots=True)
class Model:
    """A model of texts as the list shows it."""

    name: str
    title: str
    meaning: str
    measured: str  # how good it is, in one line
    version: str
    says: str  # what it writes
    percent: int  # of what was written, read by the version that serves
    told: str  # the same in words
    is_behind: bool
    is_paused: bool
    n_corrections: int


@needs(Right.SEE_INSIGHTS)
def listing(request: HttpRequest) -> HttpResponseBase:
    models = _models()
    context = {
        "models": models,
        "is_reading": any(m.is_behind and not m.is_paused for m in models),
        "can_run": may(request, Right.RUN_INSIGHTS),
    }
    template = (
        "pages/textmodels/list.html" if getattr(request, "htmx", False) else "pages/textmodels/page.html"
    )
    return render(request, template, context)


@needs(Right.RUN_INSIGHTS)
@require_POST
def reading(request: HttpRequest, name: str) -> HttpResponseBase:
    """Stop a model's catching up, or let it go on."""
    if request.POST.get("do") == "stop":
        services.stop(name)
        messages.success(request, _("It stops after the page it is at. What arrives is still read."))
    else:
        services.go_on(name)
        jobs.read_texts_soon()
        messages.success(request, _("It goes on reading in the background."))
    return redirect("textmodels")


def _models() -> list[Model]:
    standings = insights.standings()
    return [_model(card, standings[card.name]) for card in insights.cards() if card.name in standings]


def _model(card: insights.ModelCard, standing: insights.Standing) -> Model:
    metric = card.backtest.metrics[0] if card.backtest and card.backtest.metrics else None
    measured = ""
    if metric is not None:
        best = measuring.measured(metric)
        measured = _("%(name)s %(value)s, against %(baseline)s: %(rule)s") % {
            "name": best.name,
            "value": best.value,
            "baseline": best.baseline_value,
            "rule": best.rule,
        }
    told = _("%(n)s texts read") % {"n": formats.number(standing.n_texts)}
    if standing.n_waiting:
        told = _("%(n)s of %(all)s texts read; until a text is, the older version's word stands") % {
            "n": formats.number(standing.n_texts),
            "all": formats.number(standing.n_texts + standing.n_waiting),
        }
    return Model(
        name=card.name,
        title=card.title,
        meaning=card.meaning,
        measured=measured,
        version=card.version,
        says=", ".join(spokenwords.title(gives.name) for gives in card.gives),
        percent=round(100 * standing.share),
        told=told,
        is_behind=standing.is_behind,
        is_paused=standing.is_paused,
        n_corrections=insights.n_corrections(card.name),
    )


urlpatterns = [
    path("text-models/", listing, name="textmodels"),
    path("text-models/<slug:name>/reading/", reading, name="textmodel_reading"),
]
