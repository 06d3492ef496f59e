"""Listening: how often what you follow is named, by whose share, in which words, and how it is meant."""

from __future__ import annotations

import datetime as dt
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.insights import selectors as insights
from rapport.kit import chances, clock, ids
from rapport.kit.chances import Estimate
from rapport.kit.errors import RapportError
from rapport.listening import selectors as listening
from rapport.listening import services
from rapport.listening.rules import following
from rapport.staff.rules import Right
from rapport.web import charts, days
from rapport.web.access import demand, may, needs
from rapport.web.components import formats, networking
from rapport.web.layout import Action, Entry

entries = [
    Entry(
        "listening",
        gettext_lazy("Listening"),
        "listening",
        "talk",
        12,
        Right.SEE_LISTENING,
        also=("follows", "follow_edit"),
    )
]
actions = [Action("follows", gettext_lazy("Follow words"), Right.SEE_LISTENING)]

KINDS = {
    "brand": gettext_lazy("Brand"),
    "product": gettext_lazy("Product"),
    "competitor": gettext_lazy("Competitor"),
    "problem": gettext_lazy("Problem"),
}
SPANS = {
    7: gettext_lazy("7 days"),
    30: gettext_lazy("30 days"),
    90: gettext_lazy("90 days"),
    365: gettext_lazy("a year"),
}
SPAN = 30
BY_WEEK_FROM = 120  # days; beyond, a point is a week
SURE_FROM = 20  # texts; a share of fewer is not worth a bar
GAPS_MOST = 12
WHOLE = 0.99  # of a day missed: none of it was seen
VOICES = ("brand", "competitor")


@dataclass(frozen=True, slots=True)
class Voice:
    """One brand's or competitor's part of what is said of all of them."""

    title: str
    kind: str
    n: int
    share: Estimate
    url: str


@dataclass(frozen=True, slots=True)
class Meant:
    """How texts of one thing are meant."""

    title: str
    found: insights.FollowedSentiment
    url_negative: str
    url_positive: str


@needs(Right.SEE_LISTENING)
def listening_page(request: HttpRequest) -> HttpResponseBase:
    asked = request.GET.get("days", "")
    span = int(asked) if asked.isdecimal() and len(asked) < 4 and int(asked) in SPANS else SPAN
    last = days.today()
    first = last - dt.timedelta(days=span - 1)
    since, until = days.begins(first), days.ends(last)
    followed = {row.key: row for row in listening.follows()}
    found = listening.mentions_by_day(since, until)
    counts: dict[str, int] = defaultdict(int)
    for one in found:
        counts[one.key] += one.n
    sees_texts = may(request, Right.SEE_INSIGHTS)
    gaps = [gap for gap in listening.gaps("", since, until) if not gap.is_made_good]
    ours = [key for key, row in followed.items() if row.kind != "competitor"]
    context = {
        "tab": "overview",
        "followed": followed,
        "n": sum(counts.values()),
        "n_sources": len(listening.sources()),
        "span": span,
        "spans": list(SPANS.items()),
        "over_time": _over_time(found, followed, gaps, first, last, sees_texts) if found else None,
        "voices": _voices(counts, followed, first, last, sees_texts),
        "voice_chart": _voice_chart(counts, followed, first, last, sees_texts),
        "meant": _meant(since, until, followed, first, last, sees_texts),
        "words": insights.rising_words(since, until, ours) if found and ours else [],
        "gaps": [(gap, networking.reason(gap.reason)) for gap in reversed(gaps)][:GAPS_MOST],
        "sees_sources": may(request, Right.SEE_SOURCES),
        "can_change": may(request, Right.CHANGE_SOURCES),
    }
    return render(request, "pages/listening/page.html", context)


def _over_time(
    found: list[listening.MentionDay],
    followed: dict[str, listening.FollowRow],
    gaps: list[listening.GapRow],
    first: dt.date,
    last: dt.date,
    sees_texts: bool,
) -> charts.Chart:
    """Mentions by kind of what is followed; a day without any is none, and a gap is drawn as one."""
    is_weekly = (last - first).days >= BY_WEEK_FROM
    counts: dict[tuple[str, dt.date], int] = defaultdict(int)
    for one in found:
        if one.key in followed:
            counts[followed[one.key].kind, _step(one.day, is_weekly)] += one.n
    kinds = [kind for kind in KINDS if any(k == kind for k, _day in counts)]
    steps = sorted({_step(first + dt.timedelta(days=i), is_weekly) for i in range((last - first).days + 1)})
    reach = dt.timedelta(days=6 if is_weekly else 0)
    unseen = _unseen(steps, reach, {day for _kind, day in counts}, gaps)
    points = []
    for kind in kinds:
        key = _only_key(followed, kind)
        for day in steps:
            n = None if day in unseen else counts.get((kind, day), 0)
            points.append(
                charts.Point(day, n, kind, href=_texts(key, day, day + reach) if n and sees_texts else "")
            )
    begin = timezone.localtime(days.begins(first))
    # A drawing that would move with every second would be drawn anew for everybody who looks.
    now = timezone.localtime(clock.now()).replace(minute=0, second=0, microsecond=0)
    drawn = [
        charts.Gap(
            max(timezone.localtime(gap.since), begin),
            timezone.localtime(gap.until) if gap.until else max(now, timezone.localtime(gap.since)),
            f"{gap.source}: {networking.reason(gap.reason)}",
        )
        for gap in gaps
    ]
    steps = [day for day in steps if day not in unseen]
    return charts.over_time(
        "lines",
        _finding(counts, kinds, steps),
        points,
        charts.series(*((kind, str(KINDS[kind])) for kind in kinds)),
        y_title=_("Mentions"),
        x_title=_("Week") if is_weekly else _("Day"),
        right=Right.SEE_LISTENING,
        gaps=drawn,
        note=_("Texts that name what you follow. What a source could not see is drawn as a gap."),
        full_width=True,
    )


def _unseen(
    steps: list[dt.date], reach: dt.timedelta, named: set[dt.date], gaps: list[listening.GapRow]
) -> set[dt.date]:
    """Steps of which no source saw anything, and no import tells either: nothing there is not the same as none."""
    now = clock.now()
    rows = listening.sources()
    if not rows:
        return set()

    def sees(row: listening.SourceRow, since: dt.datetime, until: dt.datetime) -> bool:
        if row.began_at is None or row.began_at - dt.timedelta(days=row.days_back) >= until:
            return False
        missed, upto = dt.timedelta(), since
        for gap in gaps:  # oldest first
            if gap.source == row.name:
                ends = min(gap.until or until, until)
                missed += max(ends - max(gap.since, upto), dt.timedelta())
                upto = max(upto, ends)
        return missed < (until - since) * WHOLE

    blank = {
        day
        for day in steps
        if not any(sees(row, days.begins(day), min(days.ends(day + reach), now)) for row in rows)
    }
    told = sorted(blank & named)
    return blank if not told else {day for day in blank if not told[0] <= day <= told[-1]}


def _finding(counts: dict[tuple[str, dt.date], int], kinds: list[str], steps: list[dt.date]) -> str:
    """What moved: the later half against the earlier one, of what is ours, by the difference of two counts."""
    mine = [kind for kind in kinds if kind != "competitor"] or kinds
    half = len(steps) // 2
    before = sum(counts.get((kind, day), 0) for kind in mine for day in steps[:half])
    after = sum(counts.get((kind, day), 0) for kind in mine for day in steps[len(steps) - half :])
    said = {"before": formats.number(before), "after": formats.number(after)}
    if abs(after - before) <= 1.96 * max(after + before, 1) ** 0.5:
        return (
            _("Mentions did not move beyond chance: %(before)s in the earlier half, %(after)s in the later")
            % said
        )
    if after > before:
        return _("Mentions rose from %(before)s to %(after)s in the later half") % said
    return _("Mentions fell from %(before)s to %(after)s in the later half") % said


def _step(day: dt.date, is_weekly: bool) -> dt.date:
    return day - dt.timedelta(days=day.weekday()) if is_weekly else day


def _only_key(followed: dict[str, listening.FollowRow], kind: str) -> str:
    """The key behind a line that stands for one; a line of several leads nowhere."""
    keys = [key for key, row in followed.items() if row.kind == kind]
    return keys[0] if len(keys) == 1 else ""


def _voices(
    counts: dict[str, int],
    followed: dict[str, listening.FollowRow],
    first: dt.date,
    last: dt.date,
    sees_texts: bool,
) -> list[Voice]:
    named = [(key, row) for key, row in followed.items() if row.kind in VOICES]
    whole = sum(counts.get(key, 0) for key, _row in named)
    if not whole or len(named) < 2:
        return []
    found = [
        Voice(
            row.title,
            str(KINDS[row.kind]),
            counts.get(key, 0),
            chances.share(counts.get(key, 0), whole),
            _texts(key, first, last) if sees_texts else "",
        )
        for key, row in named
    ]
    return sorted(found, key=lambda voice: -voice.n)


def _voice_chart(
    counts: dict[str, int],
    followed: dict[str, listening.FollowRow],
    first: dt.date,
    last: dt.date,
    sees_texts: bool,
) -> charts.Chart | None:
    voices = _voices(counts, followed, first, last, sees_texts)
    whole = sum(voice.n for voice in voices)
    if whole < SURE_FROM:
        return None
    top = voices[0]
    title = _("%(name)s has the largest share of voice: %(share)s") % {
        "name": top.title,
        "share": formats.percent(top.share.value),
    }
    return charts.ranked(
        title,
        [(voice.title, voice.share.value, voice.url) for voice in voices],
        label_title=_("Name"),
        value_title=_("Share of voice"),
        right=Right.SEE_LISTENING,
        said=formats.percent,
        note=_("Of %(n)s mentions of brands and competitors.") % {"n": formats.number(whole)},
    )


def _meant(
    since: dt.datetime,
    until: dt.datetime,
    followed: dict[str, listening.FollowRow],
    first: dt.date,
    last: dt.date,
    sees_texts: bool,
) -> list[Meant]:
    found = [
        Meant(
            followed[one.key].title,
            one,
            _texts(one.key, first, last, "negative") if sees_texts else "",
            _texts(one.key, first, last, "positive") if sees_texts else "",
        )
        for one in insights.followed_sentiment(since, until)
        if one.key in followed
    ]
    return sorted(found, key=lambda meant: -meant.found.n)


def _texts(key: str, first: dt.date, last: dt.date, label: str = "") -> str:
    if not key:
        return ""
    asked = {"follow": key, "from": first.isoformat(), "to": last.isoformat()}
    if label:
        asked |= {"name": "sentiment", "label": label}
    return f"{reverse('texts')}?{urlencode(asked)}"


class FollowForm(forms.Form):
    """What to follow."""

    title = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    kind = forms.ChoiceField(label=gettext_lazy("What it is"), choices=list(KINDS.items()))
    with_words = forms.CharField(
        label=gettext_lazy("Any of these words"),
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=gettext_lazy(
            "Words or phrases, a line each or separated by commas. Capitals do not matter. "
            "A star stands for any end: brak* also finds brakes and braking."
        ),
    )
    without_words = forms.CharField(
        label=gettext_lazy("None of these"),
        widget=forms.Textarea(attrs={"rows": 2}),
        required=False,
        help_text=gettext_lazy("A text with one of these is left out, such as a namesake."),
    )
    languages = forms.CharField(
        label=gettext_lazy("Languages"),
        required=False,
        help_text=gettext_lazy("Two letters each, such as en, de. Empty: every one."),
    )
    places = forms.CharField(
        label=gettext_lazy("Places"),
        required=False,
        help_text=gettext_lazy("How a place begins, such as bluesky or reddit:r/cars. Empty: everywhere."),
    )


@needs(Right.SEE_LISTENING)
def follows(request: HttpRequest) -> HttpResponseBase:
    return _follows(request, "")


@needs(Right.SEE_LISTENING)
def follow_edit(request: HttpRequest, key: str) -> HttpResponseBase:
    return _follows(request, key)


def _follows(request: HttpRequest, key: str) -> HttpResponseBase:
    row = listening.follow_row(key) if key else None
    preview = None
    form = FollowForm(request.POST or None, initial=_initial(row) if row else {"kind": "brand"})
    if request.method == "POST":
        demand(request, Right.CHANGE_SOURCES)
        assert request.user.is_authenticated
        by = request.user.email
        if row is not None and request.POST.get("do") == "stop":
            services.unfollow(key, by=by)
            messages.success(request, _("It is followed no more."))
            return redirect("follows")
        is_saved = request.POST.get("do") == "save"
        if row and is_saved and (said := networking.meanwhile(request.POST, row.changed_at, row.changed_by)):
            form.add_error(None, said)
        if form.is_valid():
            try:
                rule = _rule(form, key)
                if is_saved:
                    services.follow(
                        rule.key, rule.kind, rule.with_words, rule.without_words, rule.languages, rule.places,
                        title=rule.title, by=by,
                    )  # fmt: skip
                    messages.success(request, _("It is followed from now on."))
                    return redirect("follows")
                preview = services.preview(rule)
            except RapportError as error:
                form.add_error(None, str(error))
    context: dict[str, Any] = {
        "tab": "follows",
        "rows": [(one, KINDS.get(one.kind, one.kind)) for one in listening.follows()],
        "row": row,
        "form": form,
        "preview": preview,
        "can_change": may(request, Right.CHANGE_SOURCES),
    }
    return render(request, "pages/listening/follows.html", context)


def _initial(row: listening.FollowRow) -> dict[str, str]:
    return {
        "title": row.title,
        "kind": row.kind,
        "with_words": "\n".join(row.with_words),
        "without_words": "\n".join(row.without_words),
        "languages": ", ".join(row.languages),
        "places": ", ".join(row.places),
    }


def _rule(form: FollowForm, key: str) -> following.Rule:
    """What the form asks for; a new one gets its key from its name."""
    given = form.cleaned_data
    if not key:
        taken = {row.key for row in listening.follows(is_on=None)}
        # A name in letters that no address knows gets a key of its own.
        key = wanted = slugify(given["title"])[:50] or f"f-{ids.token(6).lower()}".replace("_", "-")
        n = 2
        while key in taken:
            key, n = f"{wanted}-{n}", n + 1
    return following.checked(
        following.Rule(
            key,
            given["title"],
            given["kind"],
            tuple(networking.lines_of(given["with_words"])),
            tuple(networking.lines_of(given["without_words"])),
            tuple(re.split(r"[\s,;]+", given["languages"])),
            tuple(networking.lines_of(given["places"])),
        )
    )


urlpatterns = [
    path("listening/", listening_page, name="listening"),
    path("listening/follows/", follows, name="follows"),
    path("listening/follows/<slug:key>/", follow_edit, name="follow_edit"),
]
