"""Insights: what each model says, how good it is beside a naive rule, how fresh, and its limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from rapport.insights import selectors as insights
from rapport.insights.contract import Metric
from rapport.kit.errors import NotFound
from rapport.staff.rules import Right
from rapport.web import charts, jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, words
from rapport.web.layout import Entry

entries = [
    Entry(
        "insights",
        gettext_lazy("Insights"),
        "insights",
        "work",
        30,
        Right.SEE_INSIGHTS,
        also=("insight",),
    )
]

PLAIN_UNITS = ("", "none", "probability")
TONES = {"done": "accent", "running": "accent", "failed": "danger"}


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of a back-test beside the naive rule, in words."""

    name: str
    value: str
    baseline: str
    meaning: str
    is_better: bool


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the list shows it."""

    card: insights.ModelCard
    best: Measured | None
    state: str
    tone: str


@needs(Right.SEE_INSIGHTS)
def listing(request: HttpRequest) -> HttpResponseBase:
    return render(request, "pages/insights/page.html", {"models": [_model(c) for c in insights.cards()]})


@needs(Right.SEE_INSIGHTS)
def insight(request: HttpRequest, name: str) -> HttpResponseBase:
    card = insights.card(name)
    metrics = card.backtest.metrics if card.backtest else ()
    context = {
        "model": _model(card),
        "card": card,
        "metrics": [_measured(m) for m in metrics],
        "charts": [chart for chart in map(_distribution, _scores(card)) if chart],
        "runs": insights.runs(name, limit=10),
        "can_run": may(request, Right.RUN_INSIGHTS),
    }
    return render(request, "pages/insights/one.html", context)


@needs(Right.RUN_INSIGHTS)
@require_POST
def run(request: HttpRequest, name: str) -> HttpResponseBase:
    card = insights.card(name)
    jobs.run_insight.enqueue(card.name)
    messages.success(request, _("%(title)s runs as soon as the worker is free.") % {"title": card.title})
    return redirect("insight", name=name)


def _model(card: insights.ModelCard) -> Model:
    metrics = card.backtest.metrics if card.backtest else ()
    state = card.last_run.state if card.last_run else ""
    word = {"done": _("ran"), "running": _("runs"), "failed": _("failed")}.get(state, _("has not run yet"))
    return Model(card, _measured(metrics[0]) if metrics else None, word, TONES.get(state, ""))


def _measured(metric: Metric) -> Measured:
    baseline = _("against %(value)s: %(rule)s") % {
        "value": _value(metric.baseline_value, metric.unit),
        "rule": metric.baseline,
    }
    shown = _value(metric.value, metric.unit)
    if metric.low is not None and metric.high is not None:
        unit = "%" if metric.unit == "ratio" else metric.unit
        shown = formats.interval(metric.low, metric.high, metric.value, unit, 1)
    return Measured(words.plain(metric.name), shown, baseline, metric.meaning, metric.is_better)


def _value(value: float, unit: str) -> str:
    if unit == "ratio":
        return formats.percent(value, 1)
    return formats.number(value, 2) + (f"{formats.NBSP}{unit}" if unit not in PLAIN_UNITS else "")


def _scores(card: insights.ModelCard) -> list[str]:
    return [gives.name for gives in card.gives if gives.kind == "score"]


def _distribution(score: str) -> charts.Chart | None:
    try:
        found = insights.distribution(score)
    except NotFound:
        return None
    if not found.n:
        return None
    said: Any = (lambda v: formats.money(round(v or 0))) if "minor" in found.unit else _rounded
    label = words.score(score)
    title = _("%(score)s: half of %(n)s people have %(median)s or less") % {
        "score": label,
        "n": formats.number(found.n),
        "median": said(found.quantiles["0.5"]),
    }
    if found.labels and found.unit in words.BARE_UNITS:
        most, n = next(iter(found.labels.items()))
        return charts.ranked(
            _("%(score)s: most people are %(label)s") % {"score": label, "label": most},
            [(name, count, "") for name, count in found.labels.items()],
            label_title=label,
            value_title=_("People"),
            right=Right.SEE_INSIGHTS,
            note=formats.share(n, found.n),
        )
    return charts.distribution(
        title,
        [(b.low, b.high, b.n, "") for b in found.bins],
        x_title=f"{label}, {found.unit}" if found.unit else label,
        y_title=_("People"),
        right=Right.SEE_INSIGHTS,
        said=said,
    )


def _rounded(value: float | None) -> str:
    return formats.number(value, 0 if value is None or abs(value) >= 10 else 1)


urlpatterns = [
    path("insights/", listing, name="insights"),
    path("insights/<slug:name>/", insight, name="insight"),
    path("insights/<slug:name>/run/", run, name="insight_run"),
]
