"""Questions about publishing: the calendar, what became of posts, a live desk."""

from __future__ import annotations

from rapport.publishing.selectors.desk import (
    BroadcastView,
    BunchView,
    News,
    broadcast,
    broadcasts,
    bunch,
    bunches,
    news,
    voices,
)
from rapport.publishing.selectors.posts import (
    Fared,
    PostingView,
    PostView,
    calendar,
    fared,
    n_due,
    post,
    postings_of,
    pressing,
    without_time,
)

__all__ = [
    "BroadcastView",
    "BunchView",
    "Fared",
    "News",
    "PostView",
    "PostingView",
    "broadcast",
    "broadcasts",
    "bunch",
    "bunches",
    "calendar",
    "fared",
    "n_due",
    "news",
    "post",
    "postings_of",
    "pressing",
    "voices",
    "without_time",
]
