"""Texts to word pieces, as BERT's uncased vocabulary has them: each word cut into the longest pieces that it knows.

Wu et al. 2016, "Google's neural machine translation system". A batch is spelt in a handful of passes over one
joined string; each different word is cut once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

VOCABULARY = Path(__file__).with_name("vocabulary.txt")
START, END, UNKNOWN = "[CLS]", "[SEP]", "[UNK]"
PIECES_MAX = 256  # of a text, its start and end among them: for so many the network knows places
LENGTH_MAX = 4_000  # characters read of one text; more than 256 pieces have, but for texts without sense
WORD_MAX = 100  # characters; what is longer is no word
WORDS_KEPT = 50_000
_BETWEEN = "\ue000"  # between texts; for private use, so no text may have it once it is spelt

Ids = NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Pieces:
    """The word pieces of a batch of texts.

    ids : int32 (pieces,), of all texts, one after the other, from start to end
    begins : int64 (texts + 1,), where in `ids` each text begins
    """

    ids: Ids
    begins: NDArray[np.int64]

    @property
    def lengths(self) -> NDArray[np.int64]:
        """(texts,): how many pieces each text has."""
        return np.diff(self.begins)

    def padded(self, chosen: NDArray[np.int64]) -> tuple[Ids, Ids]:
        """Some texts as a table (texts, longest), and where in it there is a piece, 1 or 0."""
        lengths = self.lengths[chosen]
        column = np.arange(int(lengths.max()))
        there = column < lengths[:, None]
        place = np.where(there, self.begins[chosen][:, None] + column, 0)
        return np.where(there, self.ids[place], 0).astype(np.int32), there.astype(np.int32)


def cut(texts: Sequence[str]) -> Pieces:
    """Cut texts into word pieces; an empty one has its start and end alone."""
    known = _vocabulary()
    start, end = known[START], known[END]
    ids: list[int] = [start]
    begins = [0]
    for word in _spelt(texts).split():
        if word == _BETWEEN:
            del ids[begins[-1] + PIECES_MAX - 1 :]
            ids.append(end)
            begins.append(len(ids))
            ids.append(start)
        else:
            ids += _of_word(word)
    ids.pop()  # the start of a text that does not follow
    return Pieces(np.array(ids, np.int32), np.array(begins, np.int64))


def _spelt(texts: Sequence[str]) -> str:
    """Case and accents put aside, signs and ideographs apart, and a mark after each text."""
    mark = f" {_BETWEEN} "
    joined = "".join(text[:LENGTH_MAX].replace(_BETWEEN, "") + mark for text in texts)
    joined = unicodedata.normalize("NFD", joined)
    return joined.translate({ord(c): _letter(c) for c in set(joined)}).lower()


@lru_cache(maxsize=100_000)
def _letter(c: str) -> str:
    if c == _BETWEEN:
        return c
    kind = unicodedata.category(c)
    if c in "\t\n\r" or kind == "Zs":
        return " "
    if kind[0] == "C" or kind == "Mn" or c == "\ufffd":
        return ""
    is_sign = kind[0] == "P" or (c.isascii() and not c.isalnum())
    return f" {c} " if is_sign or _is_ideograph(ord(c)) else c


def _is_ideograph(code: int) -> bool:
    return (
        0x4E00 <= code <= 0x9FFF
        or 0x3400 <= code <= 0x4DBF
        or 0x20000 <= code <= 0x2CEAF
        or 0xF900 <= code <= 0xFAFF
        or 0x2F800 <= code <= 0x2FA1F
    )


@cache
def _vocabulary() -> dict[str, int]:
    words = VOCABULARY.read_text(encoding="utf-8").split("\n")
    return {word: place for place, word in enumerate(words) if word}


@lru_cache(maxsize=WORDS_KEPT)
def _of_word(word: str) -> tuple[int, ...]:
    known = _vocabulary()
    if len(word) > WORD_MAX:
        return (known[UNKNOWN],)
    found, at = [], 0
    while at < len(word):
        sign = "##" if at else ""
        upto = next((k for k in range(len(word), at, -1) if sign + word[at:k] in known), at)
        if upto == at:
            return (known[UNKNOWN],)
        found.append(known[sign + word[at:upto]])
        at = upto
    return tuple(found)
