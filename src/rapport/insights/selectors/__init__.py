"""Questions about insights: the models and their runs, and what they say of people and texts."""

from __future__ import annotations

from rapport.insights.selectors.aspects import AspectView, aspects
from rapport.insights.selectors.cards import (
    ModelCard,
    ModelTitle,
    RunView,
    card,
    cards,
    distribution,
    last_runs,
    runs,
    titles_of,
)
from rapport.insights.selectors.texts import (
    LanguageShare,
    SentimentOf,
    language_shares,
    sentiment_by_day,
    sentiment_by_venue,
)

__all__ = [
    "AspectView",
    "LanguageShare",
    "ModelCard",
    "ModelTitle",
    "RunView",
    "SentimentOf",
    "aspects",
    "card",
    "cards",
    "distribution",
    "language_shares",
    "last_runs",
    "runs",
    "sentiment_by_day",
    "sentiment_by_venue",
    "titles_of",
]
