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
    n_waiting,
    post,
    postings_of,
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
    "n_waiting",
    "news",
    "post",
    "postings_of",
    "voices",
    "without_time",
]
