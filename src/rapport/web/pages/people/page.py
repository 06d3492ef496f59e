"""People: found by name, mail, number or handle; filtered; read by keyset, however many there are."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.people import selectors as people
from rapport.people.rules import profile
from rapport.people.rules.graph import Subjects
from rapport.segments import selectors
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import formats, scoring, segmenting, segmentmoves, words
from rapport.web.layout import Entry

entries = [
    Entry(
        "people", gettext_lazy("People"), "people", "know", 20, Right.SEE_PEOPLE, also=("person", "proposals")
    )
]

FILTERS = ("q", "country", "language", "segment", "order")


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    is_here: bool


@dataclass(frozen=True, slots=True)
class Figures:
    """A range of a model's figure that the list is narrowed to."""

    sentence: str
    n: int
    kept: dict[str, str]  # what the form carries on


@needs(Right.SEE_PEOPLE)
def listing(request: HttpRequest) -> HttpResponseBase:
    asked = {key: request.GET.get(key, "").strip() for key in FILTERS}
    kind = request.GET.get("kind") or "person"
    if not may(request, Right.SEE_SEGMENTS):
        asked["segment"] = ""
    chosen = selectors.segment(asked["segment"]) if asked["segment"] else None
    figures = scoring.asked_for(request.GET)
    page = people.people_page(
        kind,
        text=asked["q"],
        country=asked["country"],
        language=asked["language"],
        order="name" if asked["order"] == "name" else "newest",
        cursor=request.GET.get("cursor", ""),
        among=_among(request, chosen, figures),
    )
    lives = people.activity([row.id for row in page.rows])
    context: dict[str, Any] = {
        "asked": asked,
        "kind": kind,
        "rows": [(row, lives.get(row.id)) for row in page.rows],
        "is_capped": page.is_capped,
        "is_filtered": bool(figures) or any(asked[key] for key in ("q", "country", "language", "segment")),
        "next_url": _address(kind, asked | scoring.kept(figures), page.next),
        "previous_url": _address(kind, asked | scoring.kept(figures), page.previous),
    }
    if getattr(request, "htmx", False) and not request.htmx.boosted:  # type: ignore[attr-defined]
        return render(request, "pages/people/list.html", context)
    overview = people.overview()
    counts = {"person": overview.persons, "author": overview.authors, "visitor": overview.visitors}
    context |= {
        "tabs": [
            Tab(
                f"{words.KINDS[k]} {formats.short_number(counts[k])}",
                f"{reverse('people')}?{urlencode({'kind': k})}",
                k == kind,
            )
            for k in profile.KINDS
        ],
        "segments": selectors.titles() if kind == "person" and may(request, Right.SEE_SEGMENTS) else {},
        "chosen": chosen,
        "figures": _figures(figures) if figures else None,
        "countries": people.facets("country", kind),
        "languages": people.facets("language", kind),
        "n_proposals": people.n_proposals(),
        "n_everybody": sum(counts.values()),
        "sub": _sub(overview),
        "export_url": _export_url(asked) if kind == "person" and may(request, Right.EXPORT_PEOPLE) else "",
    }
    return render(request, "pages/people/page.html", context)


def _among(
    request: HttpRequest, chosen: selectors.SegmentView | None, figures: people.Within | None
) -> Subjects | None:
    """Those whom a segment and a range of a figure leave; None where neither was asked for."""
    found = [segmentmoves.members(chosen.key, segmenting.leave(request, chosen.purpose))[0]] if chosen else []
    if figures:
        found.append(people.persons_within(figures))
    return functools.reduce(np.intersect1d, found) if found else None


def _figures(figures: people.Within) -> Figures:
    return Figures(
        scoring.sentence(figures, people.unit_of(figures.name)),
        people.n_within(figures),
        scoring.kept(figures),
    )


def _sub(overview: people.Overview) -> str:
    return _("%(new)s new in the last seven days.") % {"new": formats.people(overview.new_persons)}


def _export_url(asked: dict[str, str]) -> str:
    """Where to say what a list of these people is for."""
    kept = {key: asked[key] for key in ("q", "country", "language", "segment") if asked[key]}
    return f"{reverse('export_new')}?{urlencode(kept)}" if kept else reverse("export_new")


def _address(kind: str, asked: dict[str, str], cursor: str) -> str:
    if not cursor:
        return ""
    kept = {key: value for key, value in asked.items() if value}
    return f"{reverse('people')}?{urlencode({'kind': kind, **kept, 'cursor': cursor})}"


urlpatterns = [path("people/", listing, name="people")]
