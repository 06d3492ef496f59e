"""Cues: phrases that speak for a label, written down by language, and what a batch of texts has of them.

A folder holds one TOML file per language. A table is a label, its keys say how strongly the phrases under them
speak: `sure`, `likely`, `hint`. The table `nothing` holds phrases that say nothing although words in them do
elsewhere (`no problem`), for what is longer hides what lies inside it. The file `any.toml`, where there is one, has
what is understood everywhere.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.kit.errors import Invalid
from rapport.kit.texts import glance, spoken
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.phrases import Phrases, Places
from rapport.kit.texts.tokens import Words

NOTHING = "nothing"
ANY = "any"  # the file of cues that are no word, such as faces
WEIGHTS = {"sure": 3.0, "likely": 2.0, "hint": 1.0}
SHOWN = 3  # words or phrases named as those that decided


@dataclass(frozen=True, slots=True)
class Turn:
    """What a cue says after a negation: `not helpful` is a complaint, `not broken` is nothing."""

    label: str = NOTHING
    share: float = 1.0  # of the cue's weight


@dataclass(frozen=True, slots=True)
class Spoken:
    """The cues that a batch of texts has, one row per cue and text.

    owner : int64, the text
    label : int64, position among the labels
    weight : float64
    first, size : int64, the words of the batch that it covers
    turned : (words,), whether a negation stands shortly before each word of the batch
    """

    n_texts: int
    n_labels: int
    owner: Places
    label: Places
    weight: Floats
    first: Places
    size: Places
    turned: NDArray[np.bool_]

    def plus(self, owner: Places, label: int, weight: float, first: Places) -> Spoken:
        """With more words that speak for a label."""
        n = len(owner)
        return Spoken(
            self.n_texts,
            self.n_labels,
            np.append(self.owner, owner),
            np.append(self.label, np.full(n, label)),
            np.append(self.weight, np.full(n, weight)),
            np.append(self.first, first),
            np.append(self.size, np.ones(n, np.int64)),
            self.turned,
        )

    def strength(self) -> Floats:
        """float64 (texts, labels): the summed weights."""
        k = self.n_labels
        summed = np.bincount(self.owner * k + self.label, weights=self.weight, minlength=self.n_texts * k)
        return np.asarray(summed.reshape(self.n_texts, k))

    def deciding(self, cut: Words, pull: Floats) -> list[tuple[int, str, float]]:
        """Of each text at most SHOWN phrases, the strongest first: (text, phrase, how far it pulled).

        pull : float64 (rows,), how far each cue moved z towards what was said
        """
        place = np.flatnonzero(pull > 0)
        place = place[np.lexsort((self.first[place], -pull[place], self.owner[place]))]
        place = place[_first_of_each(self.first[place], self.size[place])]  # it may speak for two labels
        owner = self.owner[place]
        rank = np.arange(len(place)) - np.searchsorted(owner, owner)
        return [
            (
                int(self.owner[k]),
                _joined(cut.word[self.first[k] : self.first[k] + self.size[k]]),
                float(pull[k]),
            )
            for k in place[rank < SHOWN]
        ]


@dataclass(frozen=True, slots=True)
class Cues:
    """Compiled cues.

    labels : the labels they speak for
    language, label : int64 (phrases,); the label of what says nothing is -1
    weight : float64 (phrases,)
    turned_label, turned_share : (labels,), what becomes of a cue after a negation
    """

    labels: tuple[str, ...]
    phrases: Phrases
    language: Places
    label: Places
    weight: Floats
    turned_label: Places
    turned_share: Floats

    @classmethod
    def read(cls, folder: Path, labels: Sequence[str], turns: Mapping[str, Turn]) -> Cues:
        """Compile the files `<language>.toml` of a folder. Raises Invalid for a label or strength not known."""
        place = {label: k for k, label in enumerate(labels)} | {NOTHING: -1}
        patterns: list[str] = []
        rows: list[tuple[int, int, float]] = []
        for language, code in enumerate((*spoken.LANGUAGES, ANY)):
            file = folder / f"{code}.toml"
            if code == ANY and not file.exists():
                continue
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
            for label, strengths in tables.items():
                for strength, given in strengths.items():
                    if label not in place or strength not in WEIGHTS:
                        raise Invalid(
                            f"{code}.toml has {label}.{strength}", "Use a known label and strength."
                        )
                    patterns += given
                    rows += [(language, place[label], WEIGHTS[strength])] * len(given)
        turn = [turns.get(label) for label in labels]
        spelt, of, weight = zip(*rows, strict=True)
        return cls(
            tuple(labels),
            Phrases.of(patterns),
            np.array(spelt, np.int64),
            np.array(of, np.int64),
            np.array(weight),
            np.array([k if t is None else place[t.label] for k, t in enumerate(turn)], np.int64),
            np.array([1.0 if t is None else t.share for t in turn]),
        )

    def found(self, cut: Words) -> Spoken:
        """The cues of a batch: of the languages that each text may be in, the longest ones, each once a text."""
        seen = glance.of(cut)
        found = self.phrases.find(seen)
        may_be = np.pad(seen.may_be(), ((0, 0), (0, 1)), constant_values=True)
        found = found.rows(may_be[cut.owner[found.first], self.language[found.phrase]]).longest()
        found = found.rows(self.label[found.phrase] >= 0)
        label, weight = self.label[found.phrase], self.weight[found.phrase]
        after_negation = seen.turned()
        turned = after_negation[found.first]
        weight = weight * np.where(turned, self.turned_share[label], 1.0)
        label = np.where(turned, self.turned_label[label], label)
        owner = cut.owner[found.first]
        # Said twice, or meant alike in two languages, it counts once.
        order = np.lexsort((found.first, -weight, found.phrase, owner))
        order = order[(label[order] >= 0) & (weight[order] > 0)]
        fresh = np.ones(len(order), np.bool_)
        fresh[1:] = (owner[order][1:] != owner[order][:-1]) | (
            found.phrase[order][1:] != found.phrase[order][:-1]
        )
        order = order[fresh]
        order = order[_first_of_each(found.first[order], found.size[order], label[order])]
        return Spoken(
            cut.n_texts,
            len(self.labels),
            owner[order],
            label[order],
            weight[order],
            found.first[order],
            found.size[order],
            after_negation,
        )


def _first_of_each(*keys: NDArray[np.int64]) -> Places:
    """Places of the first row of each distinct combination of keys."""
    if not len(keys[0]):
        return np.zeros(0, np.int64)
    _, first = np.unique(np.stack(keys), axis=1, return_index=True)
    return np.sort(first)


def words_json(n_texts: int, decided: Sequence[tuple[int, str, float]]) -> pa.StringArray:
    """(texts,): a JSON array of the phrases of each text, given by text and strongest first."""
    owner = np.array([text for text, _, _ in decided], np.int64)
    starts = np.searchsorted(owner, np.arange(n_texts + 1)).astype(np.int32)
    # `_` in a cue stands for any sign too, a quotation mark among them.
    quoted = pa.array([json.dumps(phrase, ensure_ascii=False) for _, phrase, _ in decided], pa.string())
    by_text = pa.ListArray.from_arrays(pa.array(starts, pa.int32()), quoted)
    arrow: Any = pc
    listed: pa.StringArray = arrow.binary_join_element_wise("[", arrow.binary_join(by_text, ", "), "]", "")
    return listed


def _joined(word: list[str]) -> str:
    """Words as one would write them: no blank around a hyphen or an apostrophe, none before a sign."""
    text = ""
    for w in word:
        tight = not text or w in "-'?!,." or w[0] in "?!" or text[-1] in "-'"
        text += w if tight else f" {w}"
    return text
