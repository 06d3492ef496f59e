"""What models foretell, and what became of the models: lines of Home."""

from __future__ import annotations

import datetime as dt

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from rapport.insights import selectors as insights
from rapport.kit import clock
from rapport.people import selectors as people
from rapport.web.components import formats, scoring, standing, words
from rapport.web.pages.home import changes
from rapport.web.pages.home.line import Line

BEST = 100  # people with the highest worth expected
LIKELIER_THAN_NOT = 0.5
MOVED_SHOWN = 3
STANDING_DAYS, BEFORE_DAYS = 30, 90  # what was said of late, beside what was said before
ANOTHER = 0.25  # drift from which a figure is of another population (Siddiqi 2006)


def at_stake() -> list[Line]:
    """How many of the best customers are likelier to leave than not."""
    leaving = people.Within("churn_risk", LIKELIER_THAN_NOT, best_of="clv_minor", best=BEST)
    n = people.n_within(leaving)
    if not n:
        return []
    of = people.n_within(people.Within("churn_risk", best_of="clv_minor", best=BEST))
    low, high = changes.wilson(n, of)
    text = ngettext(
        "%(n)s of the %(of)s worth most is likelier to leave than not",
        "%(n)s of the %(of)s worth most are likelier to leave than not",
        n,
    ) % {"n": formats.number(n), "of": formats.people(of)}
    return [Line(text, scoring.people_url(leaving), note=formats.interval(low, high, n / of, "%"))]


def failed() -> list[Line]:
    """Models whose last run failed."""
    found = [run for run in insights.last_runs() if run.state == "failed"]
    titles = {model.name: model.title for model in insights.titles_of(run.model for run in found)}
    return [
        Line(
            _("The model “%(title)s” failed: %(error)s") % {"title": titles[run.model], "error": run.error},
            reverse("insight", args=[run.model]),
            "danger",
        )
        for run in found
    ]


def moved() -> list[Line]:
    """Figures that are of other people than at the run before."""
    return [
        Line(
            _("“%(score)s” looks quite otherwise than before: see whether people changed, or a source broke")
            % {"score": words.score(name)},
            f"{reverse('insight', args=[run.model])}#{name}",
            note=_("drift %(far)s; from %(least)s on it is more than usual")
            % {"far": formats.number(far, 2), "least": formats.number(ANOTHER, 2)},
        )
        for run in insights.last_runs()
        for name, far in run.drift.items()
        if far is not None and far >= ANOTHER
    ]


def stood() -> list[Line]:
    """Networks on which people came to stand otherwise toward us, beyond chance, those that moved most first."""
    now = clock.now()
    since = now - dt.timedelta(days=STANDING_DAYS)
    before = insights.standings_of_networks(since - dt.timedelta(days=BEFORE_DAYS), since)
    found = [
        m for m in insights.moved(insights.standings_of_networks(since, now), before) if m.is_beyond_chance
    ]
    found.sort(key=lambda m: -abs(m.change))
    return [
        Line(
            _("Standing toward us: %(network)s, %(change)s in %(days)s days")
            % {
                "network": standing.network(m.network) if m.network else _("all networks"),
                "change": ("+" if m.change > 0 else "") + formats.number(m.change, 2),
                "days": formats.number(STANDING_DAYS),
            },
            reverse("advocacy"),
            "danger" if m.change < 0 else "",
            formats.interval(m.low, m.high, m.change, "", 2),
        )
        for m in found[:MOVED_SHOWN]
    ]
