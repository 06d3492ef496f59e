"""What the cues and signs of texts say about feeling, urgency and offence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np

from rapport.kit.texts import glance, heads, valence
from rapport.kit.texts.cues import Cues, Spoken, Turn
from rapport.kit.texts.heads import Head
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import Words

HERE = Path(__file__).parent
LABELS = {
    "emotion": ("anger", "disappointment", "worry", "joy", "gratitude", "surprise", "none"),
    "urgency": ("low", "normal", "high"),
    "offensive": ("no", "yes"),
}
SPOKEN = (*LABELS["emotion"][:-1], "urgent", "waits", "calm", "insult", "swearing")
INSULT = SPOKEN.index("insult")
RUDE_WEIGHT = 3.0  # of a word that a list calls rude, as sure as a cue of ours
TURNS = {
    "joy": Turn("disappointment", 0.7),  # not happy
    "anger": Turn(),
    "worry": Turn(),
    "gratitude": Turn(),
    "disappointment": Turn(),
}
FEATURES = (*SPOKEN, *heads.SIGNS)


@cache
def cues() -> Cues:
    """The cues, compiled once."""
    return Cues.read(HERE / "cues", SPOKEN, TURNS)


@cache
def head(name: str) -> Head:
    """The shipped weights of emotion, urgency or offensive."""
    return Head.read(HERE / f"head_{name}.json", LABELS[name], FEATURES)


@cache
def rude() -> frozenset[int]:
    """Hashes of words that lists call rude."""
    return frozenset(np.load(HERE / "rude.npy", allow_pickle=False).tolist())


@lru_cache(maxsize=glance.REMEMBERED)
def is_rude(word: str) -> bool:
    """Whether a list calls a word rude."""
    return word[0].isalpha() and valence.short(word) in rude()


@dataclass(frozen=True, slots=True)
class Read:
    """What was found in a batch of texts."""

    spoken: Spoken
    features: Floats  # (texts, FEATURES)

    @classmethod
    def of(cls, cut: Words) -> Read:
        spoken = cues().found(cut)
        seen = glance.of(cut)
        at = np.flatnonzero(np.array([is_rude(w) for w in seen.distinct], np.bool_)[seen.at])
        # What a cue of ours has covered counts once.
        at = at[~np.isin(at, spoken.first[spoken.label == INSULT])]
        if len(at):
            spoken = spoken.plus(cut.owner[at], INSULT, RUDE_WEIGHT, at)
        return cls(spoken, heads.features(cut, spoken))
