"""Words to hashed features: words, words after a negation, pairs of words, character n-grams within words.

Feature hashing after Weinberger et al. 2009, "Feature hashing for large scale multitask learning"; words and
pairs after Wang and Manning 2012, "Baselines and bigrams". A whole batch is hashed at once: its characters
are numbers in one array, and the hash of every n-gram is grown from that of the (n-1)-gram before it.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.kit.texts.tokens import Words, words

BITS = 18  # 262,144 buckets
SIZES = (2, 3, 4, 5)  # of character n-grams; the blanks around a word count as characters
REACH = 3  # words after a negation that it turns

NEGATIONS = [
    "not", "no", "never", "none", "nothing", "neither", "nor", "cannot", "without", "hardly", "barely",
    "dont", "doesnt", "didnt", "cant", "wont", "isnt", "wasnt", "don't", "doesn't", "didn't", "can't",
    "won't", "isn't", "wasn't", "aren't", "weren't", "ain't", "haven't", "hasn't", "hadn't", "couldn't",
    "wouldn't", "shouldn't",
    "nicht", "nichts", "kein", "keine", "keinen", "keinem", "keiner", "nie", "niemals", "ohne",
    "pas", "rien", "jamais", "aucun", "aucune", "sans",
    "non", "nessuno", "niente", "nulla", "mai", "senza",
    "nunca", "jamás", "nada", "nadie", "ningún", "ninguna", "sin",
    "não", "nem", "nenhum", "nenhuma", "sem",
    "لا", "ليس", "لم", "لن", "ما", "مش", "بدون",
]  # fmt: skip

_SPACE = 32
_GROW = np.uint64(0x9E3779B97F4A7C15)
_MIX = np.uint64(0xD6E8FEB86659FD93)
_PLAIN, _TURNED, _PAIR = (np.uint64(s) for s in (0xA24BAED4963EE407, 0x45975DA92C7DC80E, 0xE9634C8FC2BBAC15))

Buckets = NDArray[np.int32]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a batch of texts.

    owner : (words,), the text of each word, never falling
    whole : (words,), a hash of each word
    turned : (words,), whether a negation stands shortly before it
    parts : pairs of arrays of one length: the bucket of a feature, and the word it belongs to
    """

    n_texts: int
    owner: Places
    whole: NDArray[np.uint64]
    turned: NDArray[np.bool_]
    parts: tuple[tuple[Buckets, Places], ...]

    def count(self) -> Places:
        """(texts,): how many features each text has."""
        total = np.zeros(self.n_texts, np.int64)
        for _, word in self.parts:
            total += np.bincount(self.owner[word], minlength=self.n_texts)
        return total


@dataclass(frozen=True, slots=True)
class _Letters:
    """The characters of a batch's words, one blank before each word and one at the very end."""

    mixed: NDArray[np.uint64]  # (characters,)
    blanks: Places  # (words + 1,)
    first: NDArray[np.uint32]  # (words,), each word's first character

    @classmethod
    def of(cls, word: Sequence[str]) -> _Letters:
        codes = np.frombuffer((" " + " ".join(word) + " ").encode("utf-32-le"), np.uint32)
        blanks = np.flatnonzero(codes == _SPACE)
        mixed = (codes.astype(np.uint64) + np.uint64(1)) * _MIX
        mixed ^= mixed >> np.uint64(29)
        return cls(mixed, blanks, codes[blanks[:-1] + 1])

    def word_at(self) -> Places:
        """(characters - 1,): the word of each character; a blank belongs to the word after it."""
        return np.repeat(np.arange(len(self.first)), np.diff(self.blanks))

    def hashes(self, word_at: Places) -> NDArray[np.uint64]:
        """(words,): a hash of each whole word."""
        place = np.arange(len(word_at)) - self.blanks[word_at]
        power = np.full(int(place.max()) + 1, _GROW)
        power[0] = 1
        return np.add.reduceat(self.mixed[:-1] * np.cumprod(power)[place], self.blanks[:-1])


def features(given: Words) -> Features:
    """Hash a batch of words."""
    if not given.word:
        return Features(given.n_texts, given.owner, np.zeros(0, np.uint64), np.zeros(0, np.bool_), ())
    letters = _Letters.of(given.word)
    word_at = letters.word_at()
    whole = letters.hashes(word_at)
    turned = _turned(given.owner, letters.first, whole)
    every = np.arange(len(whole))
    second = np.flatnonzero(given.owner[1:] == given.owner[:-1]) + 1
    return Features(
        given.n_texts,
        given.owner,
        whole,
        turned,
        (
            (_bucket(whole ^ np.where(turned, _TURNED, _PLAIN)), every),
            (_bucket((whole[second - 1] * _GROW + whole[second]) ^ _PAIR), second),
            *_grams(letters, word_at),
        ),
    )


def of_texts(texts: pa.StringArray) -> Features:
    """The features of texts; the batch asked for last is remembered, because several models read it in turn."""
    return _last.features(texts)


def words_of(texts: pa.StringArray) -> Words:
    """The words of texts, remembered as `of_texts` remembers."""
    return _last.words(texts)


class _Last(threading.local):
    """The batch that a thread asked for last, known by its texts: a model may have copied them, and to compare
    them is quick."""

    held: tuple[pa.StringArray, Words] | None = None
    hashed: Features | None = None

    def words(self, texts: pa.StringArray) -> Words:
        """Its words; they are hashed only when somebody asks for that."""
        if self.held is None or not self.held[0].equals(texts):
            self.held, self.hashed = (texts, words(texts)), None
        return self.held[1]

    def features(self, texts: pa.StringArray) -> Features:
        cut = self.words(texts)
        if self.hashed is None:
            self.hashed = features(cut)
        return self.hashed


_last = _Last()


def word_hashes(word: Sequence[str]) -> NDArray[np.uint64]:
    """(words,): the hash under which each word is found in `Features.whole`."""
    letters = _Letters.of(word)
    return letters.hashes(letters.word_at())


def _turned(owner: Places, first: NDArray[np.uint32], whole: NDArray[np.uint64]) -> NDArray[np.bool_]:
    """Which words stand within REACH words after a negation, with no other sign between."""
    turns = np.isin(whole, word_hashes(NEGATIONS))
    signs = np.cumsum(~_is_alphanumeric(first))
    turned = np.zeros(len(whole), np.bool_)
    for back in range(1, REACH + 1):
        near = (owner[back:] == owner[:-back]) & (signs[back:] == signs[:-back])
        turned[back:] |= turns[:-back] & near
    return turned


def _is_alphanumeric(characters: NDArray[np.uint32]) -> NDArray[np.bool_]:
    distinct, inverse = np.unique(characters, return_inverse=True)
    known = np.fromiter((chr(c).isalnum() for c in distinct), np.bool_, len(distinct))
    return known[inverse]


def _grams(letters: _Letters, word_at: Places) -> list[tuple[Buckets, Places]]:
    spelt = _is_alphanumeric(letters.first) & (np.diff(letters.blanks) > 2)
    # How many characters may follow one within its word and the blank after it; none in a sign.
    room = np.where(spelt[word_at], letters.blanks[1:][word_at] - np.arange(len(word_at)), -1)
    grown = letters.mixed.copy()
    found = []
    for size in range(2, SIZES[-1] + 1):
        grown = grown[:-1] * _GROW + letters.mixed[size - 1 :]
        if size in SIZES:
            at = np.flatnonzero(room[: len(grown)] >= size - 1)
            found.append((_bucket(grown[at] ^ np.uint64(size)), word_at[at]))
    return found


def _bucket(hashed: NDArray[np.uint64]) -> Buckets:
    mixed = (hashed ^ (hashed >> np.uint64(31))) * _MIX
    return (mixed >> np.uint64(64 - BITS)).astype(np.int32)
