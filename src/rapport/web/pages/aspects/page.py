"""Aspects: how each fares and over time, its words in every language, and what else people judge."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.insights import selectors as insights
from rapport.insights import services
from rapport.insights.selectors import AspectFare, AspectView
from rapport.kit.errors import NotFound, RapportError
from rapport.staff.rules import Right
from rapport.web import charts, days
from rapport.web.access import may, needs
from rapport.web.charts import palette
from rapport.web.components import formats
from rapport.web.errors import sentence
from rapport.web.layout import Action, Entry
from rapport.web.pages.aspects.form import AspectForm, filled, language_title

entries = [
    Entry(
        "aspects",
        gettext_lazy("Aspects"),
        "complaint",
        "learn",
        32,
        Right.SEE_INSIGHTS,
        also=("aspect", "aspect_add"),
    )
]
actions = [Action("aspect_add", gettext_lazy("Add an aspect"), Right.TEACH_MODELS)]

DAYS = 365  # that the figures are of
JUDGED_MIN = 5  # texts; a share of fewer says nothing, and is not charted


@dataclass(frozen=True, slots=True)
class Row:
    """One aspect as the list shows it."""

    aspect: AspectView
    fare: AspectFare
    share: str  # of those who judge it, positive, with their count
    interval: str  # of the share; empty where nobody judges it
    urls: dict[str, str]  # by label: the texts


@dataclass(frozen=True, slots=True)
class Proposal:
    """One aspect that was found and waits for a yes or a no."""

    aspect: AspectView
    words: str
    quotes: list[str]


@needs(Right.SEE_INSIGHTS)
def aspects(request: HttpRequest) -> HttpResponseBase:
    since, until = _span()
    fares = insights.fares(since, until)
    rows = [_row(a, fares.get(a.key, AspectFare(a.key, 0, 0, 0, 0))) for a in insights.aspects()]
    rows.sort(key=lambda row: (-row.fare.n, row.aspect.title))
    every = [a for a in insights.aspects(active_only=False) if a.is_declared and not a.is_active]
    context = {
        "rows": rows,
        "chart": _ranked(rows),
        "waiting": _proposals() if may(request, Right.TEACH_MODELS) else [],
        "dropped": every,
        "days": DAYS,
        "standing": _standing(),
        "can_change": may(request, Right.TEACH_MODELS),
    }
    return render(request, "pages/aspects/page.html", context)


@needs(Right.SEE_INSIGHTS)
def aspect(request: HttpRequest, key: str) -> HttpResponseBase:
    return _one(request, insights.aspect(key))


def _one(
    request: HttpRequest,
    found: AspectView,
    form: AspectForm | None = None,
    wrong: str = "",
    status: int = 200,
) -> HttpResponseBase:
    since, until = _span()
    fare = insights.fares(since, until).get(found.key, AspectFare(found.key, 0, 0, 0, 0))
    context = {
        "row": _row(found, fare),
        "chart": _trend(found, since, until),
        "words": [(language_title(code), ", ".join(words)) for code, words in found.words.items()],
        "form": form or filled(found.title, found.words),
        "wrong": wrong,
        "days": DAYS,
        "can_change": may(request, Right.TEACH_MODELS),
    }
    return render(request, "pages/aspects/one.html", context, status=status)


@needs(Right.TEACH_MODELS)
def add(request: HttpRequest) -> HttpResponseBase:
    """A new aspect."""
    assert request.user.is_authenticated
    if request.method != "POST":
        return render(request, "pages/aspects/add.html", {"form": AspectForm(), "wrong": ""})
    form = AspectForm(request.POST)
    wrong = ""
    if form.is_valid():
        try:
            key = services.declare_aspect(form.cleaned_data["title"], form.words(), request.user.email)
            messages.success(request, _("Added. Texts are read again for it when the models next run."))
            return redirect("aspect", key=key)
        except RapportError as error:
            wrong = f"{sentence(error.message)} {error.hint}"
    return render(request, "pages/aspects/add.html", {"form": form, "wrong": wrong}, status=400)


@needs(Right.TEACH_MODELS)
@require_POST
def change(request: HttpRequest, key: str) -> HttpResponseBase:
    """Save title and words; an aspect that was found or dropped is in force from then on."""
    assert request.user.is_authenticated
    found = insights.aspect(key)
    form = AspectForm(request.POST, languages=tuple(found.words))
    if not form.is_valid():
        return _one(request, found, form, status=400)
    try:
        services.change_aspect(key, form.cleaned_data["title"], form.words(), request.user.email)
    except NotFound:
        raise
    except RapportError as error:
        return _one(request, found, form, f"{sentence(error.message)} {error.hint}", status=400)
    messages.success(request, _("Saved. Texts are read again by these words when the models next run."))
    return redirect("aspect", key=key)


@needs(Right.TEACH_MODELS)
@require_POST
def decide(request: HttpRequest, key: str) -> HttpResponseBase:
    """Yes or no to an aspect that was found; dropping one, or taking it back."""
    assert request.user.is_authenticated
    found = insights.aspect(key)
    if request.POST.get("do") == "yes":
        services.accept_aspect(key, request.user.email)
        messages.success(request, _("“%(title)s” is in your catalogue.") % {"title": found.title})
    else:
        services.drop_aspect(key, request.user.email)
        said = (
            _("“%(title)s” is out of your catalogue.")
            if found.is_declared
            else _("“%(title)s” is not asked again.")
        )
        messages.success(request, said % {"title": found.title})
    return redirect("aspects")


@needs(Right.TEACH_MODELS)
@require_POST
def look(request: HttpRequest) -> HttpResponseBase:
    """Look for what else people judge, in the newest texts."""
    n = len(services.look_for_aspects())
    if n:
        said = ngettext(
            "%(n)s more thing that people judge was found.",
            "%(n)s more things that people judge were found.",
            n,
        )
        messages.success(request, said % {"n": formats.number(n)})
    else:
        messages.info(request, _("Nothing else is judged often enough."))
    return redirect(reverse("aspects") + "#found")


def _span() -> tuple[dt.datetime, dt.datetime]:
    today = days.today()
    return days.begins(today - dt.timedelta(days=DAYS - 1)), days.ends(today)


def _row(found: AspectView, fare: AspectFare) -> Row:
    return Row(
        found,
        fare,
        _share(fare),
        _interval(fare),
        {label: _texts_url(found, label) for label in ("", "negative", "neutral", "positive")},
    )


def _share(fare: AspectFare) -> str:
    if not fare.n_judged:
        return _("nobody judges it")
    share = formats.percent(fare.n_positive / fare.n_judged)
    return _("%(share)s of %(n)s") % {"share": share, "n": formats.number(fare.n_judged)}


def _interval(fare: AspectFare) -> str:
    positive = fare.positive
    if positive is None:
        return ""
    ends = {"low": formats.percent(positive.low), "high": formats.percent(positive.high)}
    return _("%(low)s to %(high)s") % ends


def _texts_url(
    found: AspectView, label: str = "", first: dt.date | None = None, last: dt.date | None = None
) -> str:
    today = days.today()
    asked = {
        "name": found.name,
        "label": label,
        "from": (first or today - dt.timedelta(days=DAYS - 1)).isoformat(),
        "to": (last or today).isoformat(),
    }
    return f"{reverse('texts')}?{urlencode({k: v for k, v in asked.items() if v})}"


def _ranked(rows: list[Row]) -> charts.Chart | None:
    """Aspects by the share of those who judge them that are pleased, the worst first."""
    judged = [r for r in rows if r.fare.n_judged >= JUDGED_MIN]
    shares = {r.aspect.key: r.fare.n_positive / r.fare.n_judged for r in judged}
    judged.sort(key=lambda r: shares[r.aspect.key])
    if not judged:
        return None
    worst = judged[0]
    title = _("%(aspect)s fares worst: %(n)s of %(all)s texts that judge it are positive") % {
        "aspect": worst.aspect.title,
        "n": formats.number(worst.fare.n_positive),
        "all": formats.number(worst.fare.n_judged),
    }
    return charts.ranked(
        title,
        [
            (
                f"{r.aspect.title} ({formats.number(r.fare.n_judged)})",
                100 * shares[r.aspect.key],
                reverse("aspect", args=[r.aspect.key]),
            )
            for r in judged
        ],
        label_title=_("Aspect (texts that judge it)"),
        value_title=_("Share of positive among the texts that judge it, in %"),
        right=Right.SEE_INSIGHTS,
        said=_percent,
        note=_("Texts of the last 12 months; neutral ones are left out."),
        full_width=True,
        is_scale=True,
        whole=100.0,
    )


def _percent(value: float | None) -> str:
    return formats.NONE if value is None else formats.percent(value / 100)


def _trend(found: AspectView, since: dt.datetime, until: dt.datetime) -> charts.Chart | None:
    """Texts by month and how they judge; each leads to the texts."""
    months = insights.months(found.key, since, until)
    if not months:
        return None
    worst = max(months, key=lambda m: (m.fare.n_negative, m.month))
    title = (
        _("%(aspect)s drew most blame in %(month)s: %(n)s of %(all)s texts that name it")
        % {
            "aspect": found.title,
            "month": date_format(worst.month, "F Y"),
            "n": formats.number(worst.fare.n_negative),
            "all": formats.number(worst.fare.n),
        }
        if worst.fare.n_negative
        else _("Nobody blamed %(aspect)s in these months") % {"aspect": found.title}
    )
    labels = (("negative", _("negative")), ("neutral", _("neutral")), ("positive", _("positive")))
    shown = charts.series(*labels, colours=palette.SENTIMENT)
    points = [
        charts.Point(m.month, float(n), label, href=_texts_url(found, label, m.month, _last_of(m.month)))
        for m in months
        for label, n in (
            ("negative", m.fare.n_negative), ("neutral", m.fare.n_neutral), ("positive", m.fare.n_positive),
        )
    ]  # fmt: skip
    return charts.over_time(
        "bars",
        title,
        points,
        shown,
        y_title=_("Texts"),
        x_title=_("Month"),
        right=Right.SEE_INSIGHTS,
        full_width=True,
        note=_("By calendar month; each part leads to its texts."),
    )


def _last_of(month: dt.date) -> dt.date:
    return (month.replace(day=28) + dt.timedelta(days=4)).replace(day=1) - dt.timedelta(days=1)


def _proposals() -> list[Proposal]:
    found = insights.waiting()
    words = {a.key: [w.rstrip("*") for given in a.words.values() for w in given] for a in found}
    quotes = insights.quoted([w for given in words.values() for w in given])
    return [
        Proposal(a, ", ".join(words[a.key]), [q for w in words[a.key] for q in quotes.get(w.lower(), [])][:3])
        for a in found
    ]


def _standing() -> Any:
    return insights.standings().get("aspect")


urlpatterns = [
    path("aspects/", aspects, name="aspects"),
    path("aspects/add/", add, name="aspect_add"),
    path("aspects/look/", look, name="aspects_look"),
    path("aspects/of/<str:key>/", aspect, name="aspect"),
    path("aspects/of/<str:key>/change/", change, name="aspect_change"),
    path("aspects/of/<str:key>/decide/", decide, name="aspect_decide"),
]
