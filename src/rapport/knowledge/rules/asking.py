"""What an answer depends on, and what of it a text tells already. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

# A number that names an order: at least five digits, with letters before them where the firm numbers so.
_NUMBER = re.compile(r"(?<![\w.,])(?:#\s?)?([A-Z]{0,4}-?\d{5,14})(?![\w,.]*\d)", re.IGNORECASE)
_HANDLE = re.compile(r"(?<!\w)@[\w.@-]+")
_ADDRESS = re.compile(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+\b")
_LINK = re.compile(r"https?://\S+|www\.\S+")
_LONG_NUMBER = re.compile(r"\+?\d(?:[\s/().-]?\d){5,}")
LATEST_DAYS = 3_650


@dataclass(frozen=True, slots=True)
class SlotRule:
    """Something an answer may depend on, how one asks for it, and how its values are written."""

    name: str
    questions: Mapping[str, str] = field(default_factory=dict)
    spellings: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_number: bool = False

    def found(self, text: str) -> str:
        """The value that a text tells; empty where it tells none, or more than one."""
        if self.is_number:
            numbers = {m.group(1).upper() for m in _NUMBER.finditer(text)}
            return numbers.pop() if len(numbers) == 1 else ""
        plain = folded(text)
        told = {
            value
            for value, ways in self.spellings.items()
            if any(
                re.search(rf"(?<!\w){re.escape(folded(way))}(?!\w)", plain) for way in (value, *ways) if way
            )
        }
        # The longer of two that are told at once, where one is the beginning of the other: Brio, Brio Estate.
        told = {v for v in told if not any(v != w and folded(v) in folded(w) for w in told)}
        return told.pop() if len(told) == 1 else ""

    def question(self, language: str, main: str = "en") -> str:
        """How one asks for it."""
        return in_language(self.questions, language, main)[0]


def filled(slots: Sequence[SlotRule], text: str, known: Mapping[str, str]) -> dict[str, str]:
    """What is known of each slot: what the caller knows first, else what the text tells."""
    made = {}
    for slot in slots:
        value = str(known.get(slot.name, "")).strip()
        told = slot.found(value) if value and not slot.is_number else ""
        value = told or value or slot.found(text)
        if value:
            made[slot.name] = value
    return made


def suits(fits: Mapping[str, Sequence[str]], have: Mapping[str, str]) -> bool:
    """Whether what is known rules an entry out: it is true for other values alone."""
    return all(
        slot not in have or not values or folded(have[slot]) in {folded(v) for v in values}
        for slot, values in fits.items()
    )


def missing(needs: Sequence[str], fits: Mapping[str, Sequence[str]], have: Mapping[str, str]) -> list[str]:
    """What must be known before an entry may be said, and is not."""
    return [slot for slot in dict.fromkeys((*needs, *(s for s, v in fits.items() if v))) if slot not in have]


def in_language(texts: Mapping[str, str], language: str, main: str = "en") -> tuple[str, str]:
    """A text in a language, and the language it is in: the one asked for, the firm's, English, or any there is."""
    short = language.partition("-")[0].lower()
    for code in (language, short, main, "en", *texts):
        if texts.get(code):
            return texts[code], code
    return "", ""


def folded(text: str) -> str:
    """A spelling to compare by: case folded, without accents, one blank between words."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return " ".join(
        unicodedata.normalize("NFC", "".join(c for c in apart if not unicodedata.combining(c))).split()
    )


def masked(text: str) -> str:
    """A question without what names somebody: handles, addresses, links, telephone and order numbers."""
    text = _ADDRESS.sub("…", _LINK.sub("…", text))
    text = _LONG_NUMBER.sub("…", _HANDLE.sub("", text))
    return " ".join(text.split())
