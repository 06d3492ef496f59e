"""The linear model: weights for negative and for positive; neutral is the reference.

z_c = b_c + sum of w_c over a text's features and over its words in the lexicon, divided by the text's length;
p = softmax(z_negative, 0, z_positive). Weights travel as signed bytes of the square root of their size,
which keeps small ones apart: the largest is 127, and the error is largest where it matters least.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapport.kit.errors import Invalid
from rapport.kit.texts.hashing import BITS, Features
from rapport.kit.texts.learning import Floats, length

LABELS = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)

Weighing = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt.

    columns : float32 (2, buckets), for negative and for positive
    bias : float64 (2,)
    known : uint32 (lexicon,), ascending: the upper half of the hash of each word of the lexicon
    lexicon : float32 (4, lexicon): negative and positive of the word, then of the word after a negation
    """

    columns: Weighing
    bias: Floats
    known: NDArray[np.uint32]
    lexicon: Weighing

    def to_bytes(self) -> bytes:
        """The weights in one byte each, compressed."""
        codes, largest = _shrink(self.columns)
        lexicon, lexicon_largest = _shrink(self.lexicon)
        sink = io.BytesIO()
        np.savez_compressed(
            sink,
            codes=codes,
            largest=largest,
            bias=self.bias,
            known=self.known,
            lexicon=lexicon,
            lexicon_largest=lexicon_largest,
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, given: bytes) -> Weights:
        """Raises Invalid where the bytes are not such weights."""
        try:
            with np.load(io.BytesIO(given), allow_pickle=False) as held:
                columns = _grow(held["codes"], held["largest"])
                lexicon = _grow(held["lexicon"], held["lexicon_largest"])
                bias, known = held["bias"].astype(np.float64), held["known"].astype(np.uint32)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Invalid(f"these bytes are no sentiment weights: {error}", "Fit the model anew.") from None
        if columns.shape != (2, 1 << BITS) or lexicon.shape != (4, len(known)):
            raise Invalid(f"sentiment weights of shape {columns.shape} do not fit", "Fit the model anew.")
        return cls(columns, bias, known, lexicon)

    def by_word(self, given: Features) -> Floats:
        """float64 (words, 2): what each word adds to z, with its pairs, its characters and its meaning."""
        n_words = len(given.owner)
        added = self._from_lexicon(given)
        for bucket, word in given.parts:
            for c in range(2):
                added[:, c] += np.bincount(word, weights=self.columns[c][bucket], minlength=n_words)
        return added / length(given.count())[given.owner, None]

    def _from_lexicon(self, given: Features) -> Floats:
        found, place = look_up(self.known, given.whole)
        added = np.zeros((len(given.owner), 2))
        for c in range(2):
            plain, turned = self.lexicon[c][place], self.lexicon[c + 2][place]
            added[found, c] = np.where(given.turned[found], turned, plain)
        return added

    def logits(self, given: Features, added: Floats) -> Floats:
        """float64 (texts, 3): z of negative, neutral, positive; `added` is that of `by_word`."""
        z = np.zeros((given.n_texts, 3))
        for c, label in enumerate((NEGATIVE, POSITIVE)):
            sums = np.bincount(given.owner, weights=added[:, c], minlength=given.n_texts)
            z[:, label] = self.bias[c] + sums
        return z


def short_hash(whole: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The half of a word's hash that the lexicon keeps."""
    return (whole >> np.uint64(32)).astype(np.uint32)


def look_up(
    known: NDArray[np.uint32], whole: NDArray[np.uint64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Which words are in the lexicon, and where in it."""
    if len(known) == 0 or len(whole) == 0:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    short = short_hash(whole)
    place = np.minimum(np.searchsorted(known, short), len(known) - 1)
    found = np.flatnonzero(known[place] == short)
    return found, place[found]


def _shrink(weights: Weighing) -> tuple[NDArray[np.int8], Weighing]:
    largest = np.abs(weights).max(axis=1, initial=1e-12)
    share = np.abs(weights) / largest[:, None]
    return (np.sign(weights) * np.round(127 * np.sqrt(share))).astype(np.int8), largest


def _grow(codes: NDArray[np.int8], largest: Weighing) -> Weighing:
    step = codes.astype(np.float32) / 127
    return (np.sign(step) * step**2 * largest[:, None]).astype(np.float32)
