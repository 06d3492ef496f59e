"""The linear model: weights for negative and for positive, once for English and once for other languages.

z_c = b_c + sum of w_c over a text's features and over its words in the lexicon, divided by the text's length;
p = softmax(z_negative, 0, z_positive), neutral being the reference. Which table of weights reads a text is told by
its words alone, with a linear model of its own. Weights travel as signed bytes of the square root of their size,
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
ENGLISH, OTHER = range(2)
TABLES = 2

Weighing = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt.

    columns : float32 (2, TABLES x buckets), for negative and for positive
    bias : float64 (TABLES, 2)
    known : uint32 (lexicon,), ascending: the upper half of the hash of each word of the lexicon
    lexicon : float32 (TABLES x 4, lexicon): negative and positive of the word, then of the word after a negation
    spoken : float32 (1, buckets): how far each word speaks for English
    spoken_bias : how far a text without words does
    """

    columns: Weighing
    bias: Floats
    known: NDArray[np.uint32]
    lexicon: Weighing
    spoken: Weighing
    spoken_bias: float

    @classmethod
    def nothing(cls) -> Weights:
        """Weights that know nothing, to learn from labels alone."""
        columns, lexicon = np.zeros((2, TABLES << BITS), np.float32), np.zeros((4 * TABLES, 0), np.float32)
        spoken = np.zeros((1, 1 << BITS), np.float32)
        return cls(columns, np.zeros((TABLES, 2)), np.zeros(0, np.uint32), lexicon, spoken, 1.0)

    def plus(self, columns: Floats, bias: Floats, t: float) -> Weights:
        """What labels add (2, buckets) on top of both tables, and all of it divided by a temperature."""
        return Weights(
            ((self.columns + np.tile(columns, TABLES)) / t).astype(np.float32),
            (self.bias + bias) / t,
            self.known,
            (self.lexicon / t).astype(np.float32),
            self.spoken,
            self.spoken_bias,
        )

    def to_bytes(self) -> bytes:
        """The weights in one byte each, compressed."""
        codes, largest = _shrink(self.columns)
        lexicon, lexicon_largest = _shrink(self.lexicon)
        spoken, spoken_largest = _shrink(self.spoken)
        sink = io.BytesIO()
        np.savez_compressed(
            sink,
            codes=codes,
            largest=largest,
            bias=self.bias,
            known=self.known,
            lexicon=lexicon,
            lexicon_largest=lexicon_largest,
            spoken=spoken,
            spoken_largest=spoken_largest,
            spoken_bias=np.float64(self.spoken_bias),
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, given: bytes) -> Weights:
        """Raises Invalid where the bytes are not such weights."""
        try:
            with np.load(io.BytesIO(given), allow_pickle=False) as held:
                columns = _grow(held["codes"], held["largest"])
                lexicon = _grow(held["lexicon"], held["lexicon_largest"])
                spoken, spoken_bias = (
                    _grow(held["spoken"], held["spoken_largest"]),
                    float(held["spoken_bias"]),
                )
                bias, known = held["bias"].astype(np.float64), held["known"].astype(np.uint32)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Invalid(f"these bytes are no sentiment weights: {error}", "Fit the model anew.") from None
        shapes = (columns.shape, bias.shape, lexicon.shape, spoken.shape)
        if shapes != ((2, TABLES << BITS), (TABLES, 2), (4 * TABLES, len(known)), (1, 1 << BITS)):
            raise Invalid(f"sentiment weights of shape {columns.shape} do not fit", "Fit the model anew.")
        return cls(columns, bias, known, lexicon, spoken, spoken_bias)

    def table(self, given: Features) -> NDArray[np.int64]:
        """(texts,): which table reads each text."""
        if not given.parts:
            return np.full(given.n_texts, ENGLISH if self.spoken_bias >= 0 else OTHER)
        bucket, word = given.parts[0]
        speaks = np.bincount(given.owner[word], weights=self.spoken[0][bucket], minlength=given.n_texts)
        size = np.sqrt(np.maximum(np.bincount(given.owner, minlength=given.n_texts), 1))
        return np.where(speaks / size + self.spoken_bias >= 0, ENGLISH, OTHER)

    def by_word(self, given: Features) -> Floats:
        """float64 (words, 2): what each word adds to z, with its pairs, its characters and its meaning."""
        n_words = len(given.owner)
        table = self.table(given)[given.owner]
        added = self._from_lexicon(given, table)
        shift = (table << BITS).astype(np.int32)
        for bucket, word in given.parts:
            place = bucket + shift[word]
            for c in range(2):
                added[:, c] += np.bincount(word, weights=self.columns[c][place], minlength=n_words)
        return added / length(given.count())[given.owner, None]

    def _from_lexicon(self, given: Features, table: NDArray[np.int64]) -> Floats:
        found, place = look_up(self.known, given.whole)
        added = np.zeros((len(given.owner), 2))
        row = 4 * table[found] + 2 * given.turned[found]
        for c in range(2):
            added[found, c] = self.lexicon[row + c, place]
        return added

    def logits(self, given: Features, added: Floats) -> Floats:
        """float64 (texts, 3): z of negative, neutral, positive; `added` is that of `by_word`."""
        z = np.zeros((given.n_texts, 3))
        table = self.table(given)
        for c, label in enumerate((NEGATIVE, POSITIVE)):
            sums = np.bincount(given.owner, weights=added[:, c], minlength=given.n_texts)
            z[:, label] = self.bias[table, c] + sums
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
