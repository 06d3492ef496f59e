"""The builder's forms: what they show of a draft, and the draft that they send back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from rapport.kit.errors import Invalid
from rapport.surveys import rules
from rapport.surveys.rules.conditions import ANSWER, BARE, TRAIT
from rapport.surveys.rules.questions import Number, Scale, _Chosen
from rapport.surveys.services import drafting
from rapport.web.components import surveywords, words

Given = Mapping[str, str]
SPARE = 2  # empty lines for further choices
NOT_ASKED = ("author_name", "created_at", "email", "phone")  # traits that no question may tell: they identify


@dataclass(frozen=True, slots=True)
class Text:
    """One text in one language."""

    language: str
    language_name: str
    value: str


@dataclass(frozen=True, slots=True)
class ChoiceRow:
    """One choice in every language; an empty row adds one."""

    n: int
    key: str
    texts: list[Text]


@dataclass(frozen=True, slots=True)
class ConditionRow:
    """One condition as its three controls show it."""

    n: int
    about: str  # answer:key or trait:name
    operator: str
    values: str
    to: str = ""  # of a jump
    abouts: Sequence[tuple[str, str]] = ()


def texts_of(survey: rules.Definition, texts: rules.Texts) -> list[Text]:
    """A text in each of the survey's languages."""
    names = dict(settings.LANGUAGES)
    return [Text(code, names.get(code, code), texts.get(code, "")) for code in survey.languages]


def texts_form(survey: rules.Definition) -> dict[str, Any]:
    """What is said around the questions."""
    gives = survey.gives
    return {
        "title": texts_of(survey, survey.title),
        "intro": texts_of(survey, survey.intro),
        "screened_out": texts_of(survey, survey.screened_out),
        "screens": any(j.to == rules.SCREEN_OUT for q in survey.questions for j in q.jumps),
        "incentive": texts_of(survey, survey.incentive.text if survey.incentive else {}),
        "incentive_minor": survey.incentive.value_minor if survey.incentive else "",
        "incentive_currency": survey.incentive.currency if survey.incentive else "",
        "gives_kind": gives.kind if gives else "",
        "gives_text": texts_of(survey, gives.text if gives else {}),
        "gives_link": gives.link if gives else "",
        "gives_question": gives.question if gives else "",
        "gives_kinds": list(surveywords.GIVES.items()),
        "results_of": results_of(survey),
    }


def texts(given: Any) -> drafting.Change:
    """The change that this form asks for."""

    def changed(survey: rules.Definition) -> rules.Definition:
        languages = [code for code, _name in settings.LANGUAGES if code in given.getlist("languages")]
        # Writing goes on in the language it began in.
        languages = [survey.main_language, *(c for c in languages if c != survey.main_language)]
        amount = given.get("incentive_minor", "").strip()
        if amount and not amount.isdecimal():
            raise Invalid(
                _("%(text)s is no amount") % {"text": amount}, _("Write it in cents: 500 for 5.00.")
            )
        promised = _texts(given, "incentive", languages)
        incentive = rules.Incentive(
            promised, int(amount or 0), given.get("incentive_currency", "").strip().upper()[:3]
        )
        return dataclasses.replace(
            survey,
            languages=tuple(languages),
            title=_texts(given, "title", languages),
            intro=_texts(given, "intro", languages),
            screened_out=_texts(given, "screened_out", languages),
            incentive=incentive if promised else None,
            gives=_gives(given, languages),
        )

    return changed


def question_form(question: rules.Question, survey: rules.Definition) -> dict[str, Any]:
    """One question as its page shows it."""
    place = [q.key for q in survey.questions].index(question.key)
    before, later = survey.questions[:place], survey.questions[place + 1 :]
    mine = abouts(survey, (*before, question))
    form: dict[str, Any] = {
        "text": texts_of(survey, question.text),
        "help": texts_of(survey, question.help),
        "show_if": [_row(n, c, abouts(survey, before)) for n, c in enumerate((*question.show_if, None))],
        "jumps": [
            _row(n, j.when[0] if j and j.when else None, mine, j.to if j else "", f"{ANSWER}:{question.key}")
            for n, j in enumerate((*question.jumps, None))
        ],
        "targets": [
            *((q.key, surveywords.asked(q, survey)) for q in later),
            (rules.END, _("the end")),
            (rules.SCREEN_OUT, _("“not for you”")),
        ],
        "gives_kind": question.gives.kind if question.gives else "",
        "gives_text": texts_of(survey, question.gives.text if question.gives else {}),
        "gives_link": question.gives.link if question.gives else "",
        "gives_question": question.gives.question if question.gives else "",
    }
    if isinstance(question, _Chosen):
        choices = [*question.choices, *[rules.Choice("")] * SPARE]
        form["choices"] = [ChoiceRow(n, c.key, texts_of(survey, c.text)) for n, c in enumerate(choices)]
    if isinstance(question, Scale):
        form |= {
            "low_text": texts_of(survey, question.low_text),
            "high_text": texts_of(survey, question.high_text),
        }
    if question.kind in {"scale", "number"} and isinstance(question, Scale | Number):
        form |= {"has_bounds": True, "low": _bound(question.low), "high": _bound(question.high)}
    return form


def question(given: Any, before: rules.Question, survey: rules.Definition) -> rules.Question:
    """The question that its page sent back. Raises Invalid where something cannot be read."""
    languages = survey.languages
    place = [q.key for q in survey.questions].index(before.key)
    earlier = survey.questions[:place]
    if isinstance(before, _Chosen):
        # First, so that a jump written on the same page can name a choice that is new.
        before = dataclasses.replace(before, choices=tuple(_choices(given, languages)))
    changes: dict[str, Any] = {
        "text": _texts(given, "text", languages),
        "help": _texts(given, "help", languages),
        "is_required": given.get("is_required") == "on",
        "with_previous": given.get("with_previous") == "on" and place > 0,
        "trait": given.get("trait", "").strip().lower(),
        "gives": _gives(given, languages),
        "show_if": conditions(given, "if", survey, earlier),
        "jumps": tuple(_jumps(given, survey, (*earlier, before))),
    }
    if isinstance(before, Scale):
        changes |= {name: _texts(given, name, languages) for name in ("low_text", "high_text")}
    if before.kind == "scale":
        changes |= {name: int(_number(given, name) or 0) for name in ("low", "high")}
    if before.kind == "number":
        changes |= {name: _number(given, name) for name in ("low", "high")}
    return dataclasses.replace(before, **changes)


def abouts(survey: rules.Definition, questions: Sequence[rules.Question]) -> list[tuple[str, str]]:
    """What a condition can be about: answers to these questions, and traits."""
    answers = [
        (f"{ANSWER}:{q.key}", _("the answer to “%(question)s”") % {"question": surveywords.asked(q, survey)})
        for q in questions
    ]
    named = {q.trait for q in survey.questions if q.trait} | set(words.TRAITS) - set(NOT_ASKED)
    traits = [
        (f"{TRAIT}:{name}", _("what we know as “%(trait)s”") % {"trait": words.trait(name)})
        for name in sorted(named)
    ]
    return answers + traits


def results_of(survey: rules.Definition) -> list[tuple[str, str]]:
    """Questions of which can be shown how others answered."""
    return [(q.key, surveywords.asked(q, survey)) for q in survey.questions if isinstance(q, _Chosen | Scale)]


def conditions(
    given: Any, prefix: str, survey: rules.Definition, questions: Sequence[rules.Question]
) -> tuple[rules.Condition, ...]:
    """The conditions of a form's rows; a row about nothing is left out."""
    found = []
    n = 0
    while f"{prefix}_{n}_about" in given:
        one = _condition(given, f"{prefix}_{n}", questions)
        if one is not None:
            found.append(one)
        n += 1
    del survey
    return tuple(found)


def _condition(given: Any, prefix: str, questions: Sequence[rules.Question]) -> rules.Condition | None:
    about, _colon, name = given.get(f"{prefix}_about", "").partition(":")
    if not about:
        return None
    operator = given.get(f"{prefix}_operator", "one_of")
    values = [] if operator in BARE else [v.strip() for v in given.get(f"{prefix}_values", "").split(",")]
    asked = next((q for q in questions if q.key == name), None) if about == ANSWER else None
    return rules.Condition(about, name, operator, tuple(_value(v, asked) for v in values if v))


def _value(text: str, question: rules.Question | None) -> str:
    """A choice may be written by its key or by its words."""
    for choice in getattr(question, "choices", ()):
        if text == choice.key or text.lower() in {t.lower() for t in choice.text.values()}:
            return str(choice.key)
    return text


def _jumps(given: Any, survey: rules.Definition, questions: Sequence[rules.Question]) -> list[rules.Jump]:
    found = []
    n = 0
    while f"jump_{n}_to" in given:
        to = given.get(f"jump_{n}_to", "")
        if to:
            when = _condition(given, f"jump_{n}", questions)
            found.append(rules.Jump(to, (when,) if when else ()))
        n += 1
    del survey
    return found


def _choices(given: Any, languages: Sequence[str]) -> list[rules.Choice]:
    found: list[rules.Choice] = []
    n = 0
    while f"choice_{n}_key" in given:
        written = {c: t for c in languages if (t := given.get(f"choice_{n}_{c}", "").strip())}
        if written:
            key = given.get(f"choice_{n}_key", "")
            first = written.get(languages[0]) or next(iter(written.values()))
            found.append(
                rules.Choice(key or drafting.key_from(first, {c.key for c in found}, "choice"), written)
            )
        n += 1
    return found


def _gives(given: Any, languages: Sequence[str]) -> rules.Gives | None:
    kind = given.get("gives_kind", "")
    if kind not in surveywords.GIVES:
        return None
    return rules.Gives(
        kind,
        _texts(given, "gives_text", languages),
        given.get("gives_link", "").strip() if kind == "link" else "",
        given.get("gives_question", "") if kind == "result" else "",
    )


def _texts(given: Any, name: str, languages: Sequence[str]) -> dict[str, str]:
    return {code: text for code in languages if (text := given.get(f"{name}_{code}", "").strip())}


def _number(given: Any, name: str) -> float | None:
    text = given.get(name, "").strip().replace(",", ".")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise Invalid(_("%(text)s is no number") % {"text": text}, _("Write digits.")) from None


def _bound(value: float | None) -> str:
    return "" if value is None else f"{value:g}"


def _row(
    n: int,
    condition: rules.Condition | None,
    offered: Sequence[tuple[str, str]],
    to: str = "",
    usual: str = "",
) -> ConditionRow:
    if condition is None:
        return ConditionRow(n, usual if not to else "", "one_of", "", to, offered)
    about = f"{condition.about}:{condition.name}"
    return ConditionRow(n, about, condition.operator, ", ".join(condition.values), to, offered)
