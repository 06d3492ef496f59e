"""Phrases found in a whole batch of texts at once: words, stems, alternatives and optional words.

A phrase is written as slots with blanks between them: `stem*` is any word that begins so, `a|b` either word,
`~a` a word that may be missing, `_` any one word, `^` in front the beginning of a sentence. `?` and `!` stand
for any run of such signs. Phrases become steps of one automaton, and all words of a batch that are still in the
running take the next step together, which costs one look-up (after Aho and Corasick 1975, "Efficient string
matching"; with sets of steps instead of failure links, because phrases are short).

Accents and case are folded on both sides, because on a telephone few people write them. A word with an
apostrophe that nothing begins like is looked up again without what stands before it (`l'écran`), and one in
Arabic letters without its article and joined particles.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.kit.errors import Invalid
from rapport.kit.texts.glance import REMEMBERED, Glance
from rapport.kit.texts.tokens import fold, words

Places = NDArray[np.int64]

STEM_MIN = 2  # letters; a shorter stem is every second word, but in Korean one sign is a syllable

_SIGNS = ("?", "!")
_ARABIC_HEADS = ("وال", "بال", "فال", "كال", "ال", "لل", "و", "ف", "ب", "ل")
_NONE, _OTHER = 0, 1  # a sign that no phrase has; a word that no phrase has


@dataclass(frozen=True, slots=True)
class Found:
    """Where phrases were found, one row per phrase and place.

    phrase : int64, its position in the sequence that was compiled
    first, size : int64, the first word of the batch that it covers, and how many it covers
    """

    phrase: Places
    first: Places
    size: Places

    def rows(self, chosen: NDArray[np.bool_] | Places) -> Found:
        """Some of the rows."""
        return Found(self.phrase[chosen], self.first[chosen], self.size[chosen])

    def longest(self) -> Found:
        """Without what lies strictly inside something longer: `not happy` is not `happy`."""
        if not len(self.first):
            return self
        order = np.lexsort((-self.size, self.first))
        first, end = self.first[order], (self.first + self.size)[order]
        fresh = np.ones(len(order), np.bool_)
        fresh[1:] = (first[1:] != first[:-1]) | (end[1:] != end[:-1])
        span = np.cumsum(fresh) - 1
        reach = np.maximum.accumulate(end[fresh])
        inside = np.zeros(len(reach), np.bool_)
        inside[1:] = reach[:-1] >= end[fresh][1:]
        kept = np.empty(len(order), np.bool_)
        kept[order] = ~inside[span]
        return self.rows(kept)


@dataclass(frozen=True, slots=True)
class _Fan:
    """What follows what: for each key the steps it leads to, as one array with the place where each key's begin."""

    keys: Places  # ascending
    starts: Places  # (keys + 1,)
    to: Places

    @classmethod
    def of(cls, pairs: Sequence[tuple[int, int]]) -> _Fan:
        flat = np.array(sorted(set(pairs)), np.int64).reshape(-1, 2)
        keys, first = np.unique(flat[:, 0], return_index=True)
        return cls(keys, np.append(first, len(flat)).astype(np.int64), flat[:, 1].copy())

    def follow(self, asked: Places) -> tuple[Places, Places]:
        """Positions in `asked`, each as often as it leads on, and where to."""
        if not len(self.keys) or not len(asked):
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        place = np.minimum(np.searchsorted(self.keys, asked), len(self.keys) - 1)
        there = np.flatnonzero(self.keys[place] == asked)
        place = place[there]
        count = self.starts[place + 1] - self.starts[place]
        shift = np.repeat(self.starts[place] - np.cumsum(count) + count, count)
        return np.repeat(there, count), self.to[shift + np.arange(len(shift))]


@dataclass(slots=True)
class Phrases:
    """Phrases compiled into steps; `of` makes it.

    A step is one slot of one phrase: a word is there, and so was all that had to stand before it.
    """

    exact: dict[str, int]
    stems: dict[str, int]
    lengths: tuple[int, ...]  # of stems, the longest first
    anywhere: _Fan  # word -> first steps
    at_beginning: _Fan
    by_word: _Fan  # step * symbols + word -> next steps
    by_any: _Fan  # step -> next steps, whatever the word
    ends: Places  # (steps,): the phrase that is complete with a step, or -1
    remembered: dict[str, int] = field(default_factory=dict)

    @property
    def n_symbols(self) -> int:
        """How many different words and stems the phrases have, and two for everything else."""
        return 2 + len(self.exact) + len(self.stems)

    @classmethod
    def of(cls, patterns: Sequence[str]) -> Phrases:
        """Compile; raises Invalid for a pattern that cannot be read."""
        cut = _cut({word for pattern in patterns for word in _pieces(pattern)})
        read = [_read(pattern, cut) for pattern in patterns]
        spelt = sorted({w for slots in read for slot in slots for choice in slot.choices for w in choice})
        exact = {w: k + 2 for k, w in enumerate(w for w in spelt if not w.endswith("*"))}
        stems = {w: k + 2 + len(exact) for k, w in enumerate(w.rstrip("*") for w in spelt if w.endswith("*"))}
        steps = _Steps(_under(exact, stems), 2 + len(exact) + len(stems))
        for k, slots in enumerate(read):
            steps.add(slots, k)
        return cls(
            exact,
            stems,
            tuple(sorted({len(s) for s in stems}, reverse=True)),
            _Fan.of(steps.anywhere),
            _Fan.of(steps.at_beginning),
            _Fan.of(steps.by_word),
            _Fan.of(steps.by_any),
            np.array(steps.ends, np.int64),
        )

    def find(self, seen: Glance) -> Found:
        """Every place of every phrase."""
        cut, symbol = seen.cut, self._symbols(seen)
        if not len(symbol):
            return Found(symbol, symbol, symbol)
        at, step = self.anywhere.follow(symbol)
        begins = np.flatnonzero(seen.begins())
        of, step_there = self.at_beginning.follow(symbol[begins])
        at, step = np.concatenate([at, begins[of]]), np.concatenate([step, step_there])
        last = np.ones(len(symbol), np.bool_)
        last[:-1] = cut.owner[1:] != cut.owner[:-1]
        parts, size = [], 1
        while len(at):
            ended = self.ends[step]
            whole = np.flatnonzero(ended >= 0)
            parts.append(np.stack([ended[whole], at[whole], np.full(len(whole), size)]))
            goes_on = np.flatnonzero(~last[at + size - 1])
            at, step = at[goes_on], step[goes_on]
            word = symbol[at + size]
            spelt, to_spelt = self.by_word.follow(step * self.n_symbols + word)
            may = np.flatnonzero(word != _NONE)
            free, to_free = self.by_any.follow(step[may])
            at = np.concatenate([at[spelt], at[may[free]]])
            step = np.concatenate([to_spelt, to_free])
            size += 1
        found = np.concatenate(parts, axis=1) if parts else np.zeros((3, 0), np.int64)
        found = found[:, np.lexsort(found[::-1])]
        fresh = np.ones(found.shape[1], np.bool_)  # an optional word may lead to one end on two ways
        fresh[1:] = (found[:, 1:] != found[:, :-1]).any(axis=0)
        phrase, first, sizes = found[:, fresh]
        return Found(phrase, first, sizes)

    def _symbols(self, seen: Glance) -> Places:
        """(words,): the number of each word."""
        known = self.remembered
        missing = [w for w in seen.distinct if w not in known]
        if len(known) + len(missing) > REMEMBERED:
            known = self.remembered = {}
            missing = seen.distinct
        known.update((w, self._symbol(w)) for w in missing)
        return np.array([known[w] for w in seen.distinct], np.int64)[seen.at]

    def _symbol(self, word: str) -> int:
        if word[0] in "!?":
            sign = "?" if "?" in word else "!"
            return self.exact.get(sign, _NONE)
        folded = fold(word)
        found = self._look_up(folded)
        if found is None and "'" in folded:
            found = self._look_up(folded.rpartition("'")[2])
        if found is None and "\u0600" <= folded[0] <= "\u06ff":
            heads = (folded[len(h) :] for h in _ARABIC_HEADS if folded.startswith(h))
            found = next((s for s in map(self._look_up, heads) if s is not None), None)
        if found is not None:
            return found
        return _OTHER if word[0].isalnum() else _NONE

    def _look_up(self, word: str) -> int | None:
        found = self.exact.get(word)
        if found is not None:
            return found
        for length in self.lengths:
            if length <= len(word):
                found = self.stems.get(word[:length])
                if found is not None:
                    return found
        return None


@dataclass(frozen=True, slots=True)
class _Slot:
    choices: tuple[tuple[str, ...], ...] = ()  # each some words in a row; none: any one word
    may_miss: bool = False
    begins: bool = False


def _pieces(pattern: str) -> list[str]:
    return [word for piece in pattern.split() for word in piece.removeprefix("~").split("|")]


def _cut(spelt: set[str]) -> dict[str, tuple[str, ...]]:
    """Each piece of a pattern as the words that texts would be cut into."""
    pieces = sorted(spelt)
    found: list[list[str]] = [[] for _ in pieces]
    cut = words(pa.array([piece.removesuffix("*") for piece in pieces], pa.string()))
    for word, owner in zip(cut.word, cut.owner.tolist(), strict=True):
        found[owner].append(fold(word))
    return dict(zip(pieces, map(tuple, found), strict=True))


def _read(pattern: str, cut: Mapping[str, tuple[str, ...]]) -> list[_Slot]:
    slots: list[_Slot] = []
    pieces = pattern.split()
    begins = bool(pieces) and pieces[0] == "^"
    for piece in pieces[begins:]:
        may_miss, spelt = piece.startswith("~"), piece.removeprefix("~")
        if spelt == "_":
            slots.append(_Slot((), may_miss))
            continue
        slots.append(_Slot(tuple(_spelt(word, cut, pattern) for word in spelt.split("|")), may_miss))
    if not slots or not slots[0].choices or all(slot.may_miss for slot in slots):
        raise Invalid(f"the phrase {pattern!r} has no word to begin with", "Begin with a word that is there.")
    slots[0] = _Slot(slots[0].choices, slots[0].may_miss, begins)
    return slots


def _spelt(word: str, cut: Mapping[str, tuple[str, ...]], pattern: str) -> tuple[str, ...]:
    if word in _SIGNS:
        return (word,)
    is_stem, found = word.endswith("*"), cut[word]
    if not found or (is_stem and len(found[-1]) < STEM_MIN and found[-1] < "\uac00"):
        raise Invalid(f"the phrase {pattern!r} has no word in {word!r}", "Write letters.")
    return (*found[:-1], found[-1] + "*") if is_stem else found


def _under(exact: dict[str, int], stems: dict[str, int]) -> dict[str, list[int]]:
    """Of each word and stem, the numbers that stand for it: a stem is met by every longer word there is."""
    found = {w: [k] for w, k in exact.items()}
    ordered = sorted([*exact.items(), *stems.items()])
    spelt = [w for w, _ in ordered]
    for stem in stems:
        first = bisect_left(spelt, stem)
        found[stem + "*"] = [
            k
            for w, k in ordered[first : bisect_left(spelt, stem + "\U0010ffff", first)]
            if w.startswith(stem)
        ]
    return found


class _Steps:
    """The steps of all phrases while they are written down."""

    def __init__(self, under: dict[str, list[int]], n_symbols: int) -> None:
        self.under = under
        self.n_symbols = n_symbols
        self.anywhere: list[tuple[int, int]] = []
        self.at_beginning: list[tuple[int, int]] = []
        self.by_word: list[tuple[int, int]] = []
        self.by_any: list[tuple[int, int]] = []
        self.ends: list[int] = []

    def add(self, slots: list[_Slot], phrase: int) -> None:
        """Write down one phrase. None stands for the place before its first word."""
        opens = self.at_beginning if slots[0].begins else self.anywhere
        before: list[int | None] = [None]
        for slot in slots:
            reached = self._slot(before, slot, opens)
            before = [*before, *reached] if slot.may_miss else list(reached)
        for step in before:
            if step is not None:
                self.ends[step] = phrase

    def _slot(self, before: list[int | None], slot: _Slot, opens: list[tuple[int, int]]) -> list[int]:
        end = self._new()
        if not slot.choices:
            self.by_any += [(step, end) for step in before if step is not None]
        for choice in slot.choices:
            at = before
            for word in choice[:-1]:
                middle = self._new()
                self._word(at, word, middle, opens)
                at = [middle]
            self._word(at, choice[-1], end, opens)
        return [end]

    def _word(self, before: list[int | None], word: str, to: int, opens: list[tuple[int, int]]) -> None:
        for step in before:
            if step is None:
                opens += [(symbol, to) for symbol in self.under[word]]
            else:
                self.by_word += [(step * self.n_symbols + symbol, to) for symbol in self.under[word]]

    def _new(self) -> int:
        self.ends.append(-1)
        return len(self.ends) - 1
