"""How pleased or displeased the single words of a text sound, by a table of hashed words.

The table is learnt: the valence of a word is what a list says of it plus what labelled texts add. It holds hashes
and no words. A word within three words after a negation counts against itself, a little less.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts.learning import Floats
from rapport.kit.texts.phrases import fold
from rapport.kit.texts.tokens import Words

TABLE = Path(__file__).with_name("valence.npz")
TURNED = -0.6  # what a word after a negation counts
STEP = 100.0  # the table holds whole hundredths

Hashes = NDArray[np.uint32]


@cache
def table() -> dict[int, float]:
    """The valence of each hash."""
    with np.load(TABLE, allow_pickle=False) as held:
        return dict(zip(held["words"].tolist(), (held["hundredths"] / STEP).tolist(), strict=True))


def short(word: str) -> int:
    """The hash of a word, its accents and case put aside."""
    return crc32(fold(word).encode())


def by_word(cut: Words) -> Floats:
    """float64 (words,): the valence of each word, without regard to negations."""
    known = table()
    value = {w: known.get(short(w), 0.0) for w in set(cut.word)}
    return np.fromiter((value[w] for w in cut.word), np.float64, len(cut.word))


def features(cut: Words, turned: NDArray[np.bool_]) -> Floats:
    """float64 (texts, 2): how displeased and how pleased the words of a text sound, log(1 + 4 sum)."""
    value = by_word(cut) * np.where(turned, TURNED, 1.0)
    n = cut.n_texts
    below = np.bincount(cut.owner, weights=np.maximum(-value, 0), minlength=n)
    above = np.bincount(cut.owner, weights=np.maximum(value, 0), minlength=n)
    return np.log1p(4 * np.stack([below, above], axis=1))
