"""One person: who they are and why we think so, what is known of them, and everything that happened."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from rapport.aio import selectors as aio
from rapport.insights import selectors as insights
from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.people import services
from rapport.personas import selectors as personas
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import (
    formats,
    ledger,
    lines,
    personawords,
    segmentmoves,
    standing,
    stating,
    words,
)
from rapport.web.components.telling import ToldForm

ACCEPTED = "accepted"
HEADLINES_MAX = 6
# Of all figures those that one asks for first; the others are one click away.
HEADLINES = (
    "alive",
    "clv_minor",
    "churn_risk",
    "next_category",
    "recommendation_1",
    "service_tier",
    "rfm",
    "dissatisfaction",
)


@dataclass(frozen=True, slots=True)
class Filter:
    label: Any
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Why:
    """One assertion that two identifiers are one person, in the reader's words."""

    edge: people.EdgeView
    because: str
    sure: str


@dataclass(frozen=True, slots=True)
class Path:
    """How one identifier hangs together with the one to begin with, step by step."""

    identifier: str
    steps: list[tuple[str, str, str]]  # the identifier a step leads on to, because of what, how surely


@dataclass(frozen=True, slots=True)
class Known:
    """One attribute: what is believed, who said so, and what others said."""

    label: str
    value: str
    origin: Any
    said: people.TraitView
    others: list[tuple[str, Any, people.TraitView]]


@dataclass(frozen=True, slots=True)
class Figure:
    """A model's figure with its interval and the reason in one line."""

    label: str
    value: str
    note: str
    score: people.ScoreView


@dataclass(frozen=True, slots=True)
class OfModel:
    """What one model wrote of a person."""

    title: str
    url: str  # empty for who may not see models
    figures: list[Figure]


@needs(Right.SEE_PEOPLE)
def person(request: HttpRequest, ref: str) -> HttpResponseBase:
    who = people.person(ref)
    if str(who.id) != ref:  # merged since, or asked for by an identifier
        query = f"?{request.GET.urlencode()}" if request.GET else ""
        return redirect(reverse("person", args=[who.id]) + query)
    kind = request.GET.get("kind", "")
    found = people.timeline(who.id, before=request.GET.get("before", ""), kinds=[kind] if kind else [])
    context = {
        "who": who,
        "kind": kind,
        "events": _shown(found.events, opens=may(request, Right.SEE_INSIGHTS)),
        "more_url": _address(who.id, kind=kind, before=found.next) if found.next else "",
    }
    if getattr(request, "htmx", False) and request.GET.get("before"):
        return render(request, "pages/person/events.html", context)
    return render(request, "pages/person/page.html", context | _about(request, who, kind))


def _about(request: HttpRequest, who: people.PersonView, kind: str) -> dict[str, Any]:
    life = people.activity([who.id]).get(who.id)
    whys = [Why(e, words.evidence(e.evidence), _sure(e)) for e in who.edges]
    persona = _persona(who.scores) if may(request, Right.SEE_PERSONAS) else None
    return {
        "title": who.display_name,
        "kind_label": words.KIND.get(who.kind, who.kind),
        "life": life,
        "standing": standing.headline(who.scores),
        "filters": [
            Filter(_("All"), _address(who.id), not kind),
            *(Filter(label, _address(who.id, kind=k), k == kind) for k, label in words.TIMELINE.items()),
        ],
        "whys": [w for w in whys if w.edge.state == ACCEPTED],
        "paths": (paths := _paths(who)),
        "is_deep": any(len(p.steps) > 1 for p in paths),
        "begins": people.begins_with(who),
        "shared": people.shared_devices(who.id),
        "settled": [w for w in whys if w.edge.state != ACCEPTED],
        "known": [_known(t) for t in who.traits],
        **_figures(who.scores, persona, may(request, Right.SEE_INSIGHTS)),
        "persona": persona,
        "statements": stating.groups(aio.of_person(who.id)) if who.kind == "person" else None,
        "segments": segmentmoves.memberships(who.id) if may(request, Right.SEE_SEGMENTS) else None,
        "can_change": may(request, Right.CHANGE_PEOPLE),
        "can_ask": may(request, Right.CHANGE_PRIVACY),
        "parts": ledger.parts(who.id),
        "consent_form": ToldForm(who, may(request, Right.CHANGE_PEOPLE)),
        "can_lift": may(request, Right.CHANGE_PRIVACY),
        "sees_ledger": may(request, Right.SEE_PRIVACY),
    }


def _persona(scores: Sequence[people.ScoreView]) -> tuple[str, str, people.ScoreView] | None:
    """The persona that fits best: its name, its page, and the score."""
    mine = next((score for score in scores if score.name == personas.MODEL), None)
    if mine is None:
        return None
    return personawords.name_of_key(mine.label), reverse("persona", args=[mine.label]), mine


def _paths(who: people.PersonView) -> list[Path]:
    return [
        Path(r.identifier, [(to, words.evidence(e.evidence), _sure(e)) for to, e in r.steps])
        for r in people.reasons(who)
    ]


def _address(person_id: int, **query: str) -> str:
    kept = {key: value for key, value in query.items() if value}
    address = reverse("person", args=[person_id])
    return f"{address}?{urlencode(kept)}" if kept else address


def _sure(edge: people.EdgeView) -> str:
    if edge.certainty == "certain":
        return _("certain")
    return _("probable, %(percent)s") % {"percent": formats.percent(edge.confidence)}


def _known(trait: people.TraitsOf) -> Known:
    others = [(_value(o.value), words.ORIGIN.get(o.origin, o.origin), o) for o in trait.others]
    chosen = trait.chosen
    return Known(
        words.trait(trait.name),
        _value(chosen.value),
        words.ORIGIN.get(chosen.origin, chosen.origin),
        chosen,
        [other for other in others if other[0] != _value(chosen.value)],
    )


def _value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(part, str | int | float) for part in value):
        return ", ".join(map(str, value))
    return json.dumps(value, ensure_ascii=False)


def _figures(
    scores: Sequence[people.ScoreView], persona: tuple[str, str, people.ScoreView] | None, sees_models: bool
) -> dict[str, Any]:
    """The figures that say most, then all of them under the model that wrote them; a persona goes by its name."""
    by_name = {score.name: score for score in scores}
    first = [by_name[name] for name in HEADLINES if name in by_name] or list(scores[:HEADLINES_MAX])
    titles = {card.name: card.title for card in insights.titles_of({score.model for score in scores})}
    called = persona[0] if persona else ""
    by_model: dict[str, list[Figure]] = {}
    for score in scores:
        by_model.setdefault(score.model, []).append(_figure(score, called))
    return {
        "figures": [_figure(score, called) for score in first[:HEADLINES_MAX]],
        "models": [
            OfModel(titles.get(name, name), reverse("insight", args=[name]) if sees_models else "", found)
            for name, found in sorted(by_model.items(), key=lambda item: titles.get(item[0], item[0]))
        ],
        "n_figures": len(scores),
    }


def _figure(score: people.ScoreView, persona: str) -> Figure:
    if persona and score.name == personas.MODEL:
        score = replace(score, label=persona)
    return Figure(words.score(score.name), words.score_value(score), words.score_note(score), score)


def _shown(events: Iterable[people.TimelineEvent], *, opens: bool) -> list[lines.Shown]:
    return lines.in_rows(
        [
            lines.shown(
                e,
                at=e.at,
                subject=e.subject,
                money=e.value,
                properties=e.properties,
                annotations=e.annotations,
                opens=opens,
            )
            for e in events
        ]
    )


@needs(Right.CHANGE_PEOPLE)
@require_POST
def unmerge(request: HttpRequest, edge_id: int) -> HttpResponseBase:
    """Take an assertion back; the toast offers to assert it again."""
    assert request.user.is_authenticated
    back = people.person(request.POST.get("person", ""))
    edge = next((e for e in back.edges if e.id == edge_id), None)
    if edge is None:
        raise Invalid(_("this assertion is not about this person"), _("Load the page again."))
    done = services.unmerge(edge_id, request.user.email)
    undo = reverse("merge") + "?" + urlencode({"a": edge.a, "b": edge.b, "evidence": edge.evidence})
    if len(done.persons) > 1:
        messages.success(request, _("Separated. Each has what came with it."), extra_tags=undo)
    else:
        messages.warning(
            request,
            _("Taken back, but other evidence still holds them together."),
            extra_tags=undo,
        )
    return redirect("person", ref=str(people.person_id(back.id)))


@needs(Right.CHANGE_PEOPLE)
@require_POST
def merge(request: HttpRequest) -> HttpResponseBase:
    """Hold two identifiers for one person: by hand, or to undo a separation."""
    assert request.user.is_authenticated
    given = request.GET if "a" in request.GET else request.POST
    a, b = (people.subject_of(given.get(key, "")) for key in ("a", "b"))
    done = services.merge(a, b, given.get("evidence", "") or "staff", request.user.email)
    messages.success(request, _("They are one person now."))
    return redirect("person", ref=str(done.persons[0]))


urlpatterns = [
    path("person/merge/", merge, name="merge"),
    path("person/unmerge/<int:edge_id>/", unmerge, name="unmerge"),
    path("person/<path:ref>/", person, name="person"),
]
