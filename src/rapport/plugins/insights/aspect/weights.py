"""What was learnt: how words judge at all, in seven languages, and what stands around a target that is judged.

Both travel in one file: the valence of each bucket of the hashed words, and a linear model of three classes over the
columns of `reading`.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from rapport.kit.errors import Invalid
from rapport.kit.texts.hashing import BITS
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.linear import Linear
from rapport.plugins.insights.aspect.reading import COLUMNS, Read, Valence

LABELS = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)


@dataclass(frozen=True, slots=True)
class Weights:
    """Valence of words, and polarity of what stands around a mention."""

    valence: Valence
    polarity: Linear  # over the columns of `reading`

    def logits(self, given: Read) -> Floats:
        """float64 (pairs, 3): z of negative, neutral and positive."""
        return logits(self.polarity, given.matrix())

    def by_word(self, given: Read, said: Classes) -> Floats:
        """float64 (heard,): how far each word moves z of what was said of its pair ahead of the other two."""
        table = np.zeros((COLUMNS, len(LABELS)), np.float32)
        table[self.polarity.buckets] = self.polarity.weights
        found = table[given.column]
        right = said[given.pair[given.heard]]
        ahead = 1.5 * (found[np.arange(len(right)), right] - found.mean(axis=1))
        added: Any = np.bincount(given.heard, weights=ahead * given.value, minlength=len(given.word))
        return np.asarray(added, np.float64)

    def taught(self, more: Linear) -> Weights:
        """With what labels added."""
        return replace(self, polarity=self.polarity.plus(more))

    def divided(self, t: float) -> Weights:
        """With z divided by a temperature."""
        return replace(self, polarity=self.polarity.divided(t))

    def to_bytes(self) -> bytes:
        """The weights in one byte each, compressed."""
        buckets = self.valence.buckets
        largest = max(float(np.abs(buckets).max(initial=0)), 1e-12)
        step = np.sign(buckets) * np.round(127 * np.sqrt(np.abs(buckets) / largest))
        sink = io.BytesIO()
        np.savez_compressed(
            sink,
            buckets=step.astype(np.int8),
            largest=np.array(largest),
            known=self.valence.known,
            foreign=self.valence.foreign,
            listed=np.round(127 * self.valence.listed).astype(np.int8),
            polarity=np.frombuffer(self.polarity.to_bytes(), np.uint8),
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, given: bytes) -> Weights:
        """Raises Invalid where the bytes are not such weights."""
        try:
            with np.load(io.BytesIO(given), allow_pickle=False) as held:
                step = held["buckets"].astype(np.float32) / 127
                buckets = (np.sign(step) * step**2 * float(held["largest"])).astype(np.float32)
                listed = held["listed"].astype(np.float32) / 127
                valence = Valence(
                    buckets, held["known"].astype(np.uint32), listed, held["foreign"].astype(np.uint32)
                )
                polarity = Linear.from_bytes(held["polarity"].tobytes())
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Invalid(f"these bytes are no aspect weights: {error}", "Fit the model anew.") from None
        if buckets.shape != (1 << BITS,) or len(listed) != len(valence.known) or polarity.labels != LABELS:
            raise Invalid(f"aspect weights of shape {buckets.shape} do not fit", "Fit the model anew.")
        return cls(valence, polarity)


def logits(polarity: Linear, matrix: sp.csr_matrix) -> Floats:
    """float64 (pairs, 3): z of a matrix of `reading`."""
    if not matrix.shape[0]:
        return np.zeros((0, len(LABELS)))
    return np.asarray(matrix[:, polarity.buckets] @ polarity.weights, np.float64) + polarity.bias
