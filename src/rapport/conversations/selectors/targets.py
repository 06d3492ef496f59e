"""How soon each channel wants its first answer: what the firm saved, else what holds from the start."""

from __future__ import annotations

from dataclasses import replace

from rapport.conversations.models import Target
from rapport.conversations.rules import clocks
from rapport.conversations.selectors.rows import TargetView
from rapport.staff import selectors as staff


def targets() -> dict[str, clocks.Target]:
    """By channel; `clocks.EVERY` is there for every other channel. What nobody saved keeps the firm's own clock."""
    firm = staff.organisation()
    start = clocks.STARTING
    if firm is not None:
        start = {channel: replace(target, timezone=firm.timezone) for channel, target in start.items()}
    saved = {
        row.channel: clocks.Target(
            row.answer_min,
            row.wait_max_h,
            row.timezone,
            clocks.hours_from(row.hours),
            row.stale_days,
            row.stars_max,
        )
        for row in Target.objects.all()
    }
    return start | saved


def of(channel: str, among: dict[str, clocks.Target]) -> clocks.Target:
    """The target of a channel."""
    return among.get(channel) or among[clocks.EVERY]


def target_rows() -> list[TargetView]:
    """Every channel's target, for whoever changes them."""
    saved = set(Target.objects.values_list("channel", flat=True))
    return [
        TargetView(
            channel,
            t.answer_min,
            t.wait_max_h,
            t.timezone,
            t.hours,
            t.stale_days,
            t.stars_max,
            channel in saved,
        )
        for channel, t in sorted(targets().items())
    ]
