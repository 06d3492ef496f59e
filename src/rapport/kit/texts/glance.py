"""What single words are by themselves, looked at once for each distinct word of a batch.

Most words of a batch are among a few thousand, so whatever is asked of a word is asked of these, and handed to
the places where they stand.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rapport.kit.texts import spoken, valence
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.tokens import SILENT, Words

REMEMBERED = 100_000  # words
REACH = 3  # words after a turning word that it turns
WORD, SIGN, ASKS, EXCLAIMS, LINK, TAG, MENTION, JOIN, SILENT_WORD = range(9)

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Glance:
    """The words of a batch, each distinct one once.

    cut : the words
    distinct : each word once
    at : int32 (words,), its place among them
    kind : int8 (words,), WORD to SILENT_WORD
    is_spelt : (words,), whether it begins with a letter or a digit
    languages : int32 (words,), a bit for each language whose little word it is
    turns : (words,), whether it is a negation
    valence : float64 (words,)
    """

    cut: Words
    distinct: list[str]
    at: NDArray[np.int32]
    kind: NDArray[np.int8]
    is_spelt: Flags
    languages: NDArray[np.int32]
    turns: Flags
    valence: Floats

    def count(self, kind: int) -> Floats:
        """(texts,): how many words of a kind each text has."""
        return np.bincount(self.cut.owner[self.kind == kind], minlength=self.cut.n_texts).astype(np.float64)

    def may_be(self) -> Flags:
        """(texts, languages): whether a text may be in a language.

        It may where it has as many of that language's little words as of any other's; a text with none may be
        in any. Letters decide for Korean and Arabic.
        """
        owner, n = self.cut.owner, self.cut.n_texts
        some = np.flatnonzero(self.languages)
        bits, of = self.languages[some], owner[some]
        counts = np.stack(
            [np.bincount(of[(bits >> k) & 1 == 1], minlength=n) for k in range(len(spoken.LANGUAGES))],
            axis=1,
        )
        return np.asarray(counts >= counts.max(axis=1, keepdims=True))

    def turned(self) -> Flags:
        """(words,): whether a negation stands within REACH words before, with no sign between."""
        owner, signs = self.cut.owner, np.cumsum(~self.is_spelt)
        found = np.zeros(len(owner), np.bool_)
        for place in range(1, REACH + 1):
            at = (
                np.flatnonzero(self.turns[: len(owner) - place])
                if len(owner) > place
                else np.zeros(0, np.int64)
            )
            near = (owner[at + place] == owner[at]) & (signs[at + place] == signs[at])
            found[at[near] + place] = True
        return found

    def begins(self) -> Flags:
        """(words,): whether each word stands first in its text or after a sign other than a hyphen."""
        owner = self.cut.owner
        begins = np.ones(len(owner), np.bool_)
        begins[1:] = (~self.is_spelt & (self.kind != JOIN))[:-1] | (owner[1:] != owner[:-1])
        return begins


def of(cut: Words) -> Glance:
    """Look at a batch; the batch that a thread looked at last is remembered."""
    if _last.seen is not None and _last.seen.cut is cut:
        return _last.seen
    place = {w: k for k, w in enumerate(dict.fromkeys(cut.word))}
    at = np.fromiter((place[w] for w in cut.word), np.int32, len(cut.word))
    distinct = list(place)
    kinds, spelt, languages, turns, values = (
        zip(*map(_word, distinct), strict=True) if distinct else ((), (), (), (), ())
    )
    found = Glance(
        cut,
        distinct,
        at,
        np.array(kinds, np.int8)[at],
        np.array(spelt, np.bool_)[at],
        np.array(languages, np.int32)[at],
        np.array(turns, np.bool_)[at],
        np.array(values, np.float64)[at],
    )
    _last.seen = found
    return found


class _Last(threading.local):
    """What a thread looked at last."""

    seen: Glance | None = None


_last = _Last()
_KINDS = {"http": LINK, "#": TAG, "@user": MENTION, "-": JOIN, "'": JOIN}


@lru_cache(maxsize=REMEMBERED)
def _word(word: str) -> tuple[int, bool, int, bool, float]:
    if word[0] in "?!":
        kind = ASKS if "?" in word else EXCLAIMS
    elif word in _KINDS:
        kind = _KINDS[word]
    elif word in SILENT:
        kind = SILENT_WORD
    else:
        kind = WORD if word[0].isalnum() else SIGN
    return kind, word[0].isalnum(), spoken.languages(word), spoken.turns(word), valence.of_word(word)
