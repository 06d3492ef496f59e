"""One segment: its rule in sentences, who is in, how that moved, whom it shares people with, who asks for it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.consent.services import Warrant
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.segments import selectors, services, uses
from rapport.segments.selectors import moving
from rapport.staff.rules import Right
from rapport.web import charts, days, jobs
from rapport.web.access import may, needs
from rapport.web.components import formats, segmenting, segmentmoves, segmentwhy, segmentwords

CHARTED_DAYS = 365
OVERLAPS_SHOWN = 5
MEMBERS_SHOWN = 20


@needs(Right.SEE_SEGMENTS)
def segment(request: HttpRequest, key: str) -> HttpResponseBase:
    found = selectors.segment(key)
    offer = segmenting.offer(of=key)
    leave = segmenting.leave(request, found.purpose)
    asked = {"who": request.GET.get("who", "")} | segmentwhy.asked_why(
        offer, found.rule, leave, request.GET.get("who")
    )
    if getattr(request, "htmx", False) and "who" in request.GET:
        return render(request, "pages/segment_edit/why.html", asked)
    history = selectors.history(key, days=CHARTED_DAYS)
    context = {
        "segment": found,
        "said": segmentwords.lines(found.rule, offer.catalogue, offer.currency),
        "purpose": segmenting.purpose_name(found.purpose),
        "worked_out": _worked_out(found),
        "change": segmentmoves.change_text(history),
        "changed": _changed(found),
        "problem": _problem(found),
        "n": found.n_members,
        "overlaps": _overlaps(found, leave),
        "asking": (asking := selectors.asking_about(key)),
        "uses": [what for what in uses.of(key) if all(one.title not in what for one in asking)],
        "charts": _charts(key, history),
        "can_change": may(request, Right.CHANGE_SEGMENTS),
        "can_export": may(request, Right.EXPORT_PEOPLE),
        "export_url": f"{reverse('export_new')}?{urlencode({'segment': key})}",
        "reach_url": reverse("segment_reach", args=[key]),
        **asked,
    }
    if may(request, Right.SEE_PEOPLE):
        context |= _members(request, key, leave)
    return render(request, "pages/segment/page.html", context)


@needs(Right.SEE_SEGMENTS)
def reach(request: HttpRequest, key: str) -> HttpResponseBase:
    """Whom of them each channel reaches now: asked for once the rest stands on the screen."""
    found = selectors.segment(key)
    purpose = segmenting.reach_purpose()
    size = selectors.size(
        found.rule, segmenting.leave(request, found.purpose), reach=purpose.key if purpose else ""
    )
    context = {"reach": segmenting.reaches(size.reachable, purpose), "n": size.n, "segment": found}
    return render(request, "pages/segment/reach.html", context)


@needs(Right.CHANGE_SEGMENTS)
@require_POST
def do(request: HttpRequest, key: str) -> HttpResponseBase:
    """Refresh it now, or remove it."""
    assert request.user.is_authenticated
    doing = request.POST.get("do", "")
    if doing == "refresh":
        selectors.segment(key)
        jobs.refresh_segment.enqueue(key)
        messages.success(request, _("It is being worked out. Load the page again in a moment."))
        return redirect("segment", key=key)
    if doing == "remove":
        title = selectors.segment(key).title
        services.remove(key, by=request.user.email)
        messages.success(request, _("“%(title)s” is removed.") % {"title": title})
        return redirect("segments")
    raise Invalid(_("nothing was chosen to do"), _("Press one of the buttons."))


def _worked_out(found: selectors.SegmentView) -> str:
    if found.refreshed_at is None:
        return _("Who is in it is being worked out.")
    said = _("%(people)s, worked out %(when)s.") % {
        "people": formats.people(found.n_members),
        "when": formats.when_text(found.refreshed_at),
    }
    changed = _("The rule was changed since.")
    return f"{said} {changed}" if found.is_stale else said


def _changed(found: selectors.SegmentView) -> str:
    return _("Version %(n)s, by %(who)s, %(when)s.") % {
        "n": found.version,
        "who": found.changed_by,
        "when": formats.when_text(found.changed_at),
    }


def _problem(found: selectors.SegmentView) -> dict[str, str] | None:
    if not found.error or found.failed_at is None:
        return None
    return {
        "text": _("It could not be worked out %(when)s: %(why)s")
        % {"when": formats.when_text(found.failed_at), "why": found.error},
        "hint": _("Who is in it stays as it was. Change the rule, or refresh it once the cause is gone."),
    }


@dataclass(frozen=True, slots=True)
class Shared:
    """Another segment and how many people it shares with this one."""

    title: str
    note: str
    url: str


def _overlaps(found: selectors.SegmentView, leave: Warrant) -> list[Shared]:
    """The segments that share most people with this one."""
    others = {one.key: one for one in selectors.segments() if one.key != found.key and one.n_members}
    if not found.n_members or not others:
        return []
    beside = selectors.overlaps(found.key, list(others), leave)
    mine = sorted((o for o in beside if o.n_both), key=lambda o: -o.n_both)
    return [
        Shared(
            others[o.b].title,
            _("%(share)s of these are in it; %(back)s of those in it are here")
            % {"share": formats.share(o.n_both, o.n_a), "back": formats.percent(o.n_both / o.n_b)},
            reverse("segment", args=[o.b]),
        )
        for o in mine[:OVERLAPS_SHOWN]
    ]


def _charts(key: str, history: Sequence[selectors.SizeOn]) -> list[charts.Chart]:
    if len(history) < 2:
        return []
    first, last = history[0], history[-1]
    said = {
        "first": formats.number(first.n_members),
        "day": formats.day_text(first.day),
        "last": formats.number(last.n_members),
    }
    if last.n_members == first.n_members:
        title = _("As many as on %(day)s: %(last)s people") % said
    elif last.n_members > first.n_members:
        title = _("Grew from %(first)s people on %(day)s to %(last)s") % said
    else:
        title = _("Shrank from %(first)s people on %(day)s to %(last)s") % said
    size = charts.over_time(
        "lines",
        title,
        [charts.Point(s.day, float(s.n_members), "n") for s in history],
        charts.series(("n", _("People"))),
        y_title=_("People"),
        right=Right.SEE_SEGMENTS,
    )
    # On its first day everybody entered, which says nothing.
    later = history[1:]
    entered, left = (sum(getattr(s, name) for s in later) for name in ("n_entered", "n_left"))
    flow = charts.over_time(
        "bars",
        _("%(entered)s entered and %(left)s left since %(day)s")
        % {
            "entered": formats.number(entered),
            "left": formats.number(left),
            "day": formats.day_text(later[0].day),
        },
        [
            point
            for s in later
            for point in (
                charts.Point(s.day, float(s.n_entered), "entered", href=moved_url(key, "entered", s.day)),
                charts.Point(s.day, float(s.n_left), "left", href=moved_url(key, "left", s.day)),
            )
        ],
        charts.series(("entered", _("Entered")), ("left", _("Left"))),
        y_title=_("People a day"),
        right=Right.SEE_SEGMENTS,
    )
    return [size, flow]


def moved_url(key: str, way: str, day: dt.date) -> str:
    """The people behind one bar."""
    asked = {"way": way, "first": day.isoformat(), "last": day.isoformat()}
    return f"{reverse('segment_moved', args=[key])}?{urlencode(asked)}"


@needs(Right.SEE_PEOPLE)
def moved(request: HttpRequest, key: str) -> HttpResponseBase:
    """Who entered, or left, in a stretch of days."""
    found = selectors.segment(key)
    way = request.GET.get("way", moving.ENTERED)
    first, last = (days.read(request.GET.get(name, "")) or days.today() for name in ("first", "last"))
    among = moving.moved(key, way, first, last, segmenting.leave(request, found.purpose))
    page = people.people_page("person", cursor=request.GET.get("cursor", ""), among=among)
    lives = people.activity([row.id for row in page.rows])
    given = {"way": way, "first": first.isoformat(), "last": last.isoformat()}
    address = reverse("segment_moved", args=[key])
    said = {"title": found.title, "first": formats.day_text(first), "last": formats.day_text(last)}
    pattern = _("Entered “%(title)s”") if way == moving.ENTERED else _("Left “%(title)s”")
    context = {
        "title": pattern % said,
        "sub": said["first"] if first == last else _("%(first)s to %(last)s") % said,
        "back_url": reverse("segment", args=[key]),
        "back": found.title,
        "rows": [(row, lives.get(row.id)) for row in page.rows],
        "next_url": f"{address}?{urlencode({**given, 'cursor': page.next})}" if page.next else "",
        "previous_url": f"{address}?{urlencode({**given, 'cursor': page.previous})}" if page.previous else "",
    }
    return render(request, "pages/segment/moved.html", context)


def _members(request: HttpRequest, key: str, leave: Warrant) -> dict[str, Any]:
    persons, since = segmentmoves.members(key, leave)
    page = people.people_page(
        "person", cursor=request.GET.get("cursor", ""), limit=MEMBERS_SHOWN, among=persons
    )
    lives = people.activity([row.id for row in page.rows])
    address = reverse("segment", args=[key])

    def at(cursor: str) -> str:
        return f"{address}?{urlencode({'cursor': cursor})}#members" if cursor else ""

    return {
        "members": [(row, since(row.id), lives.get(row.id)) for row in page.rows],
        "next_url": at(page.next),
        "previous_url": at(page.previous),
        "people_url": segmentmoves.people_url(key) if page.rows else "",
    }


urlpatterns = [
    path("segment/<slug:key>/", segment, name="segment"),
    path("segment/<slug:key>/reach/", reach, name="segment_reach"),
    path("segment/<slug:key>/moved/", moved, name="segment_moved"),
    path("segment/<slug:key>/do/", do, name="segment_do"),
]
