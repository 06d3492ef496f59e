"""Answering from a file of entries alone, without a data folder: the same finding, weighing and abstaining."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from rapport.kit.texts import meaning
from rapport.knowledge.rules import asking, cutting, files, matching, weighing

AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Ranked:
    """One entry that may answer, and how sure we are."""

    key: str
    title: str
    probability: float
    shared: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """One question: the likeliest entries, whether we would rather keep quiet, and what we would ask first."""

    question: str
    proposals: tuple[Ranked, ...]
    abstains: bool
    asks: str

    def as_json(self) -> dict[str, Any]:
        return {
            "question": self.question,
            "entries": [
                {
                    "key": r.key,
                    "title": r.title,
                    "probability": round(r.probability, 4),
                    "words": list(r.shared),
                }
                for r in self.proposals
            ],
            "abstains": self.abstains,
            "asks": self.asks or None,
        }


@dataclass(frozen=True, slots=True)
class Alone:
    """Entries of a file, ready to be asked."""

    entries: tuple[files.EntryRow, ...]
    index: matching.Index | None
    weights: weighing.Weights
    slots: tuple[asking.SlotRule, ...] = ()

    @classmethod
    def of(cls, entries: Sequence[files.EntryRow], show: Callable[[str], None] | None = None) -> Alone:
        """Read the entries and learn from their own wordings how much each sign counts."""
        live = tuple(e for e in entries if e.state == "published")
        if not live:
            return cls((), None, weighing.Weights())
        knowns = [
            matching.Known(
                e.key,
                " ".join(part for part in (e.title, cutting.words_of_address(e.url)) if part),
                "\n".join(e.solutions.values()),
                e.wordings,
            )
            for e in live
        ]
        index = matching.build(knowns, meaning.vectors)
        if show:
            show("learning from the wordings")
        values: dict[str, set[str]] = {}
        for entry in live:
            for slot, known in entry.fits.items():
                values.setdefault(slot, set()).update(known)
        slots = tuple(
            asking.SlotRule(slot, {}, dict.fromkeys(sorted(told), ())) for slot, told in values.items()
        )
        return cls(live, index, weighing.learn(index), slots)

    def answer(self, questions: Sequence[str], limit: int = weighing.SHOWN) -> list[Answered]:
        """The likeliest entries for each question; also where we would keep quiet, so that others can judge."""
        if self.index is None:
            return [Answered(question, (), True, "") for question in questions]
        made = []
        for at in range(0, len(questions), AT_ONCE):
            made += self._part(questions[at : at + AT_ONCE], limit)
        return made

    def _part(self, questions: Sequence[str], limit: int) -> list[Answered]:
        index = self.index
        assert index is not None
        like = index.likeness(index.ask(questions, meaning.vectors))
        foreign = np.array([weighing.is_foreign(text) for text in questions], np.bool_)
        p = weighing.likelihoods(self.weights, like, foreign)
        for row, question in enumerate(questions):
            out = [
                k
                for k, e in enumerate(self.entries)
                if e.fits and not asking.suits(e.fits, self._told(question))
            ]
            p[row, out] = 0.0
        shown = weighing.first(p, limit)
        sure = weighing.probabilities(
            self.weights,
            np.take_along_axis(p, shown, axis=1),
            np.take_along_axis(like, shown[:, :, None], axis=1),
            foreign,
        )
        made = []
        for question, places, chances in zip(questions, shown, sure, strict=True):
            order = np.argsort(-chances, kind="stable")
            ranked = tuple(
                Ranked(
                    index.keys[places[k]], self._title(int(places[k])), float(chances[k]),
                    matching.shared_words(question, " ".join(self._texts(int(places[k]))), index.rarity),
                )
                for k in order
            )  # fmt: skip
            first = self.entries[places[order[0]]]
            missing = asking.missing(first.needs, first.fits, self._told(question))
            abstains = float(chances.sum()) < weighing.SILENT_BELOW
            made.append(Answered(question, ranked, abstains, "" if abstains or not missing else missing[0]))
        return made

    def _title(self, place: int) -> str:
        entry = self.entries[place]
        return entry.title or cutting.words_of_address(entry.url)

    def _texts(self, place: int) -> tuple[str, ...]:
        entry = self.entries[place]
        return (entry.title, *entry.wordings[:20], *entry.solutions.values())

    def _told(self, question: str) -> dict[str, str]:
        """What a question tells of the values that the file's entries are true for."""
        return asking.filled(self.slots, question, {})

    def calibration(self) -> list[dict[str, float]]:
        """What was said against what was so, on the entries' own wordings."""
        return [
            {"low": b.low, "high": b.high, "said": b.said, "right": b.right, "n": b.n}
            for b in self.weights.bands
        ]
