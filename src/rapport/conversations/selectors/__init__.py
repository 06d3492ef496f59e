"""Questions about conversations: pages of a view, one with its messages, search, who watches, what is due."""

from __future__ import annotations

from rapport.conversations.selectors.keeping import canned, macros
from rapport.conversations.selectors.listing import changes, counts, page, view_of
from rapport.conversations.selectors.listing import views_of as views
from rapport.conversations.selectors.reading import (
    answering,
    approvals,
    conversation,
    draft,
    earlier,
    log_of,
    mentions,
    messages,
    of_subjects,
    watching,
)
from rapport.conversations.selectors.recovering import (
    ReceptionView,
    n_steps_overdue,
    playbooks,
    playbooks_running,
    reception,
    reception_of,
    voice,
    voice_drafts,
)
from rapport.conversations.selectors.searching import of_events, search
from rapport.conversations.selectors.targets import target_rows

__all__ = [
    "ReceptionView",
    "answering",
    "approvals",
    "canned",
    "changes",
    "conversation",
    "counts",
    "draft",
    "earlier",
    "log_of",
    "macros",
    "mentions",
    "messages",
    "n_steps_overdue",
    "of_events",
    "of_subjects",
    "page",
    "playbooks",
    "playbooks_running",
    "reception",
    "reception_of",
    "search",
    "target_rows",
    "view_of",
    "views",
    "voice",
    "voice_drafts",
    "watching",
]
