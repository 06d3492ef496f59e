"""Advocacy: where people stand toward us on each network, who takes part, whose words do not count, and why."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.insights import selectors as insights
from rapport.insights import services
from rapport.kit import clock
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.access import may, needs
from rapport.web.components import formats, scoring, standing
from rapport.web.layout import Entry

entries = [
    Entry(
        "advocacy",
        gettext_lazy("Advocacy"),
        "advocacy",
        "know",
        31,
        Right.SEE_INSIGHTS,
        also=("advocacy_left_out",),
    )
]

DAYS = 365  # of the table
MONTHS = 24  # of the chart
PAGE = 50  # accounts
TRAVELLERS = 8  # people whose posts travel furthest
NETWORKS_DRAWN = 4
LABELS = ("advocate", "passive", "detractor", "unclear")
LEVELS = ("leader", "contributor", "lurker")


@dataclass(frozen=True, slots=True)
class Count:
    """People with one label: how many, of how many, and where they are listed."""

    n: int
    of: int
    url: str


@dataclass(frozen=True, slots=True)
class Network:
    """One row of the table: a network and how people there stand."""

    name: str
    stand: insights.Stand
    said: str
    tone: str
    texts_url: str
    labels: list[Count]


@dataclass(frozen=True, slots=True)
class Part:
    """One network's levels of taking part."""

    name: str
    n: int
    levels: list[Count]


@dataclass(frozen=True, slots=True)
class Traveller:
    """Somebody whose posts travel, beside how many they write."""

    person: int
    name: str
    times: str
    often: str
    reason: str


@needs(Right.SEE_INSIGHTS)
def advocacy(request: HttpRequest) -> HttpResponseBase:
    now = clock.now()
    since = now - dt.timedelta(days=DAYS)
    stands = insights.standings_of_networks(since, now)
    shares, levels = insights.label_shares("advocacy"), insights.label_shares("participation")
    sees_people = may(request, Right.SEE_PEOPLE)
    whole = next((s for s in stands if s.network == ""), None)
    aside = insights.n_left_out()
    context = {
        "whole": whole,
        "whole_said": standing.said(whole) if whole else "",
        "recommending": insights.recommending(since, now),
        "networks": [_network(s, shares, sees_people) for s in stands if s.network],
        "overall": _counts("advocacy", LABELS, shares.get("advocacy", []), sees_people),
        "n_labelled": sum(s.n for s in shares.get("advocacy", [])),
        "labels": [standing.label(label) for label in LABELS],
        "levels": [standing.label(level) for level in LEVELS],
        "chart": _trend(insights.standing_by_month(_months_ago(now), now)),
        "parts": [_part(name, found, sees_people) for name, found in levels.items()],
        "travellers": _travellers() if sees_people else [],
        "n_out": aside.get("left_out", 0),
        "n_doubtful": aside.get("doubtful", 0),
        "days": DAYS,
        "run": next(iter(insights.runs("advocacy", limit=1)), None),
    }
    return render(request, "pages/advocacy/page.html", context)


@needs(Right.SEE_INSIGHTS)
def left_out(request: HttpRequest) -> HttpResponseBase:
    """Every account whose words do not count, or for less, with the reason."""
    asked = request.GET.get("page", "")
    page = int(asked) if asked.isdecimal() and len(asked) < 7 else 0
    found = insights.left_out(page * PAGE, PAGE + 1)
    if page and not found:
        return redirect("advocacy_left_out")
    context = {
        "accounts": [(a, standing.network(a.network), standing.label(a.label)) for a in found[:PAGE]],
        "next_url": f"?page={page + 1}" if len(found) > PAGE else "",
        "previous_url": f"?page={page - 1}" if page else "",
        "can_decide": may(request, Right.TEACH_MODELS),
        "has_run": any(run.state == "done" for run in insights.runs("authenticity")),
    }
    return render(request, "pages/advocacy/left_out.html", context)


@needs(Right.TEACH_MODELS)
@require_POST
def decide(request: HttpRequest, seq: int) -> HttpResponseBase:
    """Staff's word about one account."""
    assert request.user.is_authenticated
    word = request.POST.get("do", "")
    if word not in {"genuine", "left_out"}:
        raise Invalid(_("nothing was decided"), _("Choose one of the two buttons."))
    n = services.decide(seq, is_genuine=word == "genuine", staff=request.user.email)
    said = (
        ngettext(
            "Its %(n)s text counts again from the next run on.",
            "Its %(n)s texts count again from the next run on.",
            n,
        )
        if word == "genuine"
        else ngettext(
            "Its %(n)s text is left out from now on.", "Its %(n)s texts are left out from now on.", n
        )
    )
    messages.success(request, said % {"n": formats.number(n)})
    return redirect("advocacy_left_out")


def _months_ago(now: dt.datetime) -> dt.datetime:
    year, month = divmod(now.year * 12 + now.month - 1 - (MONTHS - 1), 12)
    return dt.datetime(year, month + 1, 1, tzinfo=dt.UTC)


def _network(stand: insights.Stand, shares: dict[str, list[insights.Share]], sees_people: bool) -> Network:
    score = f"advocacy:{stand.network}"
    return Network(
        standing.network(stand.network, begins=True),
        stand,
        standing.said(stand),
        standing.tone(stand.low, stand.high),
        _texts(stand.network),
        _counts(score, LABELS, shares.get(score, []), sees_people),
    )


def _texts(network: str) -> str:
    return f"{reverse('texts')}?{urlencode({'name': 'sentiment', 'venue': network})}"


def _counts(
    score: str, labels: Sequence[str], shares: list[insights.Share], sees_people: bool
) -> list[Count]:
    by_label = {s.label: s for s in shares}
    of = shares[0].of if shares else 0
    return [
        Count(
            by_label[label].n if label in by_label else 0,
            of,
            scoring.people_url(people.Within(score, label=label))
            if sees_people and label in by_label
            else "",
        )
        for label in labels
    ]


def _part(name: str, shares: list[insights.Share], sees_people: bool) -> Part:
    _given, _colon, network = name.partition(":")
    return Part(
        standing.network(network, begins=True) if network else _("All networks"),
        shares[0].of if shares else 0,
        _counts(name, LEVELS, shares, sees_people),
    )


def _travellers() -> list[Traveller]:
    most, _least = people.extremes("influence", TRAVELLERS)
    found = []
    for one in most:
        if (one.score.low or 0.0) <= 1:
            continue  # what may as well be usual is not shown as more
        of_all = {s.name: s for s in people.person(str(one.person)).scores}
        often = of_all.get("participation")
        found.append(
            Traveller(
                one.person,
                one.display_name,
                _("%(n)s times as far") % {"n": formats.number(one.score.value, 1)},
                _often(often.value) if often else formats.NONE,
                one.score.reason,
            )
        )
    return found


def _often(per_week: float) -> str:
    per_year = per_week * 365.25 / 7
    if per_week >= 1:
        n = round(per_week)
        return ngettext("%(n)s post a week", "%(n)s posts a week", n) % {"n": formats.number(n)}
    n = round(per_year)
    if n < 1:
        return _("less than a post a year")
    return ngettext("%(n)s post a year", "%(n)s posts a year", n) % {"n": formats.number(n)}


def _trend(months: list[insights.Stand]) -> charts.Chart | None:
    """All networks together, month by month with the interval; a month without a word is a gap."""
    found = {m.month: m for m in months if m.network == "" and m.month}
    if len(found) < 2:
        return None
    first, last = min(found), max(found)
    points = []
    month = first
    while month <= last:
        one = found.get(month)
        points.append(
            charts.Point(month, one.standing, "all", one.low, one.high, _texts_of(month))
            if one
            else charts.Point(month, None, "all")
        )
        month = (month + dt.timedelta(days=32)).replace(day=1)
    earlier, later = _half(found, first=True), _half(found, first=False)
    return charts.over_time(
        "lines",
        _finding(earlier, later),
        points,
        charts.series(("all", _("All networks"))),
        y_title=_("Standing, from -1 to 1"),
        x_title=_("Month"),
        right=Right.SEE_INSIGHTS,
        said=lambda value: formats.number(value, 2),
        note=_(
            "The mean over people of what each said in a month, with its 95 % interval. Who writes much has one "
            "voice. Of late: the last three months, beside the first three."
        ),
        full_width=True,
    )


def _half(found: dict[dt.date, insights.Stand], *, first: bool) -> tuple[float, float]:
    """The mean standing of the first or last three months, and its error."""
    chosen = [found[month] for month in (sorted(found)[:3] if first else sorted(found)[-3:])]
    n = len(chosen)
    error = sum(m.error**2 for m in chosen) ** 0.5 / n
    return sum(m.standing for m in chosen) / n, error


def _finding(earlier: tuple[float, float], later: tuple[float, float]) -> str:
    change, error = later[0] - earlier[0], (earlier[1] ** 2 + later[1] ** 2) ** 0.5
    now = formats.number(later[0], 2)
    if abs(change) < 1.96 * error:
        return _("Of late standing toward us is %(now)s, and it has not moved beyond chance") % {"now": now}
    said = {"now": now, "before": formats.number(earlier[0], 2)}
    if change > 0:
        return _("Standing toward us rose from %(before)s to %(now)s") % said
    return _("Standing toward us fell from %(before)s to %(now)s") % said


def _texts_of(month: dt.date) -> str:
    last = (month + dt.timedelta(days=32)).replace(day=1) - dt.timedelta(days=1)
    asked = {"name": "sentiment", "from": month.isoformat(), "to": last.isoformat()}
    return f"{reverse('texts')}?{urlencode(asked)}"


urlpatterns = [
    path("advocacy/", advocacy, name="advocacy"),
    path("advocacy/left-out/", left_out, name="advocacy_left_out"),
    path("advocacy/left-out/<int:seq>/", decide, name="advocacy_decide"),
]
