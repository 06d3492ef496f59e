"""A survey as one document: what is asked, in which languages, what it gives; what is missing in it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from rapport.kit.errors import Invalid
from rapport.surveys.rules import conditions
from rapport.surveys.rules.conditions import END, SCREEN_OUT, Condition, Jump
from rapport.surveys.rules.logic import pages
from rapport.surveys.rules.questions import KINDS, TRAIT, Choice, Gives, Question, Scale, Texts, _Chosen

__all__ = ["Definition", "Gives", "Incentive", "Problem", "Quota", "from_json", "problems", "to_json"]

GIVES = ("text", "link", "result")
RESULT_ANSWERS_MIN = 10  # below so many answers of others, a result could point at one of them


@dataclass(frozen=True, slots=True)
class Incentive:
    """What is promised for taking part, recorded because it biases who answers and how."""

    text: Texts = field(default_factory=dict)
    value_minor: int = 0
    currency: str = ""


@dataclass(frozen=True, slots=True)
class Quota:
    """At most so many finished answers of those of whom the conditions hold; of all, without any."""

    key: str
    name: str
    limit: int
    when: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Everything of a survey that a version keeps for good once it is published."""

    languages: tuple[str, ...]  # the first is the one it is written in
    title: Texts = field(default_factory=dict)
    intro: Texts = field(default_factory=dict)
    questions: tuple[Question, ...] = ()
    gives: Gives | None = None
    screened_out: Texts = field(default_factory=dict)  # said to those whom the survey is not for
    incentive: Incentive | None = None
    quotas: tuple[Quota, ...] = ()

    def question(self, key: str) -> Question | None:
        """The question of that key."""
        return next((q for q in self.questions if q.key == key), None)

    @property
    def main_language(self) -> str:
        return self.languages[0]


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that keeps a survey from being published; `code` names it, for a screen to say in words."""

    code: str
    question: str = ""
    about: str = ""


def problems(survey: Definition) -> list[Problem]:
    """What is missing before this can be published, in the order of the survey."""
    found = list(_texts(survey, "title", survey.title))
    if not survey.questions:
        found.append(Problem("no_questions"))
    place = {q.key: n for n, page in enumerate(pages(survey.questions)) for q in page}
    for question in survey.questions:
        found += _of_question(survey, question)
        found += _of_conditions(survey, question.show_if, place, place[question.key], question.key)
        for jump in question.jumps:
            found += _of_conditions(survey, jump.when, place, place[question.key] + 1, question.key)
            target = place.get(jump.to, -1)
            if jump.to not in (END, SCREEN_OUT) and target <= place[question.key]:
                found.append(Problem("jump_back", question.key, jump.to))
    found += [Problem("unreachable", key) for key in _unreachable(survey)]
    if survey.gives:
        found += _of_gives(survey, survey.gives, "")
    for quota in survey.quotas:
        if quota.limit < 1:
            found.append(Problem("quota_limit", "", quota.name))
        found += _of_conditions(survey, quota.when, place, len(place), "")
    if _screens(survey):
        found += _texts(survey, "screened_out", survey.screened_out)
    if survey.incentive:
        found += _texts(survey, "incentive", survey.incentive.text)
    return found


def _texts(survey: Definition, what: str, texts: Texts, question: str = "") -> Iterator[Problem]:
    lacking = [language for language in survey.languages if not texts.get(language, "").strip()]
    if lacking:
        yield Problem(f"no_{what}", question, ", ".join(lacking))


def _of_question(survey: Definition, question: Question) -> Iterator[Problem]:
    yield from _texts(survey, "text", question.text, question.key)
    if isinstance(question, _Chosen):
        if len(question.choices) < 2:
            yield Problem("few_choices", question.key)
        for choice in question.choices:
            yield from _texts(survey, "choice", choice.text, question.key)
    if isinstance(question, Scale) and not question.low < question.high <= question.low + 20:
        yield Problem("bad_scale", question.key)
    if question.trait:
        if not TRAIT.match(question.trait):
            yield Problem("bad_trait", question.key, question.trait)
        if question.gives is None:
            yield Problem("gives_nothing", question.key)
    if question.gives:
        yield from _of_gives(survey, question.gives, question.key)


def _of_gives(survey: Definition, gives: Gives, question: str) -> Iterator[Problem]:
    yield from _texts(survey, "gives", gives.text, question)
    if gives.kind == "link" and urlsplit(gives.link).scheme not in {"https", "http"}:
        yield Problem("bad_link", question, gives.link)
    if gives.kind == "result":
        of = survey.question(gives.question)
        if of is None or not (of.is_scored or isinstance(of, _Chosen)):
            yield Problem("no_result", question)


def _of_conditions(
    survey: Definition, stated: Sequence[Condition], place: Mapping[str, int], before: int, question: str
) -> Iterator[Problem]:
    """A statement may be about an earlier page only, and about answers that can be given."""
    for condition in stated:
        if condition.operator not in conditions.BARE and not any(condition.values):
            yield Problem("no_value", question, condition.name)
        if condition.about != conditions.ANSWER:
            continue
        of = survey.question(condition.name)
        if of is None:
            yield Problem("condition_gone", question, condition.name)
        elif place[condition.name] >= before:
            yield Problem("condition_later", question, condition.name)
        elif isinstance(of, _Chosen) and condition.operator in {"one_of", "none_of"}:
            offered = {c.key for c in of.choices}
            if set(condition.values) - offered:
                yield Problem("value_gone", question, ", ".join(sorted(set(condition.values) - offered)))


def _unreachable(survey: Definition) -> list[str]:
    """Questions that no way leads to: an unconditional jump goes past them."""
    all_pages = pages(survey.questions)
    place = {q.key: n for n, page in enumerate(all_pages) for q in page}
    reached: set[int] = set()
    waiting = [0] if all_pages else []
    while waiting:
        at = waiting.pop()
        if at in reached or at >= len(all_pages):
            continue
        reached.add(at)
        goes_on = True
        for question in all_pages[at]:
            for jump in question.jumps:
                if jump.to in place and place[jump.to] > at:
                    waiting.append(place[jump.to])
                # Only a question that everybody sees takes everybody with it.
                if not jump.when and not question.show_if and not question.trait:
                    goes_on = False
        if goes_on:
            waiting.append(at + 1)
    return [page[0].key for at, page in enumerate(all_pages) if at not in reached]


def _screens(survey: Definition) -> bool:
    return any(jump.to == SCREEN_OUT for q in survey.questions for jump in q.jumps)


def to_json(survey: Definition) -> dict[str, Any]:
    """The document as JSON has it."""
    plain: dict[str, Any] = dataclasses.asdict(survey)
    plain["questions"] = [{"kind": q.kind, **dataclasses.asdict(q)} for q in survey.questions]
    return plain


def from_json(plain: Mapping[str, Any]) -> Definition:
    """The document that `to_json` gave. Raises Invalid for a kind of question that is not known."""
    gives, incentive = plain.get("gives"), plain.get("incentive")
    return Definition(
        languages=tuple(plain["languages"]),
        title=plain.get("title", {}),
        intro=plain.get("intro", {}),
        questions=tuple(_question(q) for q in plain.get("questions", ())),
        gives=Gives(**gives) if gives else None,
        screened_out=plain.get("screened_out", {}),
        incentive=Incentive(**incentive) if incentive else None,
        quotas=tuple(Quota(**{**q, "when": _conditions(q.get("when", ()))}) for q in plain.get("quotas", ())),
    )


def _question(plain: Mapping[str, Any]) -> Question:
    kind = KINDS.get(plain.get("kind", ""))
    if kind is None:
        raise Invalid(f"{plain.get('kind')!r} is no kind of question", f"There are {', '.join(KINDS)}.")
    fields = {f.name for f in dataclasses.fields(kind)}
    given = {key: value for key, value in plain.items() if key in fields}
    given["show_if"] = _conditions(given.get("show_if", ()))
    given["jumps"] = tuple(Jump(j["to"], _conditions(j.get("when", ()))) for j in given.get("jumps", ()))
    if given.get("gives"):
        given["gives"] = Gives(**given["gives"])
    if "choices" in given:
        given["choices"] = tuple(Choice(**c) for c in given["choices"])
    return kind(**given)


def _conditions(plain: Sequence[Mapping[str, Any]]) -> tuple[Condition, ...]:
    return tuple(
        Condition(c["about"], c["name"], c["operator"], tuple(map(str, c.get("values", ())))) for c in plain
    )
