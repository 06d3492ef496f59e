"""Questions by kind: what each asks, how an answer to it is read, and the figure it stands for.

NPS is asked from 0 to 10 (Reichheld 2003), CSAT from 1 to 5 (ISO 10004), CES from 1 to 7 as agreement with
"made it easy" (CES 2.0, Dixon, Toman and DeLisi 2013).
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from rapport.surveys.rules.conditions import Condition, Jump, Value

__all__ = ["KINDS", "TRAIT", "Choice", "Gives", "Question", "Texts", "Value", "Wrong", "text_in"]

Texts = Mapping[str, str]  # language to text
TEXT_CHARS_MAX = 4_000
TRAIT = re.compile(r"^[a-z][a-z0-9_]{0,63}$")


class Wrong(Exception):
    """An answer that cannot be taken; `code` names why, for the page to say in words."""

    def __init__(self, code: str, **about: object) -> None:
        super().__init__(code)
        self.code = code
        self.about = about


def text_in(texts: Texts, language: str, fallback: str = "") -> str:
    """A text in a language, else in the fallback's, else in any."""
    return texts.get(language) or texts.get(fallback) or next((t for t in texts.values() if t), "")


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the answers that a question offers."""

    key: str
    text: Texts = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gives:
    """What somebody gets at once for an answer: a text, a link, or how others answered."""

    kind: str  # text, link, result
    text: Texts = field(default_factory=dict)
    link: str = ""
    question: str = ""  # whose answers are shown, for a result


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One question. `trait` names what the answer tells of a person; only such a question must give back."""

    kind: ClassVar[str] = ""
    is_scored: ClassVar[bool] = False
    key: str
    text: Texts = field(default_factory=dict)
    help: Texts = field(default_factory=dict)
    is_required: bool = False
    with_previous: bool = False  # on the same page as the question before it
    show_if: tuple[Condition, ...] = ()
    jumps: tuple[Jump, ...] = ()
    trait: str = ""
    gives: Gives | None = None

    def read(self, raw: Sequence[str]) -> Value | None:
        """The answer that a form's fields hold; None where it was left empty. Raises Wrong."""
        said = [text.strip() for text in raw if text.strip()]
        if not said:
            if self.is_required:
                raise Wrong("required")
            return None
        return self._value(said)

    def _value(self, said: list[str]) -> Value:
        raise NotImplementedError

    def score(self, value: Value | None) -> float | None:
        """The number an answer stands for, if it does."""
        return float(value) if self.is_scored and isinstance(value, int | float) else None

    def answer(self, value: Value) -> str:
        """The answer as the log keeps it: several choices as a JSON list."""
        if isinstance(value, tuple):
            return json.dumps(list(value), ensure_ascii=False)
        if isinstance(value, float):
            return f"{value:g}" if value != int(value) else str(int(value))
        return str(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Chosen(Question):
    choices: tuple[Choice, ...] = ()

    def _keys(self, said: list[str]) -> tuple[str, ...]:
        offered = [c.key for c in self.choices]
        if any(key not in offered for key in said):
            raise Wrong("not_offered")
        return tuple(key for key in offered if key in said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Single(_Chosen):
    """One of several choices."""

    kind: ClassVar[str] = "single"

    def _value(self, said: list[str]) -> Value:
        if len(said) != 1:
            raise Wrong("one_only")
        return self._keys(said)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Multiple(_Chosen):
    """Any number of choices."""

    kind: ClassVar[str] = "multiple"

    def _value(self, said: list[str]) -> Value:
        return self._keys(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale(Question):
    """A whole number between two ends, each end with its words."""

    kind: ClassVar[str] = "scale"
    is_scored: ClassVar[bool] = True
    low: int = 1
    high: int = 5
    low_text: Texts = field(default_factory=dict)
    high_text: Texts = field(default_factory=dict)

    def _value(self, said: list[str]) -> Value:
        if len(said) != 1 or not re.fullmatch(r"-?\d{1,6}", said[0]):
            raise Wrong("not_offered")
        number = int(said[0])
        if not self.low <= number <= self.high:
            raise Wrong("not_offered")
        return number


@dataclass(frozen=True, slots=True, kw_only=True)
class Nps(Scale):
    """How likely to recommend, 0 to 10."""

    kind: ClassVar[str] = "nps"
    low: int = 0
    high: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Csat(Scale):
    """How satisfied, 1 to 5."""

    kind: ClassVar[str] = "csat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ces(Scale):
    """How easy it was, 1 to 7."""

    kind: ClassVar[str] = "ces"
    high: int = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Open(Question):
    """An answer in one's own words."""

    kind: ClassVar[str] = "open"

    def _value(self, said: list[str]) -> Value:
        text = "\n".join(said)
        if len(text) > TEXT_CHARS_MAX:
            raise Wrong("too_long", most=TEXT_CHARS_MAX, n=len(text))
        if "\x00" in text:
            raise Wrong("not_text")
        return text


@dataclass(frozen=True, slots=True, kw_only=True)
class Date(Question):
    """A day."""

    kind: ClassVar[str] = "date"

    def _value(self, said: list[str]) -> Value:
        try:
            return dt.date.fromisoformat(said[0]).isoformat()
        except ValueError:
            raise Wrong("not_a_date") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class Number(Question):
    """A number, between bounds where there are any."""

    kind: ClassVar[str] = "number"
    is_scored: ClassVar[bool] = True
    low: float | None = None
    high: float | None = None

    def _value(self, said: list[str]) -> Value:
        try:
            number = float(said[0].replace(" ", "").replace("\u00a0", "").replace(",", "."))
        except ValueError:
            raise Wrong("not_a_number") from None
        if not math.isfinite(number):
            raise Wrong("not_a_number")
        if self.low is not None and number < self.low:
            raise Wrong("too_small", low=self.low)
        if self.high is not None and number > self.high:
            raise Wrong("too_large", high=self.high)
        return number


def several(answer: str) -> list[str]:
    """The choices of an answer as the log keeps it: one, or those of a JSON list."""
    if not answer.startswith("["):
        return [answer]
    try:
        found = json.loads(answer)
    except ValueError:
        return [answer]
    return [str(one) for one in found] if isinstance(found, list) else [answer]


KINDS: dict[str, type[Question]] = {
    k.kind: k for k in (Single, Multiple, Scale, Nps, Csat, Ces, Open, Date, Number)
}
