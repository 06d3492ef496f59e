"""Personas: the kinds of people there are, how surely they come back, and one card for each."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from rapport.insights import selectors as insights
from rapport.kit.errors import NotFound, RapportError
from rapport.personas import rules, selectors, services
from rapport.segments import selectors as segments
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.access import may, needs
from rapport.web.components import formats, personawords, words
from rapport.web.errors import sentence
from rapport.web.layout import Entry

entries = [
    Entry(
        "personas",
        gettext_lazy("Personas"),
        "personas",
        "know",
        32,
        Right.SEE_PERSONAS,
        also=("persona", "persona_people", "persona_write"),
    )
]

PAGE = 50
LIFTS_SHOWN = 8
FACETS_SHOWN = 3


@needs(Right.SEE_PERSONAS)
def personas(request: HttpRequest) -> HttpResponseBase:
    found = selectors.finding()
    cards = selectors.cards()
    context = {
        "finding": found,
        "cards": [
            (
                card,
                personawords.name_of(card),
                personawords.sentence(card),
                _drift(card),
                _surely(card.profile.jaccard),
            )
            for card in cards
        ],
        "n": sum(card.n for card in cards),
        "why": _why(found) if found else "",
        "chart": _stability(found) if found and found.tried else None,
        "run": next(iter(insights.runs(selectors.MODEL, limit=1)), None),
    }
    return render(request, "pages/personas/page.html", context)


def _why(found: selectors.FindingView) -> str:
    """Why this number of personas, or why none."""
    if not found.tried:
        return ngettext(
            "%(n)s person is known well enough to be read. Personas are looked for among 60 or more.",
            "%(n)s people are known well enough to be read. Personas are looked for among 60 or more.",
            found.n_learnt,
        ) % {"n": formats.number(found.n_learnt)}
    if found.chosen is None:
        return _(
            "No number of personas comes back when people are drawn anew. These people differ, but not in kinds: "
            "describe them with segments instead."
        )
    said = {"n": formats.number(found.n_personas), "least": formats.number(found.chosen.least, 2)}
    more = next((t for t in found.tried if t.k == found.n_personas + 1), None)
    if more is None:
        return (
            _(
                "%(n)s is the largest number that was tried; each of them comes back when people are drawn anew."
            )
            % said
        )
    if not more.is_better:
        return (
            _(
                "%(n)s is the number of which each comes back when people are drawn anew; one more would not foretell "
                "people who were left out any better."
            )
            % said
        )
    return _(
        "%(n)s is the largest number of which each comes back when people are drawn anew: the least sure overlaps by "
        "%(least)s of 1. With one more, the least sure overlaps by %(worst)s."
    ) % (said | {"worst": formats.number(more.least, 2)})


def _stability(found: selectors.FindingView) -> charts.Chart:
    if found.chosen:
        title = _("%(n)s personas come back when people are drawn anew") % {
            "n": formats.number(found.n_personas)
        }
    else:
        title = _("No number of personas comes back when people are drawn anew")
    rows = []
    for t in found.tried:
        text = _("%(n)s personas, chosen") if t.k == found.n_personas else _("%(n)s personas")
        rows.append((text % {"n": t.k}, t.least, ""))
    spans = "; ".join(
        _("%(n)s: %(low)s to %(high)s")
        % {"n": t.k, "low": formats.number(t.rand_low, 2), "high": formats.number(t.rand_high, 2)}
        for t in found.tried
    )
    note = _(
        "How much of its people the least sure persona shares with the most similar one of each refit (Jaccard, 0 to "
        "1): from 0.6 on it is kept, from 0.75 on it is stable. Agreement of the whole with refits (adjusted Rand "
        "index): %(spans)s."
    ) % {"spans": spans}
    return charts.ranked(
        title,
        rows,
        label_title=_("Personas"),
        value_title=_("Overlap of the least sure (Jaccard)"),
        right=Right.SEE_PERSONAS,
        said=lambda value: formats.number(value, 2),
        note=note,
        is_scale=True,
        whole=1.0,
        full_width=True,
    )


def _surely(jaccard: float | None) -> str:
    if jaccard is None:
        return ""
    said = {"n": formats.number(jaccard, 2)}
    if jaccard >= rules.STABLE:
        return _("comes back surely (%(n)s of 1)") % said
    return _("comes back, some members are doubtful (%(n)s of 1)") % said


def _drift(card: selectors.CardView) -> str:
    if card.is_new:
        return _("new")
    if card.moved is None or not card.moved.is_notable:
        return ""
    said = {"before": formats.percent(card.moved.before), "now": formats.percent(card.moved.now)}
    grew = card.moved.now > card.moved.before
    return (_("grew from %(before)s to %(now)s") if grew else _("shrank from %(before)s to %(now)s")) % said


@needs(Right.SEE_PERSONAS)
def persona(request: HttpRequest, key: str) -> HttpResponseBase:
    return render(request, "pages/personas/one.html", _context(request, selectors.card(key)))


def _context(
    request: HttpRequest, card: selectors.CardView, wrong: str = "", given: dict[str, str] | None = None
) -> dict[str, Any]:
    profile = card.profile
    figures = [(one.name, personawords.figure(one)) for one in profile.means]
    return {
        "card": card,
        "name": personawords.name_of(card),
        "suggested": personawords.suggested(profile),
        "drift": _drift(card),
        "profile_moved": formats.percent(card.moved.profile) if card.moved else "",
        "surely": _surely(profile.jaccard),
        "chart": _lifts(card),
        "needed": [(personawords.label("next", one.name), one) for one in profile.needs],
        "facets": _facets(profile),
        "figures": [said for _name, said in figures],
        "value": next((said for name, said in figures if name == "clv_minor"), None),
        "words": profile.words,
        "quotes": [(q, words.event_label(q.event)) for q in selectors.quotes(card)],
        "segment": _segment(card.key) if may(request, Right.SEE_SEGMENTS) else None,
        "can_segment": may(request, Right.CHANGE_SEGMENTS),
        "can_change": may(request, Right.CHANGE_PERSONAS),
        "can_see_people": may(request, Right.SEE_PEOPLE),
        "wrong": wrong,
        "given": given or {"name": card.name, "note": card.note},
    }


def _segment(key: str) -> segments.SegmentView | None:
    try:
        return segments.segment(selectors.segment_key(key))
    except NotFound:
        return None


def _lifts(card: selectors.CardView) -> charts.Chart | None:
    """What sets it apart most, as times as often as everybody."""
    rows = sorted(card.profile.best(n=LIFTS_SHOWN), key=lambda one: -one.lift)
    if not rows:
        return None
    labels = [personawords.label(one.facet, one.name) for one in rows]
    title = _("%(what)s: %(lift)s times as often as everybody") % {
        "what": labels[0][:1].upper() + labels[0][1:],
        "lift": formats.number(rows[0].lift, 1),
    }
    intervals = "; ".join(
        f"{label} {formats.interval(one.low, one.high, one.lift, '', 1)} ({formats.people(one.n)})"
        for label, one in zip(labels, rows, strict=True)
    )
    return charts.ranked(
        title,
        [(label, one.lift, "") for label, one in zip(labels, rows, strict=True)],
        label_title=_("What they show"),
        value_title=_("Times as often as everybody"),
        right=Right.SEE_PERSONAS,
        said=lambda value: f"{formats.number(value, 1)}×",
        note=_(
            "1 is as often as everybody with a persona; only what is beyond chance is shown. %(intervals)s."
        )
        % {"intervals": intervals},
        full_width=True,
    )


def _facets(profile: rules.Profile) -> list[tuple[Any, list[tuple[str, rules.Lift]]]]:
    """By facet, what most of them show."""
    found = []
    for facet, title in personawords.FACETS.items():
        mine = sorted(
            (one for one in profile.lifts if one.facet == facet), key=lambda one: (-one.n, one.name)
        )
        if mine:
            found.append((title, [(personawords.short(facet, one.name), one) for one in mine[:FACETS_SHOWN]]))
    return found


@needs(Right.SEE_PERSONAS)
def people(request: HttpRequest, key: str) -> HttpResponseBase:
    """Everybody in a persona, those who fit best first."""
    card = selectors.card(key)
    page = request.GET.get("page", "")
    first = int(page) * PAGE if page.isdecimal() and len(page) < 7 else 0
    found = selectors.members(key, first, PAGE)
    context = {
        "card": card,
        "title": personawords.name_of(card),
        "members": found,
        "next_url": f"?page={first // PAGE + 1}" if first + PAGE < found.n else "",
        "previous_url": f"?page={first // PAGE - 1}" if first else "",
        "can_see_people": may(request, Right.SEE_PEOPLE),
    }
    return render(request, "pages/personas/people.html", context)


@needs(Right.CHANGE_PERSONAS)
@require_POST
def write(request: HttpRequest, key: str) -> HttpResponseBase:
    """Give it a name and a note."""
    assert request.user.is_authenticated
    given = {"name": request.POST.get("name", ""), "note": request.POST.get("note", "")}
    try:
        services.write(key, name=given["name"], note=given["note"], by=request.user.email)
    except NotFound:
        raise
    except RapportError as error:
        context = _context(
            request, selectors.card(key), wrong=f"{sentence(error.message)} {error.hint}", given=given
        )
        return render(request, "pages/personas/one.html", context, status=400)
    messages.success(request, _("Saved. It keeps this when personas are found anew."))
    return redirect("persona", key=key)


@needs(Right.CHANGE_SEGMENTS)
@require_POST
def make_segment(request: HttpRequest, key: str) -> HttpResponseBase:
    """A segment of its people, or the one there is."""
    assert request.user.is_authenticated
    card = selectors.card(key)
    title = _("Persona: %(name)s") % {"name": personawords.name_of(card)}
    made = services.as_segment(key, title=title[: rules.NAME_CHARS_MAX], by=request.user.email)
    return redirect("segment", key=made)


urlpatterns = [
    path("personas/", personas, name="personas"),
    path("personas/<str:key>/", persona, name="persona"),
    path("personas/<str:key>/people/", people, name="persona_people"),
    path("personas/<str:key>/write/", write, name="persona_write"),
    path("personas/<str:key>/segment/", make_segment, name="persona_segment"),
]
