"""Segments: every rule over people with its size, how it moved, and ready ones to begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy

from rapport.segments import selectors
from rapport.staff.rules import Right
from rapport.web.access import may, needs
from rapport.web.components import segmenting, segmentmoves, segmentstarters
from rapport.web.components.segmentcontrols import Offer
from rapport.web.layout import Entry

entries = [
    Entry(
        "segments",
        gettext_lazy("Segments"),
        "segments",
        "know",
        25,
        Right.SEE_SEGMENTS,
        also=("segment", "segment_new", "segment_edit"),
    )
]


@dataclass(frozen=True, slots=True)
class Beginning:
    """A ready segment as the page offers it."""

    title: Any
    meaning: Any
    url: str


@needs(Right.SEE_SEGMENTS)
def listing(request: HttpRequest) -> HttpResponseBase:
    can_change = may(request, Right.CHANGE_SEGMENTS)
    offer = segmenting.offer()
    context = {
        "lines": segmentmoves.lines(selectors.segments(), offer, sees_people=may(request, Right.SEE_PEOPLE)),
        "can_change": can_change,
        "starters": _starters(offer) if can_change else [],
    }
    return render(request, "pages/segments/page.html", context)


def _starters(offer: Offer) -> list[Beginning]:
    fitting = segmentstarters.fitting(offer)
    address = reverse("segment_new")
    return [
        Beginning(one.title, one.meaning, f"{address}?{urlencode({'start': key})}")
        for key, one in fitting.items()
    ]


urlpatterns = [path("segments/", listing, name="segments")]
