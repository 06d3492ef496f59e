"""The subscriber `broadcasts`: comments come to the desk of what runs live."""

from __future__ import annotations

from rapport.consent import erasers, exporters
from rapport.events import subscriptions
from rapport.publishing.services import keeping, live

NAMES = ("post_published", "post_edited", "post_deleted", "message_received")


def register() -> None:
    """Ask the log for what is said; take part in erasing and in showing everything."""
    subscriptions.subscribe(live.KEY, names=NAMES, handler=live.gather)
    erasers.register("publishing", keeping.erase)
    exporters.register("publishing", keeping.sections)
