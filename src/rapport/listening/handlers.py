"""Subscribers: what is taken back on its network goes from the log."""

from __future__ import annotations

from rapport.events import subscriptions
from rapport.listening.services import keeping

KEY = "listening"


def register() -> None:
    """Ask the log for what was taken back or changed."""
    subscriptions.subscribe(KEY, names=("post_deleted", "post_edited"), handler=keeping.on_withdrawn)
