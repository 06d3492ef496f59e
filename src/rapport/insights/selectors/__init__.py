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
from rapport.insights.selectors.spoken import (
    Said,
    Spoken,
    SpokenPage,
    Wanted,
    given_names,
    one_text,
    texts_page,
)
from rapport.insights.selectors.taught import (
    Confusion,
    Kept,
    Version,
    confusions,
    labelled_files,
    n_corrections,
    needed,
    standings,
    versions,
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
    "Confusion",
    "Kept",
    "LanguageShare",
    "ModelCard",
    "ModelTitle",
    "RunView",
    "Said",
    "SentimentOf",
    "Spoken",
    "SpokenPage",
    "Version",
    "Wanted",
    "aspects",
    "card",
    "cards",
    "confusions",
    "distribution",
    "given_names",
    "labelled_files",
    "language_shares",
    "last_runs",
    "n_corrections",
    "needed",
    "one_text",
    "runs",
    "sentiment_by_day",
    "sentiment_by_venue",
    "standings",
    "texts_page",
    "titles_of",
    "versions",
]
