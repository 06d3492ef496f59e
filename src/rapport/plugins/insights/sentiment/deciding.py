"""The words that decided: which words of each text pulled most towards the label it got."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.plugins.insights.sentiment.features import Features
from rapport.plugins.insights.sentiment.tokens import SILENT, Words
from rapport.plugins.insights.sentiment.weights import NEUTRAL, POSITIVE, Floats

SHOWN = 3
PULL_MIN = 0.02  # in units of z; less than this decides nothing


def deciding_words(words: Words, found: Features, added: Floats, label: NDArray[np.int64]) -> pa.StringArray:
    """(texts,): a JSON array of at most SHOWN words, the strongest first.

    added : float64 (words, 2), what each word adds to z of negative and of positive
    """
    pull = _pull(added, label[words.owner])
    pull[np.fromiter((not _is_shown(w) for w in words.word), np.bool_, len(words.word))] = 0
    chosen = _strongest(found, pull)
    owner = words.owner[chosen]
    starts = np.searchsorted(owner, np.arange(words.n_texts + 1)).astype(np.int32)
    arrow: Any = pc
    # No shown word holds a quotation mark or a backslash, so quoting is all that JSON asks for.
    quoted = pa.array([f'"{words.word[k]}"' for k in chosen], pa.string())
    by_text = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), quoted)
    listed = arrow.binary_join(by_text, ", ")
    array: pa.StringArray = arrow.binary_join_element_wise("[", listed, "]", "")
    return array


def _pull(added: Floats, label: NDArray[np.int64]) -> Floats:
    """How far a word moves z of the label ahead of the mean of the other two."""
    negative, positive = added[:, 0], added[:, 1]
    towards_neutral = -(negative + positive) / 2
    towards_end = np.where(label == POSITIVE, positive - negative / 2, negative - positive / 2)
    return np.where(label == NEUTRAL, towards_neutral, towards_end)


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
