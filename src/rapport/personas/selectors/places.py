"""Where personas come from, and what may be read for them."""

from __future__ import annotations

import functools

import numpy as np

from rapport.consent import selectors as consent
from rapport.people.rules import sensitive_texts
from rapport.people.rules.graph import Subjects
from rapport.people.selectors import rows

MODEL = "persona"  # the score, and the model that writes it
PURPOSE = "profiling"  # as the model's
COUNTED_FOR = "analytics"  # words are counted over many
QUOTED_FOR = "research"  # who lets us ask for their opinion lets us repeat it inside the firm
# What was said to us for us to hear. What stands in public belongs to where it stands, and a letter is private.
QUOTABLE = ("survey_answered", "community_posted")


@functools.lru_cache(maxsize=100_000)
def is_closed(name: str) -> bool:
    """Whether a name is of a special category, or of what stands for one, in any language."""
    return sensitive_texts.category_of_name(name) != ""


def segment_key(key: str) -> str:
    """The key of the segment of a persona's people."""
    return f"persona-{key}"


def lets_us_quote(subjects: Subjects | None = None) -> Subjects:
    """Everybody, or those of the subjects, who agreed to be asked for their opinion on any channel; ascending."""
    agreed = [
        rows.numbers(consent.allowed_subjects(QUOTED_FOR, channel), "subject")
        if subjects is None
        else consent.only_allowed(subjects, QUOTED_FOR, channel)
        for channel in ("", *_channels())
    ]
    return np.unique(np.concatenate(agreed))


def _channels() -> tuple[str, ...]:
    return next((tuple(p.channels) for p in consent.purposes() if p.key == QUOTED_FOR), ())
