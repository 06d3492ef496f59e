"""What the cues and signs of texts say about their intent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from rapport.kit.texts import heads
from rapport.kit.texts.cues import Cues, Spoken, Turn
from rapport.kit.texts.heads import Head
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import Words

HERE = Path(__file__).parent
LABELS = (
    "question",
    "complaint",
    "praise",
    "help_request",
    "purchase_intent",
    "churn_threat",
    "spam",
    "statement",
)
STATEMENT = LABELS.index("statement")
TURNS = {
    "praise": Turn("complaint", 0.7),  # not helpful
    "complaint": Turn(),  # not broken
    "purchase_intent": Turn(),  # would not buy
    "statement": Turn(),
}
FEATURES = (*LABELS, *heads.SIGNS)


@cache
def cues() -> Cues:
    """The cues, compiled once."""
    return Cues.read(HERE / "cues", LABELS, TURNS)


@cache
def head() -> Head:
    """The shipped weights."""
    return Head.read(HERE / "head.json", LABELS, FEATURES)


@dataclass(frozen=True, slots=True)
class Read:
    """What was found in a batch of texts."""

    spoken: Spoken
    features: Floats  # (texts, FEATURES)

    @classmethod
    def of(cls, cut: Words) -> Read:
        spoken = cues().found(cut)
        return cls(spoken, heads.features(cut, spoken))
