"""What people would rather have within what they allow: topics, how often, a pause, a language."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from rapport.consent.models import Preference, Topic
from rapport.consent.selectors.allowing import said_by, whose

FREQUENCIES = ("as_you_like", "weekly", "monthly")
NAMES = ("topics", "frequency", "pause_until", "language")
UNSTATED: dict[str, Any] = {
    "topics": None,  # none chosen: everything that is allowed
    "frequency": "as_you_like",
    "pause_until": None,
    "language": None,
}


@dataclass(frozen=True, slots=True)
class TopicView:
    """Something one can hear about."""

    key: str
    name: str
    meaning: str
    is_active: bool


def topics(*, active_only: bool = True) -> list[TopicView]:
    """What one can choose to hear about, in the firm's order."""
    found = Topic.objects.order_by("position", "key")
    if active_only:
        found = found.filter(is_active=True)
    return [TopicView(t.key, t.name, t.meaning, t.is_active) for t in found]


def preferences(ref: int | str) -> dict[str, Any]:
    """The newest wish of each name that somebody stated; unstated ones as in UNSTATED."""
    subjects, identifier = whose(ref)
    wishes = dict(UNSTATED)
    stated = said_by(Preference.objects.all(), subjects, identifier)
    for wish in sorted(stated, key=lambda wish: (wish.at, wish.seq or 0, wish.id)):
        wishes[wish.name] = json.loads(wish.value)
    return wishes
