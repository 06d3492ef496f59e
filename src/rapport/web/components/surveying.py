"""A page of a survey as a template shows it: questions with what was said, what is wrong with it, and words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from rapport.surveys import rules
from rapport.surveys.rules import logic, text_in
from rapport.surveys.rules.questions import Number, Scale, _Chosen

PREFIX = "q-"  # before a question's key, as the name of its fields
FEW = 7  # a scale of so many numbers needs no full line


@dataclass(frozen=True, slots=True)
class Offered:
    """One choice, or one number of a scale."""

    value: str
    label: str
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """One question in one language."""

    key: str
    name: str
    kind: str  # single, multiple, scale, open, date, number
    text: str
    help: str
    language: str  # of the text, where it is not the page's
    is_required: bool
    wrong: str
    value: str
    offered: tuple[Offered, ...] = ()
    low_text: str = ""
    high_text: str = ""
    low: str = ""
    high: str = ""

    @property
    def is_few(self) -> bool:
        return len(self.offered) <= FEW

    @property
    def described_by(self) -> str:
        ids = [f"{self.name}-help"] * bool(self.help) + [f"{self.name}-wrong"] * bool(self.wrong)
        return " ".join(ids)


def spoken(definition: rules.Definition) -> str:
    """The language in which this reader gets the survey's own texts."""
    code = (get_language() or "en").split("-")[0]
    return code if code in definition.languages else definition.main_language


def shown(
    definition: rules.Definition,
    page: logic.Page,
    answers: Mapping[str, rules.Value | None],
    wrong: Mapping[str, rules.Wrong] | None = None,
    raw: Mapping[str, Sequence[str]] | None = None,
) -> list[Shown]:
    """The questions of a page; what was sent and refused stands before what was kept."""
    language = spoken(definition)
    foreign = language if language != (get_language() or "en").split("-")[0] else ""
    found = []
    for question in page.questions:
        said = _said(answers.get(question.key)) if raw is None else list(raw.get(question.key, ()))
        error = (wrong or {}).get(question.key)
        found.append(_shown(question, language, definition.main_language, foreign, said, error))
    return found


def raw_of(given: Mapping[str, Any]) -> dict[str, list[str]]:
    """The fields of a form by question."""
    lists = given.lists() if hasattr(given, "lists") else given.items()
    return {name.removeprefix(PREFIX): values for name, values in lists if name.startswith(PREFIX)}


def wrong_words(error: rules.Wrong) -> str:
    """What is wrong with an answer, and what would be right."""
    about = {key: f"{value:g}" if isinstance(value, float) else value for key, value in error.about.items()}
    return {
        "required": _("This one needs an answer."),
        "one_only": _("Choose one of them."),
        "not_offered": _("Choose one of what is offered."),
        "too_long": _("This is too long: at most %(most)s characters, yours has %(n)s."),
        "not_text": _("This holds signs that are no text."),
        "not_a_date": _("This is no day. It looks like 2026-05-31."),
        "not_a_number": _("This is no number."),
        "too_small": _("This must be at least %(low)s."),
        "too_large": _("This must be at most %(high)s."),
    }[error.code] % about


def closed_words(reason: str) -> tuple[str, str]:
    """Why nothing can be answered now: a heading and a sentence."""
    return {
        "paused": (
            _("This survey is paused"),
            _("Nothing can be answered just now. What you answered before is kept; try again another day."),
        ),
        "closed": (_("This survey is closed"), _("It is over, and its answers are being read. Thank you.")),
        "over": (_("This survey is over"), _("Its last day has passed. Thank you for wanting to answer.")),
        "not_open_yet": (_("This survey has not begun"), _("Come back with the same link when it has.")),
        "quota_full": (
            _("We have enough answers"),
            _("So many have answered that we need no more of these. Thank you for wanting to help."),
        ),
        "recontact": (_("We have asked you lately"), _("We do not want to ask too often. Thank you.")),
        "answered": (_("You have answered already"), _("Your answers are kept. Thank you.")),
    }.get(reason, (_("There is nothing to answer here"), _("Check the address, or ask whoever sent it.")))


def _shown(
    question: rules.Question,
    language: str,
    main: str,
    foreign: str,
    said: list[str],
    error: rules.Wrong | None,
) -> Shown:
    common: dict[str, Any] = {
        "key": question.key,
        "name": f"{PREFIX}{question.key}",
        "kind": "scale" if isinstance(question, Scale) else question.kind,
        "text": text_in(question.text, language, main),
        "help": text_in(question.help, language, main),
        "language": foreign,
        "is_required": question.is_required,
        "wrong": wrong_words(error) if error else "",
        "value": said[0] if said else "",
    }
    if isinstance(question, _Chosen):
        offered = tuple(
            Offered(c.key, text_in(c.text, language, main), c.key in said) for c in question.choices
        )
        return Shown(**common, offered=offered)
    if isinstance(question, Scale):
        numbers = [str(n) for n in range(question.low, question.high + 1)]
        return Shown(
            **common,
            offered=tuple(Offered(n, n, n in said) for n in numbers),
            low_text=text_in(question.low_text, language, main),
            high_text=text_in(question.high_text, language, main),
        )
    if isinstance(question, Number):
        bounds: dict[str, Any] = {
            name: "" if v is None else f"{v:g}"
            for name, v in (("low", question.low), ("high", question.high))
        }
        return Shown(**common, **bounds)
    return Shown(**common)


def _said(value: rules.Value | None) -> list[str]:
    if value is None:
        return []
    if isinstance(value, tuple):
        return list(value)
    return [f"{value:g}" if isinstance(value, float) else str(value)]
