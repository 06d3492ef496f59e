"""Ctrl-K: pages, actions and people by a few letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render
from django.urls import path

from rapport.web import layout
from rapport.web.access import for_all_staff

PEOPLE_MAX = 8


@dataclass(frozen=True, slots=True)
class Option:
    label: Any
    url: str
    note: str = ""


@for_all_staff
def palette(request: HttpRequest) -> HttpResponseBase:
    sought = request.GET.get("q", "").strip()
    opens = [Option(a.label, a.url) for a in layout.actions(request) if _matches(str(a.label), sought)]
    return render(request, "pages/palette/page.html", {"sought": sought, "opens": opens, "people": []})


def _matches(label: str, sought: str) -> bool:
    """Every typed word begins some word of the label."""
    words = label.casefold().split()
    return all(any(word.startswith(part) for word in words) for part in sought.casefold().split())


urlpatterns = [path("palette/", palette, name="palette")]
