"""The linear model: weights for negative and for positive, in a table for each of eight languages.

z_c = b_c + sum of w_c over a text's features and over its words in the lexicon, divided by the text's length;
p = softmax(z_negative, 0, z_positive), neutral being the reference. Which table of weights reads a text is told by
its words alone, with a linear model of its own. Tables other than English differ only where their language was
learnt to differ (Daumé 2007, "Frustratingly easy domain adaptation"), so they travel as one table and differences.
Weights travel as signed bytes of the square root of their size, which keeps small ones apart: the largest is 127,
and the error is largest where it matters least.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rapport.kit.errors import Invalid
from rapport.kit.texts.hashing import BITS, Features
from rapport.kit.texts.learning import Floats, length

LABELS = ("negative", "neutral", "positive")
NEGATIVE, NEUTRAL, POSITIVE = range(3)
LANGUAGES = ("english", "arabic", "french", "german", "hindi", "italian", "portuguese", "spanish")
TABLES = len(LANGUAGES)
ENGLISH = 0
SIZE = 1 << BITS
_LEAST = 0.01  # of the largest difference between languages; smaller ones are many and change nothing
_LEXICON_ROWS = 8  # four for English, four for the others

Weighing = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt.

    columns : float32 (2, TABLES x buckets), for negative and for positive
    bias : float64 (TABLES, 2)
    known : uint32 (lexicon,), ascending: the upper half of the hash of each word of the lexicon
    lexicon : float32 (2 x 4, lexicon), in English and elsewhere: negative and positive of the word, then of the word
        after a negation
    spoken : float32 (TABLES, buckets): how far each word speaks for each language
    spoken_bias : float64 (TABLES,): how far a text without words does
    """

    columns: Weighing
    bias: Floats
    known: NDArray[np.uint32]
    lexicon: Weighing
    spoken: Weighing
    spoken_bias: Floats

    @classmethod
    def nothing(cls) -> Weights:
        """Weights that know nothing, to learn from labels alone."""
        columns, lexicon = np.zeros((2, TABLES * SIZE), np.float32), np.zeros((_LEXICON_ROWS, 0), np.float32)
        spoken = np.zeros((TABLES, SIZE), np.float32)
        return cls(columns, np.zeros((TABLES, 2)), np.zeros(0, np.uint32), lexicon, spoken, np.zeros(TABLES))

    def plus(self, columns: Floats, bias: Floats, t: float) -> Weights:
        """What labels add (2, buckets) on top of every table, and all of it divided by a temperature."""
        return Weights(
            ((self.columns + np.tile(columns, TABLES)) / t).astype(np.float32),
            (self.bias + bias) / t,
            self.known,
            (self.lexicon / t).astype(np.float32),
            self.spoken,
            self.spoken_bias,
        )

    def cooled(self, t: Floats) -> Weights:
        """Each table divided by its temperature (TABLES,); the lexicon outside English by the mean of theirs."""
        spread = np.repeat(t, SIZE).astype(np.float32)
        lexicon = np.repeat([t[ENGLISH], t[1:].mean()], _LEXICON_ROWS // 2).astype(np.float32)
        return Weights(
            self.columns / spread,
            self.bias / t[:, None],
            self.known,
            self.lexicon / lexicon[:, None],
            self.spoken,
            self.spoken_bias,
        )

    def to_bytes(self) -> bytes:
        """The weights in one byte each, compressed."""
        tables = self.columns.reshape(2, TABLES, SIZE)
        # Where fewer than half of the languages differ, the median is what they share, and differences are few.
        shared = np.median(tables[:, 1:], axis=1)
        codes, largest = _shrink(np.concatenate([tables[:, ENGLISH], shared], axis=1))
        apart, apart_largest = _shrink((tables[:, 1:] - shared[:, None]).reshape(2, -1), _LEAST)
        lexicon, lexicon_largest = _shrink(self.lexicon)
        spoken, spoken_largest = _shrink(self.spoken, _LEAST)
        sink = io.BytesIO()
        np.savez_compressed(
            sink,
            codes=codes,
            largest=largest,
            apart=apart,
            apart_largest=apart_largest,
            bias=self.bias,
            known=self.known,
            lexicon=lexicon,
            lexicon_largest=lexicon_largest,
            spoken=spoken,
            spoken_largest=spoken_largest,
            spoken_bias=self.spoken_bias,
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, given: bytes) -> Weights:
        """Raises Invalid where the bytes are not such weights."""
        try:
            with np.load(io.BytesIO(given), allow_pickle=False) as held:
                both = _grow(held["codes"], held["largest"]).reshape(2, 2, SIZE)
                spoken = _grow(held["spoken"], held["spoken_largest"])
                bias, spoken_bias = held["bias"].astype(np.float64), held["spoken_bias"].astype(np.float64)
                apart: Any = 0.0
                if "apart" in held:
                    apart = _grow(held["apart"], held["apart_largest"]).reshape(2, TABLES - 1, SIZE)
                else:
                    bias, spoken, spoken_bias = _of_two_tables(bias, spoken, spoken_bias)
                lexicon = _grow(held["lexicon"], held["lexicon_largest"])
                known = held["known"].astype(np.uint32)
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Invalid(f"these bytes are no sentiment weights: {error}", "Fit the model anew.") from None
        shapes = (bias.shape, lexicon.shape, spoken.shape, spoken_bias.shape)
        if shapes != ((TABLES, 2), (_LEXICON_ROWS, len(known)), (TABLES, SIZE), (TABLES,)):
            raise Invalid(f"sentiment weights of shapes {shapes} do not fit", "Fit the model anew.")
        others = both[:, 1:] + np.zeros((1, TABLES - 1, 1), np.float32) + apart
        columns = np.concatenate([both[:, :1], others], axis=1).reshape(2, -1)
        return cls(columns, bias, known, lexicon, spoken, spoken_bias)

    def table(self, given: Features) -> NDArray[np.int64]:
        """(texts,): which table reads each text; English where nothing tells."""
        n = given.n_texts
        speaks = np.repeat(self.spoken_bias[:, None], n, axis=1)
        if given.parts:
            bucket, word = given.parts[0]
            owner = given.owner[word]
            size = np.sqrt(np.maximum(np.bincount(owner, minlength=n), 1))
            for k in range(TABLES):
                speaks[k] += np.bincount(owner, weights=self.spoken[k][bucket], minlength=n) / size
        return np.asarray(speaks.argmax(axis=0))

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
        row = 4 * (table[found] != ENGLISH) + 2 * given.turned[found]
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


def _of_two_tables(bias: Floats, spoken: Weighing, spoken_bias: Floats) -> tuple[Floats, Weighing, Floats]:
    """What a firm taught weights of one table for English and one for all else, as this model reads it."""
    if bias.shape != (2, 2) or spoken.shape != (1, SIZE) or spoken_bias.shape != ():
        raise ValueError(f"shapes {bias.shape}, {spoken.shape}")
    wide = np.zeros((TABLES, SIZE), np.float32)
    wide[ENGLISH] = spoken[0]
    start = np.full(TABLES, -np.inf)
    start[:2] = float(spoken_bias), 0.0
    return bias[[0] + [1] * (TABLES - 1)], wide, start


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


def _shrink(weights: Weighing, least: float = 0.0) -> tuple[NDArray[np.int8], Weighing]:
    """Codes, and each row's largest size; what is smaller than the share `least` of that becomes 0."""
    largest = np.abs(weights).max(axis=1, initial=1e-12)
    share = np.abs(weights) / largest[:, None]
    share[share < least] = 0.0
    return (np.sign(weights) * np.round(127 * np.sqrt(share))).astype(np.int8), largest


def _grow(codes: NDArray[np.int8], largest: Weighing) -> Weighing:
    step = codes.astype(np.float32) / 127
    return (np.sign(step) * step**2 * largest[:, None]).astype(np.float32)
