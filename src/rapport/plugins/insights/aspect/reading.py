"""What stands around a mention: words by how near they are, whether in the same part of the sentence, and how they judge.

A judgement belongs to what stands nearest in the same clause (Ding, Liu and Yu 2008, "A holistic lexicon-based approach
to opinion mining"; features after Kiritchenko et al. 2014, "NRC-Canada-2014"). Distance is counted in words, and a
comma, an `and`, a `but` and the end of a sentence each put what follows further away.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.kit.texts import hashing, pairs
from rapport.kit.texts.hashing import BITS, Features
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import Words
from rapport.plugins.insights.aspect import mentions
from rapport.plugins.insights.aspect.mentions import Catalogue, Mentions, Places

HERE = Path(__file__).parent
DISTANT = 60.0  # beyond it a word says nothing of a mention
# How much further away what follows is.
STEP_PAUSE, STEP_JOIN, STEP_TURN, STEP_END = 2.0, 1.0, 6.0, 8.0
NEAR, WIDE = 2.5, 8.0  # the distances at which a word's say falls to 1/e
TURNED = -0.7  # what is left of a judgement after a negation
SAY = 0.1  # of dense features beside hashed ones; sums over a text are ten times what one word says

# Dense columns behind the hashed ones.
DENSE = (
    "good near", "bad near", "good wide", "bad wide", "good in clause", "bad in clause", "good in text", "bad in text",
    "listed good near", "listed bad near", "listed good wide", "listed bad wide",
    "listed good in clause", "listed bad in clause", "listed good in text", "listed bad in text",
)  # fmt: skip
COLUMNS = (1 << BITS) + len(DENSE)

_TURNED = np.uint64(0x45975DA92C7DC80E)
_KINDS = {name: np.uint64(0x9E37_79B9_7F4A_7C15 * (k + 3) & (1 << 64) - 1) for k, name in enumerate(
    ("text", "clause", "near", "pair", "beside", "gram"))}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Valence:
    """How words judge at all.

    buckets : float32 (buckets,), of each bucket of `hashing`, learnt from texts that judge
    known : uint32 (lexicon,), ascending: the upper half of the hash of each word of the lexicons
    listed : float32 (lexicon,), how each judges, in [-1, 1]
    foreign : uint32 (foreign,), ascending: likewise, of words that are more usual in another language than in that of
        the labelled targets; what was learnt of their spelling there says nothing (`war` is no war in German)
    """

    buckets: NDArray[np.float32]
    known: NDArray[np.uint32]
    listed: NDArray[np.float32]
    foreign: NDArray[np.uint32]

    def of_words(self, found: Features) -> Floats:
        """float64 (words,), as learnt; a word's pair and its letters speak with it."""
        judged = np.zeros(len(found.whole))
        for bucket, word in found.parts:
            judged += np.bincount(word, weights=self.buckets[bucket], minlength=len(judged))
        return judged

    def listed_words(self, found: Features) -> Floats:
        """float64 (words,), as the lexicons have it; 0 of a word that they lack."""
        if not len(self.known):
            return np.zeros(len(found.whole))
        short = short_hash(found.whole)
        place = np.minimum(np.searchsorted(self.known, short), len(self.known) - 1)
        return np.where(self.known[place] == short, self.listed[place], 0).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Read:
    """What stands around each aspect that each text mentions.

    text, aspect : int64 (pairs,), ascending by text, then aspect
    named : int64 (pairs,), the first word that names the aspect
    pair, word : int64 (heard,), each word that has a say in a pair, the pair never falling
    column, value, heard : the features: a column, its value, and the place in `word` that it comes from
    """

    text: Places
    aspect: Places
    named: Places
    pair: Places
    word: Places
    column: Places
    value: NDArray[np.float32]
    heard: Places

    def matrix(self) -> sp.csr_matrix:
        """float32 CSR (pairs, COLUMNS)."""
        return sp.csr_matrix(
            (self.value, (self.pair[self.heard], self.column)), shape=(len(self.text), COLUMNS)
        )


def short_hash(whole: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The half of a word's hash that the lexicon keeps."""
    return (whole >> np.uint64(32)).astype(np.uint32)


def read(catalogue: Catalogue, cut: Words, found: Features, valence: Valence) -> Read:
    """Read a batch of texts."""
    named = mentions.find(catalogue, cut, found.whole)
    clause, at = _clauses(found)
    key, pair_of = np.unique(np.stack([cut.owner[named.word], named.aspect]), axis=1, return_inverse=True)
    text, aspect = key[0], key[1]
    heard, word, side, distance, same = _heard(cut, named, pair_of.reshape(-1), text, clause, at)
    # After a negation a listed word says about the opposite; learnt words know that by themselves.
    turn = np.where(found.turned, TURNED, 1.0)
    own = turn * named.valence
    listed = turn * (valence.listed_words(found) + mentions.find(_judging_words(), cut, found.whole).valence)
    judged = valence.of_words(found)
    # What names the aspect says nothing of how it fares, unless the catalogue says that it does.
    judged[named.word] = listed[named.word] = 0
    columns: list[Places] = []
    values: list[Floats] = []
    places: list[Places] = []

    def add(column: Any, value: Floats, place: Places) -> None:
        columns.append(np.asarray(column, np.int64))
        values.append(value)
        places.append(place)

    n_words = np.bincount(heard, minlength=len(text)).astype(np.float64)
    short = 1 / np.sqrt(np.maximum(n_words, 1))[heard]
    near, wide = np.exp(-distance / NEAR), np.exp(-distance / WIDE)
    spelt = found.whole[word] ^ np.where(found.turned[word], _TURNED, np.uint64(0))
    others = (side != 0) & ~np.isin(short_hash(found.whole), valence.foreign)[word]
    every = np.flatnonzero(others)
    add(_bucket(spelt[every], "text"), 0.5 * short[every], every)
    inside = np.flatnonzero(same & others)
    add(_bucket(spelt[inside], "clause"), 0.7 * wide[inside], inside)
    close = np.flatnonzero((distance <= 3 * NEAR) & others)
    add(_bucket(spelt[close], "near"), near[close], close)
    follows = inside[inside > 0]
    follows = follows[(heard[follows - 1] == heard[follows]) & same[follows - 1]]
    both = found.whole[word[follows - 1]] * pairs.GROW + found.whole[word[follows]]
    add(_bucket(both, "pair"), 0.7 * wide[follows], follows)
    beside = np.flatnonzero((np.abs(side) <= 2) & others)
    add(_bucket(spelt[beside] + side[beside].astype(np.uint64), "beside"), np.full(len(beside), 0.4), beside)
    _grams(add, found, word, wide * same * others)
    weights = (near, wide, wide * same, short)
    _dense(add, 0, SAY * judged[word], weights)
    _dense(add, 2 * len(weights), (listed + own)[word], weights)
    column, value, place = np.concatenate(columns), np.concatenate(values), np.concatenate(places)
    first = np.full(len(text), len(cut.word))
    np.minimum.at(first, pair_of.reshape(-1), named.word)
    return Read(text, aspect, first, heard, word, column, value.astype(np.float32), place)


def _clauses(found: Features) -> tuple[Places, Floats]:
    """(words,): the number of the part of the sentence, and how far along the text each word stands."""
    ends, turns, pauses, joins = (np.isin(found.whole, hashes) for hashes in _signs())
    breaks = ends | turns
    step = 1.0 + STEP_END * ends + STEP_TURN * turns + STEP_PAUSE * pauses + STEP_JOIN * joins
    return np.cumsum(breaks), np.cumsum(step)


@cache
def _language() -> dict[str, Any]:
    return tomllib.loads((HERE / "language.toml").read_text(encoding="utf-8"))


@cache
def _signs() -> tuple[NDArray[np.uint64], ...]:
    given = _language()
    return tuple(hashing.word_hashes(given[kind]) for kind in ("end", "turn", "pause", "join"))


@cache
def _judging_words() -> Catalogue:
    return mentions.signed_words(word for words in _language()["valence"].values() for word in words)


def _heard(
    cut: Words, named: Mentions, pair_of: Places, text: Places, clause: Places, at: Floats
) -> tuple[Places, Places, Places, Floats, NDArray[np.bool_]]:
    """Every word that has a say in a pair: the pair, the word, its side, its distance, whether in the same clause.

    A word is heard by the mention of that aspect that stands nearest to it.
    """
    starts = np.searchsorted(cut.owner, text)
    ends = np.searchsorted(cut.owner, text, side="right")
    order = np.lexsort((named.word, pair_of))
    mention, pair_of = named.word[order], pair_of[order]
    stands = at[mention]
    # `at` rises, so the words that a mention is nearest to lie side by side: however often a text names an
    # aspect, each of its words is looked at once.
    first = np.maximum(np.searchsorted(at, stands - DISTANT), starts[pair_of])
    end = np.minimum(np.searchsorted(at, stands + DISTANT, side="right"), ends[pair_of])
    again = pair_of[1:] == pair_of[:-1]
    middle = np.searchsorted(at, (stands[1:] + stands[:-1]) / 2, side="right")
    first[1:] = np.where(again, np.maximum(first[1:], middle), first[1:])
    end[:-1] = np.where(again, np.minimum(end[:-1], middle), end[:-1])
    n = end - first
    word = np.repeat(first - np.cumsum(n) + n, n) + np.arange(n.sum())
    pair, centre = np.repeat(pair_of, n), np.repeat(mention, n)
    distance = np.abs(at[word] - at[centre])
    return pair, word, word - centre, distance, clause[word] == clause[centre]


def _grams(add: Any, found: Features, word: Places, weight: Floats) -> None:
    """The letters inside words, so that forms of a word are known together."""
    if not len(found.parts) or not len(word):
        return
    for bucket, owner in found.parts[3:]:
        # Every gram of a word that is heard, for each pair that hears it.
        start, end = np.searchsorted(owner, word), np.searchsorted(owner, word, side="right")
        n = end - start
        place = np.repeat(np.arange(len(word)), n)
        gram = start[place] + np.arange(len(place)) - np.repeat(np.cumsum(n) - n, n)
        value = 0.3 * weight[place] / np.sqrt(np.maximum(n, 1))[place]
        said = value > 0.01
        add(_bucket(bucket[gram[said]].astype(np.uint64), "gram"), value[said], place[said])


def _dense(add: Any, first: int, judged: Floats, weights: tuple[Floats, ...]) -> None:
    """Praise and blame apart, each weighed in several ways."""
    for k, weight in enumerate(weights):
        for half, sign in enumerate((1.0, -1.0)):
            value = np.maximum(sign * judged, 0) * weight
            place = np.flatnonzero(value > 0)
            add(np.full(len(place), (1 << BITS) + first + 2 * k + half), value[place], place)


def _bucket(hashed: NDArray[np.uint64], kind: str) -> NDArray[np.int32]:
    return pairs.bucket(hashed * pairs.GROW ^ _KINDS[kind])


def target() -> Catalogue:
    """The catalogue of one aspect that is spelt as the mark of a labelled text."""
    return Catalogue.of({"target": {"words": {"": [mentions.MARKED]}}})


def one_each(texts: pa.StringArray, valence: Valence, batch: int) -> list[Read]:
    """Marked texts, batch by batch."""
    catalogue = target()
    return [
        read(catalogue, hashing.words_of(part), hashing.of_texts(part), valence)
        for part in (texts.slice(k, batch) for k in range(0, len(texts), batch))
    ]
