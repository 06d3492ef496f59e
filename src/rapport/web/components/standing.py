"""Standing toward us, levels of taking part and what accounts are held to be, in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from rapport.insights import selectors as insights
from rapport.people import selectors as people
from rapport.web.components import formats, words

LABELS: dict[str, Any] = {
    "advocate": gettext_lazy("advocate"),
    "passive": gettext_lazy("passive"),
    "detractor": gettext_lazy("detractor"),
    "unclear": gettext_lazy("unclear"),
    "lurker": gettext_lazy("mostly reads"),
    "contributor": gettext_lazy("writes now and then"),
    "leader": gettext_lazy("leads"),
    "genuine": gettext_lazy("genuine"),
    "doubtful": gettext_lazy("doubtful"),
    "left_out": gettext_lazy("left out"),
}
COMMUNITY = "community"
SPELT = {"youtube": "YouTube", "tiktok": "TikTok", "linkedin": "LinkedIn", "twitter": "X (Twitter)"}
SAID = ("advocate", "detractor")  # what stands at the head of a person's page


def label(name: str) -> str:
    """What a label says to a reader."""
    return str(LABELS.get(name, words.plain(name)))


def network(name: str, *, begins: bool = False) -> str:
    """A network as a sentence says it, or begins with it."""
    if name == COMMUNITY:
        return _("Our community") if begins else _("our community")
    return SPELT.get(name, words.plain(name))


def said(stand: insights.Stand) -> str:
    """`-0.10 to 0.04, likely -0.03`."""
    return formats.interval(stand.low, stand.high, stand.standing, "", 2)


def tone(low: float, high: float) -> str:
    """The colour of an interval: only what it says as a whole."""
    return "accent" if low > 0 else "danger" if high < 0 else ""


def headline(scores: Sequence[people.ScoreView]) -> tuple[str, str, str] | None:
    """`advocate on Mastodon`, its colour, and why; None where nothing is known for sure.

    Of several networks, the one that is furthest from the middle.
    """
    known = [
        s for s in scores if s.name.partition(":")[0] == "advocacy" and s.label in SAID and not s.is_stale
    ]
    if not known:
        return None
    best = max(known, key=lambda s: (":" in s.name, min(abs(s.low or 0.0), abs(s.high or 0.0)), s.name))
    _given, colon, where = best.name.partition(":")
    colour = "accent" if best.label == "advocate" else "danger"
    if not colon:
        return label(best.label), colour, best.reason
    if where == COMMUNITY:
        return _("%(label)s in our community") % {"label": label(best.label)}, colour, best.reason
    return (
        _("%(label)s on %(network)s") % {"label": label(best.label), "network": network(where)},
        colour,
        best.reason,
    )
