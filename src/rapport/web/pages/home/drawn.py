"""The charts of the home page; each mark opens the events behind it."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.events import selectors as events
from rapport.insights import selectors as insights
from rapport.staff import selectors as staff
from rapport.staff.rules import Right
from rapport.web import charts, days, figures
from rapport.web.charts import palette
from rapport.web.components import formats, words
from rapport.web.pages.home.changes import wilson

DAYS = 30
WEEKS = 26
NAMES_SHOWN = 5
HORIZON_DAYS = 90
OTHER = "other"


def _events(**query: str) -> str:
    return f"{reverse('events')}?{urlencode(query)}"


def activity() -> charts.Chart | None:
    """Events per day, by the most frequent names."""
    today = days.today()
    first = today - dt.timedelta(days=DAYS - 1)
    counted: dict[tuple[dt.date, str], int] = {}
    totals: dict[str, int] = defaultdict(int)
    for day, name, n, _value in events.daily(first, today):
        counted[day, name] = n
        totals[name] += n
    if not totals:
        return None
    shown = sorted(totals, key=lambda name: -totals[name])[:NAMES_SHOWN]
    rest = set(totals) - set(shown)
    series = [(name, words.event_label(name)) for name in shown]
    points = []
    for offset in range(DAYS):
        day = first + dt.timedelta(days=offset)
        for name in shown:
            href = _events(name=name, day=day.isoformat())
            points.append(charts.Point(day, counted.get((day, name), 0), name, href=href))
        if rest:
            n = sum(counted.get((day, name), 0) for name in rest)
            points.append(charts.Point(day, n, OTHER, href=_events(day=day.isoformat())))
    if rest:
        series.append((OTHER, _("Other")))
    most = shown[0]
    title = _("%(n)s events in %(days)s days, most of them: %(name)s") % {
        "n": formats.number(sum(totals.values())),
        "days": DAYS,
        "name": words.event_label(most),
    }
    return charts.over_time(
        "bars", title, points, charts.series(*series), y_title=_("Events per day"), right=Right.SEE_HOME
    )


def sentiment() -> charts.Chart | None:
    """What was said per day, by its sentiment; a day on which nobody spoke is a gap."""
    today = days.today()
    first = today - dt.timedelta(days=DAYS - 1)
    found = insights.sentiment_by_day(days.begins(first), days.ends(today))
    if not found:
        return None
    labels = [("negative", _("Negative")), ("neutral", _("Neutral")), ("positive", _("Positive"))]
    points = []
    for row in found:
        assert isinstance(row.of, dt.date)
        counts = {"negative": row.n_negative, "neutral": row.n_neutral, "positive": row.n_positive}
        for label, n in counts.items():
            href = _events(day=row.of.isoformat(), label=label)
            points.append(charts.Point(row.of, n, label, href=href))
    n, n_negative = sum(row.n for row in found), sum(row.n_negative for row in found)
    low, high = wilson(n_negative, n)
    title = _("%(interval)s of what was said is negative") % {
        "interval": formats.interval(low, high, n_negative / n, "%")
    }
    note = _("%(part)s of %(whole)s texts in %(days)s days") % {
        "part": formats.number(n_negative),
        "whole": formats.number(n),
        "days": DAYS,
    }
    return charts.over_time(
        "bars",
        title,
        points,
        charts.series(*labels, colours=palette.SENTIMENT),
        y_title=_("Texts per day"),
        right=Right.SEE_HOME,
        note=note,
    )


def revenue() -> charts.Chart | None:
    """Orders less refunds per week, in the organisation's currency."""
    today = days.today()
    monday = today - dt.timedelta(days=today.weekday())
    first = monday - dt.timedelta(weeks=WEEKS - 1)
    by_week: dict[dt.date, int] = defaultdict(int)
    for day, _name, _n, value_minor in events.daily(first, today, ["order_placed", "order_refunded"]):
        by_week[day - dt.timedelta(days=day.weekday())] += value_minor
    if not by_week:
        return None
    currency = staff.currency()
    weeks = [first + dt.timedelta(weeks=i) for i in range(WEEKS)]
    began = min(by_week)
    factor = 10 ** -_places(currency)
    points = [
        charts.Point(
            week,
            by_week.get(week, 0) * factor,
            href=_events(
                name="order_placed",
                first=week.isoformat(),
                last=(week + dt.timedelta(days=6)).isoformat(),
            ),
        )
        for week in weeks
        if week >= began
    ]
    last, before = (
        by_week.get(monday - dt.timedelta(weeks=1), 0),
        by_week.get(monday - dt.timedelta(weeks=2), 0),
    )
    title = _("Last week brought %(last)s, the week before %(before)s") % {
        "last": formats.whole_money(last, currency),
        "before": formats.whole_money(before, currency),
    }
    return charts.over_time(
        "bars",
        title,
        points,
        charts.series(("", "")),
        y_title=_("Orders less refunds per week, %(currency)s") % {"currency": currency},
        x_title=_("Week from"),
        right=Right.SEE_HOME,
        note=_("The last bar is this week so far."),
    )


def repeat() -> charts.Chart | None:
    """The share of each month's first-time buyers who bought again, with its interval."""
    today = days.today()
    first = (today.replace(day=1) - dt.timedelta(days=366 * 2)).replace(day=1)
    cohorts = [c for c in figures.repeat_by_cohort(first, today, HORIZON_DAYS) if c.n]
    if not cohorts:
        return None
    points = []
    for cohort in cohorts:
        low, high = wilson(cohort.n_again, cohort.n)
        last = (cohort.month + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
        href = _events(name="order_placed", first=cohort.month.isoformat(), last=last.isoformat())
        points.append(charts.Point(cohort.month, cohort.n_again / cohort.n, low=low, high=high, href=href))
    n, n_again = sum(c.n for c in cohorts), sum(c.n_again for c in cohorts)
    title = _("%(share)s bought again within %(days)s days") % {
        "share": formats.share(n_again, n),
        "days": HORIZON_DAYS,
    }
    return charts.over_time(
        "lines",
        title,
        points,
        charts.series(("", "")),
        y_title=_("Share who bought again, with its interval"),
        x_title=_("Month of the first order"),
        right=Right.SEE_HOME,
        said=formats.percent,
        as_percent=True,
        note=_("By the month of the first order; the newest months have not had time yet."),
    )


def _places(currency: str) -> int:
    from rapport.kit import money

    return money.exponent(currency)


# By name: what it is about, shown while it is drawn, and how to draw it.
CHARTS: dict[str, tuple[Any, Callable[[], charts.Chart | None]]] = {
    "activity": (gettext_lazy("Events per day"), activity),
    "sentiment": (gettext_lazy("What was said, by sentiment"), sentiment),
    "revenue": (gettext_lazy("Orders per week"), revenue),
    "repeat": (gettext_lazy("Who bought again"), repeat),
}
