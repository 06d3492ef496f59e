"""Which entries a question is about: how alike it is to how each was put before, to its title and its solution.

Two measures side by side: rare words and letters in common (`cutting`), which also finds part numbers and works
in every language; and vectors of meaning, which find other words for the same. Each is asked of the nearest
wording, of all wordings of the entry together, of the title and of the solution. `weighing` learns how much
each of these counts, from the firm's own wordings.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.kit.texts import spoken
from rapport.knowledge.rules import cutting

NAMES = (
    "nearest wording by words", "all wordings by words", "title by words", "solution by words",
    "nearest wording by meaning", "all wordings by meaning", "title by meaning", "solution by meaning",
    "how often asked", "has wordings",
)  # fmt: skip
AT_ONCE = 64  # questions
_LITTLE = frozenset(
    word for words in spoken.LITTLE.values() for word in words.split()
)  # they tell nobody anything

Floats = NDArray[np.float64]
Single = NDArray[np.float32]
Ints = NDArray[np.int64]
Meaning = Callable[[Sequence[str]], Single]


@dataclass(frozen=True, slots=True)
class Known:
    """One entry as it is looked for."""

    key: str
    title: str
    solution: str
    wordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Questions as rows: float32 (questions, SIZE) and float32 (questions, size of a vector)."""

    words: sp.csr_matrix
    meanings: Single

    def part(self, at: slice) -> Asked:
        return Asked(self.words[at], self.meanings[at])


@dataclass(frozen=True, slots=True)
class Index:
    """All entries, ready to be asked.

    owner : int64 (wordings,), the entry of each wording, never falling
    words, titles, solutions : float32 (features, rows), transposed, so that a question walks its own features alone
    """

    keys: tuple[str, ...]
    texts: tuple[str, ...]  # of the wordings
    owner: Ints
    rarity: cutting.Rarity
    words: sp.csr_matrix
    titles: sp.csr_matrix
    solutions: sp.csr_matrix
    word_lengths: Floats  # (entries,), of the sum of an entry's wordings and title
    meanings: Single
    title_meanings: Single
    solution_meanings: Single
    meaning_squares: (
        Floats  # (entries,), the squared length of the sum of an entry's vectors, its title's included
    )

    @property
    def n_wordings(self) -> Ints:
        """(entries,): how many wordings each has."""
        return np.bincount(self.owner, minlength=len(self.keys))

    def ask(self, questions: Sequence[str], meaning: Meaning) -> Asked:
        """Questions as rows."""
        counted = self.rarity.weighed(cutting.counts(questions))
        return Asked(counted, meaning([cutting.plain(text) for text in questions]))

    def own(self) -> Asked:
        """Every wording, asked as a question."""
        return Asked(self.words.T.tocsr(), self.meanings)

    def likeness(self, asked: Asked, hidden: Ints | None = None) -> Floats:
        """float64 (questions, entries, NAMES): how alike each question and each entry are, in each way.

        hidden : (questions,), a wording each question must not see: itself, where wordings are asked
        """
        return self.of_entries(asked, self.of_wordings(asked), hidden)

    def of_wordings(self, asked: Asked) -> tuple[Single, Single]:
        """float32 (questions, wordings), twice: how alike each question and each wording are, by words, by meaning."""
        return _dense(asked.words @ self.words), asked.meanings @ self.meanings.T

    def of_entries(self, asked: Asked, each: tuple[Single, Single], hidden: Ints | None = None) -> Floats:
        """The likeness to entries, from that to their wordings; what is hidden is set to nothing in `each` by words."""
        n = self.n_wordings
        out = np.zeros((asked.meanings.shape[0], len(self.keys), len(NAMES)))
        by_words, meant_each = each
        by_meaning = np.maximum(meant_each, 0.0)
        out[:, :, 2] = _dense(asked.words @ self.titles)
        out[:, :, 3] = _dense(asked.words @ self.solutions)
        out[:, :, 6] = asked.meanings @ self.title_meanings.T
        out[:, :, 7] = asked.meanings @ self.solution_meanings.T
        together = self._sums(by_words) + out[:, :, 2]
        meant = self._sums(meant_each) + out[:, :, 6]
        length = np.repeat(self.word_lengths[None, :] ** 2, len(out), axis=0)
        meant_length = np.repeat(self.meaning_squares[None, :], len(out), axis=0)
        times = np.repeat(n[None, :], len(out), axis=0).astype(np.float64)
        if hidden is not None:
            row, entry = np.arange(len(out)), self.owner[hidden]
            by_words[row, hidden] = by_meaning[row, hidden] = 0.0
            # |s - x|^2 = |s|^2 - 2 s.x + 1, and s.x is what the question found, being x itself.
            length[row, entry] += 1 - 2 * together[row, entry]
            meant_length[row, entry] += 1 - 2 * meant[row, entry]
            together[row, entry] -= 1
            meant[row, entry] -= 1
            times[row, entry] -= 1
        out[:, :, 0] = self._nearest(by_words)
        out[:, :, 4] = self._nearest(by_meaning)
        out[:, :, 1] = together / np.sqrt(np.maximum(length, 1e-6))
        out[:, :, 5] = meant / np.sqrt(np.maximum(meant_length, 1e-6))
        out[:, :, 8] = np.log1p(times)
        out[:, :, 9] = times > 0
        return out

    def in_parts(self, asked: Asked, hidden: Ints | None = None) -> Iterator[tuple[slice, Floats]]:
        """The likeness of many questions, some at a time."""
        for at in range(0, asked.meanings.shape[0], AT_ONCE):
            part = slice(at, at + AT_ONCE)
            yield part, self.likeness(asked.part(part), None if hidden is None else hidden[part])

    def _nearest(self, found: Single | Floats) -> Floats:
        """(questions, entries): the most that a wording of each entry has; nothing where it has no wording."""
        out = np.zeros((len(found), len(self.keys)))
        if found.shape[1]:
            first = np.flatnonzero(np.r_[True, np.diff(self.owner) > 0])
            out[:, self.owner[first]] = np.maximum.reduceat(found, first, axis=1)
        return out

    def _sums(self, found: Single | Floats) -> Floats:
        out = np.zeros((len(found), len(self.keys)))
        if found.shape[1]:
            first = np.flatnonzero(np.r_[True, np.diff(self.owner) > 0])
            out[:, self.owner[first]] = np.add.reduceat(found, first, axis=1)
        return out


@dataclass(frozen=True, slots=True)
class Meanings:
    """Vectors that somebody kept: of all wordings in order, of the titles, of the solutions."""

    wordings: Single
    titles: Single
    solutions: Single


def texts_of(entries: Sequence[Known]) -> tuple[list[str], list[str], list[str]]:
    """All wordings in order, the titles, the solutions."""
    return (
        [text for entry in entries for text in entry.wordings],
        [entry.title for entry in entries],
        [entry.solution for entry in entries],
    )


def build(entries: Sequence[Known], meaning: Meaning, kept: Meanings | None = None) -> Index:
    """Make entries ready; `kept` are the vectors of their texts, where somebody kept them."""
    texts, titles, solutions = texts_of(entries)
    owner = np.repeat(np.arange(len(entries)), [len(entry.wordings) for entry in entries])
    counted = [cutting.counts(part) for part in (texts, titles, solutions)]
    rarity = cutting.Rarity.of(sp.vstack(counted, format="csr"))
    words, title_words, solution_words = (rarity.weighed(part) for part in counted)
    if kept is None:
        kept = Meanings(
            *(meaning([cutting.plain(text) for text in part]) for part in (texts, titles, solutions))
        )
    belongs = sp.csr_matrix(
        (np.ones(len(texts), np.float32), (owner, np.arange(len(texts)))), shape=(len(entries), len(texts))
    )
    together = belongs @ words + title_words
    lengths = np.sqrt(np.asarray(together.multiply(together).sum(axis=1), np.float64).ravel())
    sums = np.asarray(belongs @ kept.wordings + kept.titles, np.float32)
    return Index(
        keys=tuple(entry.key for entry in entries),
        texts=tuple(texts),
        owner=owner.astype(np.int64),
        rarity=rarity,
        words=words.T.tocsr(),
        titles=title_words.T.tocsr(),
        solutions=solution_words.T.tocsr(),
        word_lengths=lengths,
        meanings=kept.wordings,
        title_meanings=kept.titles,
        solution_meanings=kept.solutions,
        meaning_squares=np.einsum("kd,kd->k", sums, sums, dtype=np.float64),
    )


def shared_words(question: str, text: str, rarity: cutting.Rarity, most: int = 4) -> tuple[str, ...]:
    """The words that a question shares with a text, those that tell most first."""
    there = set(cutting.words(text))
    mine = [
        w for w in dict.fromkeys(cutting.words(question)) if w in there and len(w) > 1 and w not in _LITTLE
    ]
    if not mine:
        return ()
    counted = cutting.counts(mine)
    # The bucket of the whole word is among the rarest of its own: what it tells is the mean over its features.
    weight = [
        float(rarity.weight[counted[k].indices].mean()) if counted[k].nnz else 0.0 for k in range(len(mine))
    ]
    usual = float(np.median(rarity.weight[rarity.weight > 0])) if (rarity.weight > 0).any() else 0.0
    order = sorted(range(len(mine)), key=lambda k: -weight[k])
    telling = [mine[k] for k in order if weight[k] > 0.45 * usual or len(mine) <= most]
    return tuple(telling[:most])


def _dense(matrix: sp.csr_matrix) -> Single:
    return np.asarray(matrix.toarray(), np.float32)
