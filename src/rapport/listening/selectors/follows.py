"""What is followed."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from rapport.kit.errors import NotFound
from rapport.listening.models import Follow


@dataclass(frozen=True, slots=True)
class FollowRow:
    """One thing that is followed, as a screen shows it."""

    key: str
    title: str
    kind: str
    with_words: list[str]
    without_words: list[str]
    languages: list[str]
    places: list[str]
    is_on: bool
    changed_at: dt.datetime
    changed_by: str


_COLUMNS = tuple(FollowRow.__dataclass_fields__)


def follows(*, is_on: bool | None = True) -> list[FollowRow]:
    """What is followed, by kind and title; with `is_on` None also what no longer is."""
    rows = Follow.objects.all() if is_on is None else Follow.objects.filter(is_on=is_on)
    return [FollowRow(*row) for row in rows.order_by("kind", "title", "key").values_list(*_COLUMNS)]


def follow_row(key: str) -> FollowRow:
    """One thing that is followed, or was; NotFound."""
    found = Follow.objects.filter(key=key).values_list(*_COLUMNS).first()
    if found is None:
        raise NotFound(f"nothing is followed as {key}", "Reload the list.")
    return FollowRow(*found)
