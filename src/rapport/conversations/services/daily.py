"""What is done with conversations once a day."""

from __future__ import annotations

from rapport.conversations.services import forgetting, minding, receiving
from rapport.kit import clock, home
from rapport.kit.errors import Conflict
from rapport.knowledge import services as knowledge


def mind_daily_if_due() -> bool:
    """Close what is quiet, forget what nobody needs, see what recoveries and replies did; False where it is done."""
    marker = home.path("conversations", "minded")
    today = clock.now().date().isoformat()
    if marker.is_file() and marker.read_text() == today:
        return False
    try:
        with home.lock("conversations-daily"):
            minding.close_quiet()
            minding.forget_asides()
            forgetting.expire()
            knowledge.forget_gone()
            minding.note_orders()
            receiving.reckon_reception()
            marker.parent.mkdir(parents=True, exist_ok=True)
            marker.write_text(today)
    except Conflict:  # another process is at it
        return False
    return True
