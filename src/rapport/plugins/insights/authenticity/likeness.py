"""Keys that much the same texts share: MinHash over letters in a row, in bands.

Broder 1997, "On the resemblance and containment of documents"; bands after Indyk and Motwani 1998. With 6 bands of 4,
two texts of which four fifths are the same share a key with a chance of 96 %, two with three tenths of 5 %. Keys say
nothing of what was said: they are hashes of the smallest of hashes.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.kit.texts import hashing, learning, tokens

BANDS, ROWS = 6, 4
LETTERS = 5
WORDS_LEAST = 3  # shorter texts say nothing
_SEED = 20_210_622
_GROW = np.uint64(0x9E3779B97F4A7C15)

Keys = NDArray[np.uint64]


def keys(texts: pa.StringArray) -> Keys:
    """(texts, BANDS): the keys of each text; 0 where it is too short to tell."""
    size = learning.BATCH_TEXTS
    parts = [_of_batch(texts.slice(at, size)) for at in range(0, len(texts), size)]
    return np.concatenate(parts) if parts else np.zeros((0, BANDS), np.uint64)


def _of_batch(texts: pa.StringArray) -> Keys:
    cut = hashing.words_of(texts)
    found = np.zeros((cut.n_texts, BANDS), np.uint64)
    if not cut.word:
        return found
    # Signs, addresses and faces are what copies differ in; words are what they share.
    speaks = np.fromiter(
        (w not in tokens.SILENT and w[0].isalnum() for w in cut.word), np.bool_, len(cut.word)
    )
    owner = cut.owner[speaks]
    if not len(owner):
        return found
    n_words = np.bincount(owner, minlength=cut.n_texts)
    shingle, of = _shingles([w for w, said in zip(cut.word, speaks.tolist(), strict=True) if said], owner)
    there = np.unique(of)
    first = np.searchsorted(of, there)
    least = np.stack([np.minimum.reduceat(_mixed(shingle, salt), first) for salt in _SALTS], axis=1)
    banded = least.reshape(len(there), BANDS, ROWS)
    key = np.zeros((len(there), BANDS), np.uint64)
    for row in range(ROWS):
        key = _mixed(key * _GROW + banded[:, :, row], _SALTS[row])
    key |= np.uint64(1)
    long = n_words[there] >= WORDS_LEAST
    found[there[long]] = key[long]
    return found


def _shingles(word: list[str], owner: NDArray[np.int64]) -> tuple[Keys, NDArray[np.int64]]:
    """Hashes of every LETTERS letters in a row, and the text of each; a blank stands before each word."""
    codes = np.frombuffer((" " + " ".join(word) + " ").encode("utf-32-le"), np.uint32).astype(np.uint64)
    of = np.repeat(owner, [len(w) + 1 for w in word])
    n = max(len(of) - LETTERS + 1, 0)
    hashed = np.zeros(n, np.uint64)
    for at in range(LETTERS):
        hashed = hashed * _GROW + codes[at : at + n]
    whole = of[:n] == of[LETTERS - 1 : LETTERS - 1 + n]
    return hashed[whole], of[:n][whole]


def _mixed(numbers: Keys, salt: np.uint64) -> Keys:
    """The finaliser of SplitMix64, salted."""
    z = numbers ^ salt
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: Keys = z ^ (z >> np.uint64(31))
    return mixed


_SALTS = np.random.default_rng(_SEED).integers(1, 2**63, BANDS * ROWS, dtype=np.uint64)
