"""Where personas come from, and what may be read for them."""

from __future__ import annotations

import functools

from rapport.people.rules import sensitive

MODEL = "persona"  # the score, and the model that writes it
PURPOSE = "profiling"  # as the model's
COUNTED_FOR = "analytics"  # words are counted over many
QUOTED_FOR = "research"  # who lets us ask for their opinion lets us repeat it inside the firm
# What was said to us for us to hear. What stands in public belongs to where it stands, and a letter is private.
QUOTABLE = ("survey_answered", "community_posted")


@functools.lru_cache(maxsize=100_000)
def is_closed(name: str) -> bool:
    """Whether a name is of a special category, or of what stands for one."""
    return sensitive.category_of(name) is not None


def segment_key(key: str) -> str:
    """The key of the segment of a persona's people."""
    return f"persona_{key}"
