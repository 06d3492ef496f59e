"""Moving what a shipped model says towards a firm's own labels, with honest probabilities.

z' = (z + what the labels add) / t: the shipped z is the offset of a linear model over hashed features, and the
temperature t is found on labels held out, where there are enough of them.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from rapport.kit.errors import Invalid
from rapport.kit.texts import learning, linear
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.linear import Labelled, Linear

FOLDS = 3  # to find the temperature
CALIBRATED_TEXTS = 300  # with fewer a temperature is noise


@dataclass(frozen=True, slots=True)
class Moved:
    """What labels added; nothing where there were none."""

    more: Linear
    t: float = 1.0

    @classmethod
    def nothing(cls, labels: Sequence[str]) -> Moved:
        """The shipped model as it is."""
        k = len(labels)
        return cls(Linear(tuple(labels), np.zeros(0, np.int32), np.zeros((0, k), np.float32), np.zeros(k)))

    @property
    def is_nothing(self) -> bool:
        """Whether the shipped model is left as it is, so that texts need not be hashed."""
        return not len(self.more.buckets)

    def logits(self, z: Floats, found: Features | None) -> Floats:
        """float64 (texts, labels): z'; `found` are the hashed features, needed unless `is_nothing`."""
        return z if found is None or self.is_nothing else np.asarray((z + self.more.logits(found)) / self.t)

    def to_bytes(self) -> bytes:
        return struct.pack("<d", self.t) + self.more.to_bytes()

    @classmethod
    def from_bytes(cls, given: bytes, labels: Sequence[str]) -> Moved:
        """Raises Invalid where the bytes are not what labels added to this model."""
        if len(given) < 8:
            raise Invalid("these bytes are no weights", "Fit the model anew.")
        made = cls(Linear.from_bytes(given[8:]), struct.unpack("<d", given[:8])[0])
        if made.more.labels != tuple(labels):
            raise Invalid(f"these weights speak of {', '.join(made.more.labels)}", "Fit the model anew.")
        return made


def fit(
    z: Floats,
    found: Sequence[Features],
    truth: Classes,
    labels: Sequence[str],
    *,
    ridge: float,
    rng: np.random.Generator,
) -> Moved:
    """What the labels of texts add to the shipped z (texts, labels)."""
    given = Labelled.of(found, truth, len(labels), offset=z)
    t = 1.0
    if len(truth) >= CALIBRATED_TEXTS:
        t = learning.temperature(linear.held_out_logits(given, labels, FOLDS, ridge=ridge, rng=rng), truth)
    return Moved(linear.fit(given, labels, ridge=ridge), t)


def held_out(
    z: Floats,
    found: Sequence[Features],
    truth: Classes,
    labels: Sequence[str],
    parts: int,
    *,
    ridge: float,
    rng: np.random.Generator,
) -> Floats:
    """float64 (texts, labels): z of every text after learning from the other parts."""
    given = Labelled.of(found, truth, len(labels), offset=z)
    return linear.held_out_logits(given, labels, parts, ridge=ridge, rng=rng)
