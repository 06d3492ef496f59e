"""Insights: what each model says, how good it is beside a naive rule, how fresh, and its limits."""

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
from rapport.insights.contract import Curve, Gives
from rapport.kit.errors import NotFound
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import charts, jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, measuring, scoring, words
from rapport.web.layout import Entry

entries = [
    Entry(
        "insights",
        gettext_lazy("Insights"),
        "insights",
        "learn",
        30,
        Right.SEE_INSIGHTS,
        also=("insight",),
    )
]

LABELS_SHOWN = 10  # of a figure whose word says more than its number
ENDS_SHOWN = 5  # people with the most of a figure, and as many with the least
MOVED, ANOTHER = 0.1, 0.25  # of the drift: noticeable, and another population
TONES = {"done": "accent", "running": "accent", "failed": "danger"}


@dataclass(frozen=True, slots=True)
class Model:
    """A model as the list shows it."""

    card: insights.ModelCard
    best: measuring.Measured | None
    state: str
    tone: str


@dataclass(frozen=True, slots=True)
class End:
    """Somebody with very much or very little of a figure."""

    person: int
    name: str
    value: str
    reason: str


@dataclass(frozen=True, slots=True)
class Written:
    """One figure that a model writes: how it lies, how well it was borne out, who stands at its ends."""

    name: str
    label: str
    meaning: str
    distribution: charts.Chart | None
    calibration: charts.Chart | None
    most: list[End]
    least: list[End]


@dataclass(frozen=True, slots=True)
class Moved:
    """How far a figure has moved since the run before, in words."""

    label: str
    words: str
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
        "metrics": [measuring.measured(m) for m in metrics],
        "written": [_written(card, gives, may(request, Right.SEE_PEOPLE)) for gives in _scores(card)],
        "moved": _moved(card),
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
    return Model(card, measuring.measured(metrics[0]) if metrics else None, word, TONES.get(state, ""))


def _scores(card: insights.ModelCard) -> list[Gives]:
    return [gives for gives in card.gives if gives.kind == "score"]


def _written(card: insights.ModelCard, gives: Gives, names_people: bool) -> Written:
    curves = card.backtest.curves if card.backtest else ()
    curve = next((c for c in curves if c.name == gives.name), None)
    most, least = people.extremes(gives.name, ENDS_SHOWN) if names_people else ([], [])
    if most and most[0].score.value == least[0].score.value:
        most, least = [], []  # everybody has the same
    return Written(
        gives.name,
        words.score(gives.name),
        gives.meaning,
        _distribution(gives.name),
        _calibration(curve) if curve and curve.points else None,
        [_end(one) for one in most],
        [_end(one) for one in least],
    )


def _end(one: people.Extreme) -> End:
    return End(one.person, one.display_name, words.score_value(one.score), one.score.reason)


def _calibration(curve: Curve) -> charts.Chart:
    is_ratio = curve.unit in words.RATIO_UNITS
    return charts.agreement(
        curve.meaning,
        [charts.Agreement(p.said, p.seen, p.n, p.low, p.high) for p in curve.points],
        x_title=_("said: %(score)s") % {"score": words.score(curve.name).lower()},
        y_title=_("seen"),
        right=Right.SEE_INSIGHTS,
        said=lambda value: scoring.said(value, curve.unit),
        note=_("A point on the dashed line: what was said is what came."),
        as_percent=is_ratio,
    )


def _moved(card: insights.ModelCard) -> list[Moved]:
    found = []
    drift = card.last_run.drift if card.last_run else {}
    for name, far in sorted(drift.items()):
        if far is None:
            continue
        if far >= ANOTHER:
            said, tone = _("another population than at the run before"), "warn"
        elif far >= MOVED:
            said, tone = _("moved noticeably since the run before"), "accent"
        else:
            said, tone = _("as at the run before"), ""
        found.append(Moved(words.score(name), f"{said} ({formats.number(far, 2)})", tone))
    return found


def _distribution(score: str) -> charts.Chart | None:
    try:
        found = insights.distribution(score)
    except NotFound:
        return None
    if not found.n:
        return None
    label = words.score(score)
    labels = [(name, n) for name, n in found.labels.items() if name]
    if labels and (found.unit in words.BARE_UNITS or score in words.LABEL_FIRST):
        most, n = labels[0]
        return charts.ranked(
            _("%(score)s: most people are %(label)s") % {"score": label, "label": most}
            if score not in words.LABEL_FIRST
            else _("%(score)s: most often %(label)s") % {"score": label, "label": most},
            [
                (name, count, scoring.people_url(people.Within(score, label=name)))
                for name, count in labels[:LABELS_SHOWN]
            ],
            label_title=label,
            value_title=_("People"),
            right=Right.SEE_INSIGHTS,
            note=formats.share(n, found.n),
        )
    title = _("%(score)s: half of %(n)s people have %(median)s or less") % {
        "score": label,
        "n": formats.number(found.n),
        "median": scoring.said(found.quantiles["0.5"], found.unit),
    }
    last = len(found.bins) - 1
    return charts.distribution(
        title,
        [
            # The outer bins hold everything beyond them.
            (
                b.low,
                b.high,
                b.n,
                scoring.people_url(people.Within(score, b.low if i else None, b.high if i < last else None)),
            )
            for i, b in enumerate(found.bins)
        ],
        x_title=f"{label}, {found.unit}" if found.unit else label,
        y_title=_("People"),
        right=Right.SEE_INSIGHTS,
        said=lambda value: scoring.said(value, found.unit),
    )


urlpatterns = [
    path("insights/", listing, name="insights"),
    path("insights/<slug:name>/", insight, name="insight"),
    path("insights/<slug:name>/run/", run, name="insight_run"),
]
