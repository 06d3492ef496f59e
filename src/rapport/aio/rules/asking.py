"""The firm's promises and the questions of its market: what one must be, and the phrases that answer it. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from rapport.kit.errors import Invalid
from rapport.people.rules import sensitive, sensitive_texts

LANGUAGES = sensitive_texts.LANGUAGES  # a question in another could ask for what nobody may ask
ABOUT, YES, NO = PARTS = (
    "about",
    "yes",
    "no",
)  # what a phrase shows: that it is spoken of, agreed, or disagreed
PART = re.compile(r"[a-z][a-z0-9_]{0,47}")
TITLE_CHARS_MAX = 120
PHRASES_MAX = 60  # of one part in one language
PHRASE_CHARS = (3, 60)
HANGUL_CHARS_MIN = 2
ACTIVE_MAX = 15

# Before a phrase these turn it round; what is turned round is left out, for half of it would be misread.
NEGATIONS = (
    "not", "never", "no", "hardly", "isn t", "wasn t", "don t", "didn t", "doesn t", "cannot", "can t", "without",
    "nicht", "nie", "kein", "keine", "keinen", "ohne", "kaum", "pas", "jamais", "aucun", "aucune", "sans", "nunca",
    "sin", "ni", "non", "mai", "nessun", "senza", "nao", "sem", "if", "wenn", "si", "se", "would be", "niet", "geen",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Answered:
    """A question of a survey that asks this: its key, and what the lowest and the highest answer are."""

    question: str
    low: float
    high: float

    def as_json(self) -> dict[str, Any]:
        return {"question": self.question, "low": self.low, "high": self.high}


@dataclass(frozen=True, slots=True)
class Asked:
    """A promise or question as staff write it."""

    key: str
    title: str
    is_promise: bool = True
    words: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)
    answers: tuple[Answered, ...] = ()
    is_active: bool = True

    def phrases(self, part: str) -> list[str]:
        """The phrases of a part in every language, as a text is written when it is read."""
        found = {spoken(p) for words in self.words.values() for p in words.get(part, ())}
        return sorted(p for p in found if p)


def spoken(phrase: str) -> str:
    """A phrase as plain words: `*` inside stands for one word, at the end for any ending."""
    ends = "*" if phrase.rstrip().endswith("*") else ""
    parts = [sensitive_texts.plainly(part).strip() for part in phrase.rstrip().rstrip("*").split("*")]
    return " * ".join(part for part in parts if part) + (ends if any(parts) else "")


def pattern(phrases: Sequence[str], *, negated: bool = False) -> str:
    """A pattern that finds any of the phrases in a plain text (RE2 and Python alike); empty where there is none."""
    if not phrases:
        return ""
    either = "|".join(_one(phrase) for phrase in phrases)
    before = " (?:" + "|".join(NEGATIONS) + ")(?: [^ ]+)?" if negated else ""
    return f"{before}(?:{either})"


def _one(phrase: str) -> str:
    ends = phrase.endswith("*")
    words = re.escape(phrase.removesuffix("*").strip()).replace("\\ ", " ").replace(r"\*", "[^ ]+")
    # Korean joins endings and particles to its words.
    inside = bool(re.search(r"[가-힣]", phrase))
    return words if inside else f" {words}" + ("" if ends else " ")


def key_of(title: str) -> str:
    """A key made from a title; what cannot be written in plain letters gives an empty one."""
    plain = re.sub(r"[^a-z0-9]+", "_", sensitive_texts.plainly(title)).strip("_")
    return plain[:48].strip("_") if plain[:1].isalpha() else ""


def check(asked: Asked) -> None:
    """Raise Denied where it asks for what may not be worked out of anybody, Invalid where it cannot be kept."""
    if not PART.fullmatch(asked.key):
        raise Invalid(
            f"{asked.key!r} is no key",
            "Use small letters, digits and `_`, beginning with a letter; 48 at most.",
        )
    if not asked.title.strip() or len(asked.title) > TITLE_CHARS_MAX:
        raise Invalid("the sentence is empty or too long", f"Write at most {TITLE_CHARS_MAX} characters.")
    if sensitive_texts.category_of_name(asked.key):
        sensitive_texts.refuse(asked.key.replace("_", " "))
        sensitive.refuse(asked.key)
    sensitive_texts.refuse(asked.title)
    for language, parts in asked.words.items():
        if language not in LANGUAGES:
            raise Invalid(f"{language!r} is no language we know", f"Use one of {', '.join(LANGUAGES)}.")
        for part, phrases in parts.items():
            _check_phrases(part, phrases)
    if not any(asked.phrases(part) for part in PARTS) and not asked.answers:
        raise Invalid("nothing would ever answer it", "Give phrases people use, or a question of a survey.")
    for answered in asked.answers:
        if not answered.question or not answered.low < answered.high:
            raise Invalid(
                "the highest answer of a survey must lie above the lowest",
                "Give both ends of its scale, as 1 and 5.",
            )


def _check_phrases(part: str, phrases: Sequence[str]) -> None:
    if part not in PARTS:
        raise Invalid(f"{part!r} is no kind of phrase", f"Use one of {', '.join(PARTS)}.")
    if len(phrases) > PHRASES_MAX:
        raise Invalid(f"there are {len(phrases)} phrases", f"Keep the best {PHRASES_MAX} of each kind.")
    for phrase in phrases:
        plain = spoken(phrase)
        fewest = HANGUL_CHARS_MIN if re.search(r"[^\x00-\x7f]", plain) else PHRASE_CHARS[0]
        if not fewest <= len(plain.replace("*", "").strip()) or len(plain) > PHRASE_CHARS[1]:
            raise Invalid(
                f"the phrase {phrase!r} is too short or too long",
                f"Between {PHRASE_CHARS[0]} and {PHRASE_CHARS[1]} characters; one word alone says little.",
            )
        sensitive_texts.refuse(phrase)


def starting() -> list[Asked]:
    """What a new installation begins with."""
    text = resources.files(__package__).joinpath("starting.toml").read_text(encoding="utf-8")
    return [
        Asked(one["key"], one["title"], one["is_promise"], one["words"])
        for one in tomllib.loads(text)["question"]
    ]
