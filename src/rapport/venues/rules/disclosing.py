"""Saying for whom one speaks: the words in each language, where they go, and whether a text has them. Pure."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from rapport.venues.rules import reading
from rapport.venues.rules.cards import RuleCard
from rapport.venues.rules.counting import length
from rapport.venues.rules.folding import Folded, folded, plain

DISCLOSURES = {
    "en": "I work for {firm}.",
    "de": "Ich arbeite für {firm}.",
    "fr": "Je travaille pour {firm}.",
    "es": "Trabajo para {firm}.",
    "it": "Lavoro per {firm}.",
    "pt": "Trabalho para {firm}.",
    "nl": "Ik werk voor {firm}.",
    "pl": "Pracuję dla {firm}.",
    "ko": "저는 {firm}에서 일합니다.",
    "ja": "私は{firm}で働いています。",
    "zh": "我在{firm}工作。",
    "ru": "Я работаю в {firm}.",
    "ar": "أعمل لدى {firm}.",
}
SHORT = "({firm})"

_TABLES = reading.table("disclosure.toml")
_BEFORE, _AFTER, _POSED = (reading.either(_TABLES[kind]) for kind in ("before", "after", "posed"))
_SELF, _DENIED, _NO_SIGNATURE = (
    reading.compiled(_TABLES[kind]) for kind in ("self", "denied", "no_signature")
)


def sentence(card: RuleCard, language: str, firm: str) -> str:
    """The words that say for whom one speaks, in the language of the text."""
    spoken = language.lower().partition("-")[0]
    said = card.disclosure.get(spoken) or DISCLOSURES.get(spoken)
    return (said or card.disclosure.get("en") or DISCLOSURES["en"]).format(firm=firm)


def tag(card: RuleCard, firm: str) -> str:
    return card.vendor_tag.format(firm=firm)


def disclosed(card: RuleCard, text: str, language: str, firm: str) -> str:
    """The text with what the venue wants said of its writer, where the venue wants it; as it is where it has it.

    Where the whole sentence does not fit, the firm's name in brackets does; a text that is too long even so
    keeps it, since who speaks may not be left out: its length is then a finding.
    """
    found = text.strip()
    if not firm or not found:
        return found
    read = folded(found)
    if wants_tag(card) and not has_tag(card, read, firm):
        found = f"{tag(card, firm)} {found}"
    if card.disclosure_as == "sentence" and not is_disclosed(card, read, firm):
        longer = f"{found}\n\n{sentence(card, language, firm)}"
        shorter = f"{found} {SHORT.format(firm=firm)}"
        fits = not card.length_max or length(longer, card.length_as) <= card.length_max
        found = longer if fits else shorter
    return found


def wants_tag(card: RuleCard) -> bool:
    return card.must_tag_vendor or card.disclosure_as == "tag"


def has_tag(card: RuleCard, text: Folded, firm: str) -> bool:
    """Whether the vendor's tag stands first."""
    return text.plain.lstrip().startswith(plain(tag(card, firm)))


def is_disclosed(card: RuleCard, text: Folded, firm: str, names: Sequence[str] = ()) -> bool:
    """Whether the text says for whom its writer speaks; a denial is none."""
    low = re.sub(r"\s+", " ", text.plain)
    if is_denied(text):
        return False
    for said in (*card.disclosure.values(), *DISCLOSURES.values(), SHORT, card.vendor_tag):
        if firm and plain(said.format(firm=firm)).rstrip(".。") in low:
            return True
    for name in (firm, *names):
        if len(name) < 2:
            continue
        named = re.escape(plain(name))
        if any(
            not _is_doubtful(m, low) for m in re.finditer(rf"(?P<before>{_BEFORE})\W{{0,3}}{named}\b", low)
        ):
            return True
        if re.search(rf"(?:^|[.!?\n(\[-]\s*){named}(?:{_AFTER})", low):
            return True
        if re.search(
            rf"[-~(\[]\s?(?:\w+,? ?(?:from |@ ?|at |, )?)?{named}(?: (?:team|support|staff))?\W{{0,2}}$", low
        ):
            return True
        if _SELF.search(low) and re.search(rf"\b{named}\b", low):
            return True
    return False


def _is_doubtful(m: re.Match[str], text: str) -> bool:
    return bool(_NO_SIGNATURE.search(m["before"])) or (
        # "one from Otter", said in the middle of a sentence by nobody in particular
        bool(
            re.fullmatch(r"\w+ (?:from|at|of|von|vom|de|chez|di|da|do|d[aeo]|van|z)(?: the)? ?", m["before"])
        )
        and not re.search(
            r"(?:^|[.!?\n,(-]\s*|\b(?:hi|hello|hey|hallo|bonjour|hola|ciao|ola|czesc|this is|it'?s|ich bin|je suis"
            r"|soy|sono|sou|ik ben|jestem|here|hier)\W+)$",
            text[: m.start()],
        )
    )


def is_denied(text: Folded) -> str:
    """The words that deny any tie to the firm, or pretend that there is none; empty where there are none."""
    for said in text.readings:
        if m := _DENIED.search(said):
            return m.group().strip()
    return ""


def is_posed(text: Folded, names: Sequence[str] = ()) -> str:
    """The words by which the writer passes for a customer."""
    for said in text.readings:
        if m := re.search(_POSED, said):
            return m.group().strip()
        for name in names:
            if len(name) > 2 and (m := _bought(name).search(said)):
                return m.group().strip()
    return ""


@functools.lru_cache(64)
def _bought(name: str) -> re.Pattern[str]:
    return reading.compiled(p.replace("<name>", re.escape(plain(name))) for p in _TABLES["bought"])
