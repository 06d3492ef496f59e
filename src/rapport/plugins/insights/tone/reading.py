"""What the cues and signs of texts say about feeling, urgency and offence."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from rapport.kit.texts import heads, valence
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


@dataclass(frozen=True, slots=True)
class Read:
    """What was found in a batch of texts."""

    spoken: Spoken
    features: Floats  # (texts, FEATURES)

    @classmethod
    def of(cls, cut: Words) -> Read:
        spoken = cues().found(cut)
        known = rude()
        listed = {w for w in set(cut.word) if w[0].isalpha() and valence.short(w) in known}
        at = np.flatnonzero(np.fromiter((w in listed for w in cut.word), np.bool_, len(cut.word)))
        # What a cue of ours has covered counts once.
        at = at[~np.isin(at, spoken.first[spoken.label == INSULT])]
        if len(at):
            spoken = spoken.plus(cut.owner[at], INSULT, RUDE_WEIGHT, at)
        return cls(spoken, heads.features(cut, spoken))
