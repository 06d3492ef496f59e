"""The way through a survey: which page comes after which, and where it ends.

A jump leads forward only, so every way is at most as long as the survey has pages: there is no dead end.
A question whose answer is already known of the person is not asked; of the questions that ask for a
trait, one at most is asked on one way, the next one another time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rapport.surveys.rules.conditions import END, SCREEN_OUT, Condition, Jump, Value, all_hold, holds
from rapport.surveys.rules.questions import Question

__all__ = [
    "ASKING",
    "END",
    "FINISHED",
    "SCREENED_OUT",
    "SCREEN_OUT",
    "Condition",
    "Jump",
    "Page",
    "Walk",
    "holds",
    "pages",
    "walk",
]

ASKING, FINISHED, SCREENED_OUT = "asking", "finished", "screened_out"


@dataclass(frozen=True, slots=True)
class Page:
    """The questions that are put together; `place` is its position among all pages, from 0."""

    place: int
    questions: tuple[Question, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(q.key for q in self.questions)


@dataclass(frozen=True, slots=True)
class Walk:
    """The pages on somebody's way so far, and how it stands; while asking, the last page waits."""

    pages: tuple[Page, ...]
    outcome: str
    n_pages: int  # of the whole survey

    @property
    def keys(self) -> tuple[str, ...]:
        """The questions on the way."""
        return tuple(key for page in self.pages for key in page.keys)

    @property
    def done_ratio(self) -> float:
        """How much of the survey lies behind, 0 to 1."""
        if self.outcome != ASKING:
            return 1.0
        return self.pages[-1].place / self.n_pages if self.pages else 0.0


def pages(questions: Sequence[Question]) -> list[tuple[Question, ...]]:
    """The questions by page."""
    made: list[list[Question]] = []
    for question in questions:
        if question.with_previous and made:
            made[-1].append(question)
        else:
            made.append([question])
    return [tuple(page) for page in made]


def walk(
    questions: Sequence[Question], answers: Mapping[str, Value | None], traits: Mapping[str, Value]
) -> Walk:
    """The way that these answers lead. `answers` has a key for every question that was put, None where it
    was left empty; answers that lie off the way are not looked at.
    """
    all_pages = pages(questions)
    place_of = {q.key: place for place, page in enumerate(all_pages) for q in page}
    way: list[Page] = []
    given: dict[str, Value | None] = {}
    asks_trait = False
    place = 0
    while place < len(all_pages):
        shown, asks_trait = _shown(all_pages[place], given, traits, asks_trait)
        if shown:
            way.append(Page(place, shown))
            if any(q.key not in answers for q in shown):
                return Walk(tuple(way), ASKING, len(all_pages))
            given |= {q.key: answers[q.key] for q in shown}
            to = _jump(shown, given, traits)
            if to in (END, SCREEN_OUT):
                return Walk(tuple(way), FINISHED if to == END else SCREENED_OUT, len(all_pages))
            place = max(place + 1, place_of.get(to, 0))
        else:
            place += 1
    return Walk(tuple(way), FINISHED, len(all_pages))


def _shown(
    page: tuple[Question, ...],
    given: Mapping[str, Value | None],
    traits: Mapping[str, Value],
    asks_trait: bool,
) -> tuple[tuple[Question, ...], bool]:
    shown = []
    for question in page:
        if not all_hold(question.show_if, given, traits):
            continue
        if question.trait:
            if asks_trait or traits.get(question.trait) is not None:
                continue
            asks_trait = True
        shown.append(question)
    return tuple(shown), asks_trait


def _jump(shown: tuple[Question, ...], given: Mapping[str, Value | None], traits: Mapping[str, Value]) -> str:
    for question in shown:
        for jump in question.jumps:
            if all_hold(jump.when, given, traits):
                return jump.to
    return ""
