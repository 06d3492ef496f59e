"""Home: what needs somebody, what changed, where it hurts."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from rapport.consent import selectors as consent
from rapport.events import selectors as events
from rapport.events import spool
from rapport.explore import selectors as explore
from rapport.insights import selectors as insights
from rapport.kit import clock
from rapport.kit.errors import NotFound
from rapport.listening import selectors as listening
from rapport.people import selectors as people
from rapport.personas import selectors as personas
from rapport.segments import selectors as segments
from rapport.staff import services as staff
from rapport.staff.rules import Right
from rapport.web import days, figures, jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, personawords, segmentmoves, words
from rapport.web.layout import Entry
from rapport.web.pages.home import changes, drawn, foretold, talking
from rapport.web.pages.home.line import Line

entries = [Entry("home", gettext_lazy("Home"), "home", "home", 10, Right.SEE_HOME)]

WEEK = 7
HURTS_DAYS = 30
SHOWN = 5
LAG_EVENTS = 1000  # below this a subscriber is merely about to read them


@needs(Right.SEE_HOME)
def home(request: HttpRequest) -> HttpResponseBase:
    assert request.user.is_authenticated
    since = staff.note_seen(request.user)
    context = {
        "greeting": _greeting(request.user.name),
        "since": since,
        "needs_you": _needs(request),
        "pinned": _pinned(request),
        "charts": [(name, about) for name, (about, _draw) in drawn.CHARTS.items()],
        "is_empty": spool.current().next_seq() <= 1,
        "can_import": may(request, Right.CHANGE_SOURCES),
    }
    return render(request, "pages/home/page.html", context)


def _pinned(request: HttpRequest) -> list[tuple[str, str]]:
    """(name, where its answer is) of the questions that stand on Home for whoever reads."""
    if not (request.user.is_authenticated and may(request, Right.SEE_EXPLORE)):
        return []
    saved = explore.pinned_for(request.user.email, request.user.role)
    return [(one.name, reverse("explore_card", args=[one.key])) for one in saved]


@needs(Right.SEE_HOME)
def chart(request: HttpRequest, name: str) -> HttpResponseBase:
    if name not in drawn.CHARTS:
        raise NotFound(_("there is no chart “%(name)s”") % {"name": name}, _("Go back to Home."))
    return render(
        request, "pages/home/chart.html", {"chart": drawn.CHARTS[name][1](), "about": drawn.CHARTS[name][0]}
    )


@needs(Right.SEE_HOME)
def news(request: HttpRequest) -> HttpResponseBase:
    """What changed and where it hurts, worked out while the rest is already on the screen."""
    return render(
        request,
        "pages/home/news.html",
        {
            "changed": _segments(request) + _personas(request) + _foretold(request) + _changed(),
            "hurts": _hurts(request),
        },
    )


def _personas(request: HttpRequest) -> list[Line]:
    """Personas whose share of people is notably another than when they were found before."""
    if not may(request, Right.SEE_PERSONAS):
        return []
    grew = _("Persona “%(name)s” grew from %(before)s to %(now)s of people since it was found before")
    shrank = _("Persona “%(name)s” shrank from %(before)s to %(now)s of people since it was found before")
    return [
        Line(
            (grew if card.moved.now > card.moved.before else shrank)
            % {
                "name": personawords.name_of(card),
                "before": formats.percent(card.moved.before),
                "now": formats.percent(card.moved.now),
            },
            reverse("persona", args=[card.key]),
            note=formats.people(card.n),
        )
        for card in personas.moved()[:SHOWN]
        if card.moved is not None
    ]


def _foretold(request: HttpRequest) -> list[Line]:
    return foretold.stood() + foretold.moved() if may(request, Right.SEE_INSIGHTS) else []


def _greeting(name: str) -> str:
    hour = timezone.localtime(clock.now()).hour
    first = name.split(maxsplit=1)[0] if name.strip() else ""
    if hour < 12:
        return _("Good morning, %(name)s.") % {"name": first} if first else _("Good morning.")
    if hour < 18:
        return _("Good afternoon, %(name)s.") % {"name": first} if first else _("Good afternoon.")
    return _("Good evening, %(name)s.") % {"name": first} if first else _("Good evening.")


def _needs(request: HttpRequest) -> list[Line]:
    """What waits for somebody, by what this role can do about it."""
    lines: list[Line] = []
    if may(request, Right.SEE_INBOX):
        lines += talking.waiting(request)
    if may(request, Right.SEE_PRIVACY):
        lines += _asked_of_us()
    if may(request, Right.CHANGE_SOURCES) and (n := sum(events.quarantine_counts().values())):
        text = ngettext(
            "%(n)s refused row waits in quarantine", "%(n)s refused rows wait in quarantine", n
        ) % {"n": formats.number(n)}
        lines.append(Line(text, reverse("quarantine"), "warn"))
    if may(request, Right.CHANGE_SOURCES):
        lines += _unheard()
    if may(request, Right.CHANGE_PEOPLE) and (n := people.n_proposals()):
        text = ngettext(
            "%(n)s probable identity waits for a decision",
            "%(n)s probable identities wait for a decision",
            n,
        ) % {"n": formats.number(n)}
        lines.append(Line(text, reverse("proposals")))
    if may(request, Right.SEE_INSIGHTS):
        lines += foretold.failed()
    if may(request, Right.SEE_HEALTH):
        lines += _unwell()
    return lines


def _unheard() -> list[Line]:
    """Networks that are not read until somebody acts, and those that have been in trouble for long."""
    lines = []
    for row in listening.sources():
        if row.needs_login or (row.is_on and row.is_late):
            text = _("%(name)s is not read: %(why)s") % {"name": row.name, "why": row.trouble}
            lines.append(
                Line(text, reverse("network", args=[row.name]), "danger" if row.needs_login else "warn")
            )
    return lines[:SHOWN]


def _asked_of_us() -> list[Line]:
    """Requests of people about their data, the late ones first."""
    due = consent.due()
    lines = []
    if n := due.n_overdue:
        text = ngettext("%(n)s request of a person is overdue", "%(n)s requests of people are overdue", n) % {
            "n": formats.number(n)
        }
        lines.append(Line(text, reverse("requests"), "danger"))
    if n := due.n_open - due.n_overdue:
        text = ngettext(
            "%(n)s request of a person waits for an answer", "%(n)s requests of people wait for an answer", n
        ) % {"n": formats.number(n)}
        lines.append(Line(text, reverse("requests"), "warn" if due.n_soon else ""))
    return lines


def _unwell() -> list[Line]:
    lines = []
    for state in events.subscriber_states():
        if state.failing_since:
            text = _("%(key)s fails since %(when)s") % {
                "key": words.subscriber(state.key),
                "when": formats.when_text(state.failing_since),
            }
            lines.append(Line(text, reverse("health"), "danger"))
        elif state.lag > LAG_EVENTS:
            text = _("%(key)s: %(n)s events still to read") % {
                "key": words.subscriber(state.key),
                "n": formats.number(state.lag),
            }
            lines.append(Line(text, reverse("health"), "warn"))
    if n := len(jobs.failed()):
        text = ngettext("%(n)s job failed", "%(n)s jobs failed", n) % {"n": formats.number(n)}
        lines.append(Line(text, reverse("health"), "danger"))
    return lines


def _changed() -> list[Line]:
    """Events that became more or fewer than the week before, beyond chance."""
    last = days.today() - dt.timedelta(days=1)  # today is not over
    first = last - dt.timedelta(days=2 * WEEK - 1)
    counted: dict[str, list[int]] = defaultdict(lambda: [0] * (2 * WEEK))
    for day, name, n, _value in events.daily(first, last):
        counted[name][(day - first).days] += n
    found = []
    for name, by_day in counted.items():
        change = changes.ratio(by_day[WEEK:], by_day[:WEEK])
        if change and change.is_beyond_chance:
            found.append((name, sum(by_day[WEEK:]), sum(by_day[:WEEK]), change))
    found.sort(key=lambda entry: -max(entry[3].likely, 1 / entry[3].likely))
    begin = (last - dt.timedelta(days=WEEK - 1)).isoformat()
    return [
        Line(
            _("%(what)s: %(now)s in seven days, %(before)s in the seven before")
            % {
                "what": words.event_label(name),
                "now": formats.number(now),
                "before": formats.number(before),
            },
            f"{reverse('events')}?{urlencode({'name': name, 'first': begin, 'last': last.isoformat()})}",
            note=_("%(interval)s times as many a day")
            % {"interval": formats.interval(change.low, change.high, change.likely, "", 1)}
            if before
            else "",
        )
        for name, now, before, change in found[:SHOWN]
    ]


def _segments(request: HttpRequest) -> list[Line]:
    """Segments that grew or shrank beyond chance in seven days, those that moved most first."""
    if not may(request, Right.SEE_SEGMENTS):
        return []
    begin = clock.now() - dt.timedelta(days=WEEK)
    found = []
    for segment in segments.segments():
        moved = segmentmoves.moved(segments.history(segment.key, days=4 * WEEK), WEEK)
        if moved is None or not changes.is_notable(moved.before, moved.entered, moved.left):
            continue
        if segments.versions(segment.key)[0].at < begin:  # another rule is another segment, not a change
            found.append((segment, moved))
    found.sort(key=lambda entry: -abs(entry[1].net) / max(1, entry[1].before))
    return [_moved(segment, moved) for segment, moved in found[:SHOWN]]


def _moved(segment: segments.SegmentView, moved: segmentmoves.Moved) -> Line:
    grew = _("Segment “%(title)s” grew from %(before)s to %(now)s in seven days")
    shrank = _("Segment “%(title)s” shrank from %(before)s to %(now)s in seven days")
    said = {
        "title": segment.title,
        "before": formats.number(moved.before),
        "now": formats.people(moved.now),
    }
    flow = {"entered": formats.number(moved.entered), "left": formats.number(moved.left)}
    return Line(
        (grew if moved.net > 0 else shrank) % said,
        reverse("segment", args=[segment.key]),
        note=_("%(entered)s entered, %(left)s left") % flow,
    )


def _hurts(request: HttpRequest) -> list[Line]:
    today = days.today()
    first = today - dt.timedelta(days=HURTS_DAYS - 1)
    span = {"first": first.isoformat(), "last": today.isoformat()}
    lines = [
        Line(
            _("Complaint “%(reason)s”: %(n)s from %(people)s")
            % {
                "reason": share.label.replace("_", " "),
                "n": formats.number(share.n),
                "people": formats.people(share.n_subjects),
            },
            f"{reverse('events')}?{urlencode({'name': 'complaint_raised', **span})}",
        )
        for share in figures.by_dimension("complaint_raised", first, today, SHOWN)
    ]
    said = insights.sentiment_by_day(days.begins(first), days.ends(today))
    n_negative, n = sum(s.n_negative for s in said), sum(s.n for s in said)
    if n_negative:
        low, high = changes.wilson(n_negative, n)
        if may(request, Right.SEE_INSIGHTS):  # with the words that decided, and one key to say otherwise
            asked = {"name": "sentiment", "label": "negative", "from": span["first"], "to": span["last"]}
            behind = f"{reverse('texts')}?{urlencode(asked)}"
        else:
            behind = f"{reverse('events')}?{urlencode({'label': 'negative', **span})}"
        lines.append(
            Line(
                ngettext("%(n)s negative text", "%(n)s negative texts", n_negative)
                % {"n": formats.number(n_negative)},
                behind,
                note=formats.interval(low, high, n_negative / n, "%"),
            )
        )
    if may(request, Right.SEE_PEOPLE):
        lines = foretold.at_stake() + lines
    if may(request, Right.SEE_SOURCES):
        lines += _sources_hurt()
    return lines


def _sources_hurt() -> list[Line]:
    lines = [
        Line(
            _("Refused: %(reason)s, %(n)s rows") % {"reason": words.reason(code), "n": formats.number(n)},
            f"{reverse('quarantine')}?{urlencode({'reason': code})}",
        )
        for code, n in list(events.quarantine_counts().items())[:SHOWN]
    ]
    lines += [
        Line(
            _("%(source)s is silent since %(when)s")
            % {"source": silent.name, "when": formats.when_text(silent.last_ts)},
            f"{reverse('events')}?{urlencode({'source': silent.name})}",
            "warn",
            _("it reported on %(n)s of the last %(days)s days: a gap, not a zero")
            % {"n": silent.n_days, "days": figures.WATCHED_DAYS},
        )
        for silent in figures.silent_sources()
    ]
    return lines


urlpatterns: list[Any] = [
    path("", home, name="home"),
    path("home/news/", news, name="home_news"),
    path("home/charts/<str:name>/", chart, name="home_chart"),
]
