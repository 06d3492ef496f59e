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
from rapport.kit.texts.tokens import fold

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


def of_word(word: str) -> float:
    """The valence of a word by itself; nought where nothing is known of it."""
    return table().get(short(word), 0.0)


def features(owner: NDArray[np.int64], n_texts: int, value: Floats, turned: NDArray[np.bool_]) -> Floats:
    """float64 (texts, 2): how displeased and how pleased the words of a text sound, log(1 + 4 sum).

    owner, value, turned : (words,), the text of each word, its valence, and whether a negation stands before it
    """
    value = value * np.where(turned, TURNED, 1.0)
    below = np.bincount(owner, weights=np.maximum(-value, 0), minlength=n_texts)
    above = np.bincount(owner, weights=np.maximum(value, 0), minlength=n_texts)
    return np.log1p(4 * np.stack([below, above], axis=1))
