"""Questions about personas: the cards, how their number was chosen, who is in one, what they said."""

from __future__ import annotations

from rapport.personas.selectors.cards import (
    CardView,
    FindingView,
    QuoteView,
    called,
    card,
    cards,
    finding,
    first_free,
    moved,
    names,
    parameters,
    quotes,
)
from rapport.personas.selectors.members import Member, Members, counts, members
from rapport.personas.selectors.places import (
    COUNTED_FOR,
    MODEL,
    PURPOSE,
    QUOTABLE,
    QUOTED_FOR,
    is_closed,
    lets_us_quote,
    segment_key,
)

__all__ = [
    "COUNTED_FOR",
    "MODEL",
    "PURPOSE",
    "QUOTABLE",
    "QUOTED_FOR",
    "CardView",
    "FindingView",
    "Member",
    "Members",
    "QuoteView",
    "called",
    "card",
    "cards",
    "counts",
    "finding",
    "first_free",
    "is_closed",
    "lets_us_quote",
    "members",
    "moved",
    "names",
    "parameters",
    "quotes",
    "segment_key",
]
