"""The words that decided: which words of each text pulled most towards what a model said of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.kit.texts.hashing import Features
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import SILENT, Words

SHOWN = 3
PULL_MIN = 0.02  # in units of z; less than this decides nothing


def deciding_words(cut: Words, found: Features, pull: Floats) -> pa.StringArray:
    """(texts,): a JSON array of at most SHOWN words, the strongest first.

    pull : float64 (words,), how far each word moves z towards what was said
    """
    shown = np.fromiter((_is_shown(w) for w in cut.word), np.bool_, len(cut.word))
    chosen = _strongest(found, np.where(shown, pull, 0.0))
    owner = cut.owner[chosen]
    starts = np.searchsorted(owner, np.arange(cut.n_texts + 1)).astype(np.int32)
    arrow: Any = pc
    # A shown word is letters and digits with apostrophes inside, or one sign from 0x2190 on: nothing to escape.
    quoted = pa.array([f'"{cut.word[k]}"' for k in chosen], pa.string())
    by_text = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), quoted)
    listed = arrow.binary_join(by_text, ", ")
    array: pa.StringArray = arrow.binary_join_element_wise("[", listed, "]", "")
    return array


def _strongest(found: Features, pull: Floats) -> NDArray[np.int64]:
    """Places of the SHOWN words with the largest pull of each text, by text, each word once."""
    place = np.flatnonzero(pull >= PULL_MIN)
    owner, whole = found.owner[place], found.whole[place]
    order = np.lexsort((-pull[place], whole, owner))
    owner, whole, place = owner[order], whole[order], place[order]
    again = np.zeros(len(place), np.bool_)
    again[1:] = (owner[1:] == owner[:-1]) & (whole[1:] == whole[:-1])
    place = place[~again]
    place = place[np.lexsort((-pull[place], found.owner[place]))]
    owner = found.owner[place]
    rank = np.arange(len(place)) - np.searchsorted(owner, owner)
    return place[rank < SHOWN]


def _is_shown(word: str) -> bool:
    return word not in SILENT and (word[0].isalnum() or ord(word[0]) >= 0x2190)
