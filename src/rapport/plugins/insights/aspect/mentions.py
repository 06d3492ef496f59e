"""Where a text names an aspect of the catalogue, and which of its words judge by themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.kit.texts import tokens
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import Words

Places = NDArray[np.int64]

MARK = "$T$"  # stands in a labelled text where its target stands
MARKED = "qzxtargetxzq"  # how the mark is spelt once words are cut; nobody writes it
WORD_LONGEST = 24  # characters of a beginning that is looked up


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase of a catalogue.

    aspect : its place in the catalogue
    words : as they are cut; the last one may end in any way
    is_open : whether it may
    sign : -1 or 1 where whoever uses it judges, else 0
    """

    aspect: int
    words: tuple[str, ...]
    is_open: bool
    sign: int


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The aspects by key, with a way to find each one's words."""

    keys: tuple[str, ...]
    whole: Mapping[str, tuple[Entry, ...]]  # single words, by themselves
    begun: Mapping[str, tuple[Entry, ...]]  # single words, by how they begin
    phrases: tuple[Entry, ...]  # of several words

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Catalogue:
        """From keys with words by language; words of all languages are looked for in every text."""
        entries = [
            entry
            for place, aspect in enumerate(given.values())
            for words in aspect["words"].values()
            for spelt in words
            if (entry := _entry(place, spelt))
        ]
        single = [e for e in entries if len(e.words) == 1]
        return cls(
            tuple(given),
            _by_word(e for e in single if not e.is_open),
            _by_word(e for e in single if e.is_open),
            tuple(sorted({e for e in entries if len(e.words) > 1}, key=_longest_first)),
        )


@dataclass(frozen=True, slots=True)
class Mentions:
    """Which words of a batch name which aspect.

    aspect : int64 (mentions,), place in the catalogue
    word : int64 (mentions,), the word, the first one of a phrase; by text, then by place
    valence : float64 (words,), what words of the catalogue judge by themselves, in [-1, 1]
    """

    aspect: Places
    word: Places
    valence: Floats


def find(catalogue: Catalogue, cut: Words, whole: NDArray[np.uint64]) -> Mentions:
    """Every word or phrase of the catalogue; a longer phrase hides the words inside it.

    whole : (words,), a hash of each word
    """
    _, first, place = np.unique(whole, return_index=True, return_inverse=True)
    vocabulary = [cut.word[k] for k in first.tolist()]
    aspects, words, signs = _phrases(catalogue, cut, vocabulary, place)
    hidden = np.zeros(len(cut.word), np.bool_)
    for at, n in words:
        hidden[at : at + n] = True
    single: dict[int, list[Entry]] = {
        k: found for k, w in enumerate(vocabulary) if (found := _entries(catalogue, w))
    }
    named = np.isin(place, np.fromiter(single, np.int64, len(single))) & ~hidden
    at_word = [at for at, _ in words]
    for at in np.flatnonzero(named).tolist():
        for entry in single[int(place[at])]:
            aspects.append(entry.aspect)
            at_word.append(at)
            signs.append(entry.sign)
    valence = np.zeros(len(cut.word))
    word = np.array(at_word, np.int64)
    valence[word[np.array(signs, np.int64) != 0]] = np.array([s for s in signs if s], np.float64)
    pair = (
        np.unique(np.stack([word, np.array(aspects, np.int64)]), axis=1)
        if aspects
        else np.zeros((2, 0), np.int64)
    )
    return Mentions(pair[1], pair[0], valence)


def signed_words(given: Iterable[str]) -> Catalogue:
    """A list of words that judge, as a catalogue of one aspect."""
    return Catalogue.of({"": {"words": {"": list(given)}}})


def marked(texts: Sequence[str], target: Sequence[str | None]) -> pa.StringArray:
    """Labelled texts with the target spelt as one word that nothing else is."""
    spelt = [
        text.replace(MARK, f" {MARKED} ", 1).replace(MARK, " ")
        if MARK in text
        else _first_marked(text, wanted or "")
        for text, wanted in zip(texts, target, strict=True)
    ]
    found: pa.StringArray = pa.array(spelt, pa.string())
    return found


def _first_marked(text: str, wanted: str) -> str:
    at = text.lower().find(wanted.lower()) if wanted else -1
    return text if at < 0 else f"{text[:at]} {MARKED} {text[at + len(wanted) :]}"


def _entry(aspect: int, spelt: str) -> Entry | None:
    head, _, last = spelt.strip().rpartition(" ")
    sign = {"+": 1, "-": -1, "−": -1}.get(last, 0) if head else 0
    plain = head.strip() if sign else spelt.strip()
    is_open = plain.endswith("*")
    cut = _cut(plain.rstrip("*"))
    return Entry(aspect, cut, is_open, sign) if cut else None


@lru_cache(maxsize=20_000)
def _cut(spelt: str) -> tuple[str, ...]:
    return tuple(tokens.words(pa.array([spelt], pa.string())).word)


def _longest_first(entry: Entry) -> tuple[Any, ...]:
    """Where phrases overlap the first one stands, so their order is the same in every process."""
    return -len(entry.words), entry.words, entry.aspect, entry.is_open, entry.sign


def _by_word(entries: Iterable[Entry]) -> dict[str, tuple[Entry, ...]]:
    found: dict[str, tuple[Entry, ...]] = {}
    for entry in entries:
        found[entry.words[0]] = (*found.get(entry.words[0], ()), entry)
    return found


def _entries(catalogue: Catalogue, word: str) -> list[Entry]:
    """The entries that a word stands for, one of each aspect, the longest first."""
    found = list(catalogue.whole.get(word, ()))
    for n in range(min(len(word), WORD_LONGEST), 0, -1):
        found += catalogue.begun.get(word[:n], ())
    by_aspect: dict[int, Entry] = {}
    for entry in found:
        by_aspect.setdefault(entry.aspect, entry)
    return list(by_aspect.values())


def _phrases(
    catalogue: Catalogue, cut: Words, vocabulary: list[str], place: Places
) -> tuple[list[int], list[tuple[int, int]], list[int]]:
    """Aspect, (first word, number of words) and sign of every phrase found."""
    known = {w: k for k, w in enumerate(vocabulary)}
    aspects: list[int] = []
    words: list[tuple[int, int]] = []
    signs: list[int] = []
    taken = np.zeros(len(place), np.bool_)
    for entry in catalogue.phrases:
        first = known.get(entry.words[0])
        if first is None:
            continue
        n = len(entry.words)
        at = np.flatnonzero(place == first)
        at = at[at + n <= len(place)]
        at = at[cut.owner[at + n - 1] == cut.owner[at]]
        for k, word in enumerate(entry.words[1:], 1):
            begins = entry.is_open and k == n - 1
            spelt = {i: vocabulary[i] for i in set(place[at + k].tolist())}
            here = [i for i, w in spelt.items() if w == word or (begins and w.startswith(word))]
            at = at[np.isin(place[at + k], here)]
        for start in at[~taken[at]].tolist():
            taken[start : start + n] = True
            aspects.append(entry.aspect)
            words.append((start, n))
            signs.append(entry.sign)
    return aspects, words, signs
