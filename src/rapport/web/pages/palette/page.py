"""Ctrl-K: pages, actions and people by a few letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path, reverse

from rapport.people import selectors as people
from rapport.staff.rules import Right
from rapport.web import layout
from rapport.web.access import for_all_staff, may

PEOPLE_MAX = 8
LETTERS_MIN = 2


@dataclass(frozen=True, slots=True)
class Option:
    label: Any
    url: str
    note: str = ""


@for_all_staff
def palette(request: HttpRequest) -> HttpResponseBase:
    sought = request.GET.get("q", "").strip()
    opens = [Option(a.label, a.url) for a in layout.actions(request) if _matches(str(a.label), sought)]
    context = {"sought": sought, "opens": opens, "people": _people(request, sought)}
    return render(request, "pages/palette/page.html", context)


def _people(request: HttpRequest, sought: str) -> list[Option]:
    if len(sought) < LETTERS_MIN or not may(request, Right.SEE_PEOPLE):
        return []
    return [
        Option(
            match.person.display_name,
            reverse("person", args=[match.person.id]),
            match.found_by.partition(":")[2] or match.person.email,
        )
        for match in people.search(sought, PEOPLE_MAX)
    ]


def _matches(label: str, sought: str) -> bool:
    """Every typed word begins some word of the label."""
    words = label.casefold().split()
    return all(any(word.startswith(part) for word in words) for part in sought.casefold().split())


urlpatterns = [path("palette/", palette, name="palette")]
