"""What the firm follows: rules over words, languages and places. Pure; sets of texts are matched in Arrow."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.kit.errors import Invalid

KINDS = ("brand", "product", "competitor", "problem")
WORDS_MAX = 200
WORD_CHARS_MAX = 100
ANY_END = "*"  # at the end of a word: whatever begins so
# What may stand beside a word: no letter or digit, or one of a script that appends its particles without a space.
_EDGE = r"(?:[^\pL\pN]|[\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}])"
_LETTERS_RUN_ON = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that is followed. Any of `with_words` finds it, none of `without_words` may be there.

    with_words, without_words : words and phrases; one that ends in `*` stands for whatever begins so
    languages : ISO 639-1; empty: every one. A text whose language nobody knows is not left out.
    places : starts of venues, such as `bluesky` or `reddit:r/cars`; empty: everywhere
    """

    key: str
    title: str
    kind: str
    with_words: tuple[str, ...]
    without_words: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    places: tuple[str, ...] = ()


def checked(rule: Rule) -> Rule:
    """The rule in one spelling; Invalid where it could find nothing, or anything."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9_-]{0,63}", rule.key):
        raise Invalid(f"{rule.key!r} cannot name what is followed", "Use small letters, digits and hyphens.")
    if rule.kind not in KINDS:
        raise Invalid(f"{rule.kind!r} is nothing that is followed", f"There are {', '.join(KINDS)}.")
    wanted, unwanted = _words(rule.with_words), _words(rule.without_words)
    if not wanted:
        raise Invalid(f"{rule.key} names no words", "Give at least one that has to be in the text.")
    for word in (*wanted, *unwanted):
        least = 3 if word.endswith(ANY_END) else 1 if _LETTERS_RUN_ON.search(word) or word in unwanted else 2
        if sum(c.isalnum() for c in word) < least:
            raise Invalid(f"{word!r} would find nearly everything", "Give a longer word.")
    if clash := {fold(word) for word in wanted} & {fold(word) for word in unwanted}:
        raise Invalid(f"{sorted(clash)[0]!r} is both wanted and ruled out", "Take it out of one of the two.")
    languages = tuple(dict.fromkeys(text.strip().lower() for text in rule.languages if text.strip()))
    if bad := next((text for text in languages if not re.fullmatch(r"[a-z]{2,3}", text)), None):
        raise Invalid(f"{bad!r} is no language", "Write its two letters, such as en.")
    places = tuple(dict.fromkeys(text.strip().lower() for text in rule.places if text.strip()))
    title = rule.title.strip() or wanted[0]
    return Rule(rule.key, title[:120], rule.kind, wanted, unwanted, languages, places)


def _words(given: Sequence[str]) -> tuple[str, ...]:
    """Each word once, as it was first written."""
    by_fold: dict[str, str] = {}
    for word in given:
        if word.strip():
            by_fold.setdefault(fold(" ".join(word.split())), " ".join(word.split()))
    found = tuple(by_fold.values())
    if len(found) > WORDS_MAX:
        raise Invalid(f"{len(found)} words are more than can be followed", f"Give up to {WORDS_MAX}.")
    if long := next((word for word in found if len(word) > WORD_CHARS_MAX), None):
        raise Invalid(f"{long[:40]!r} is too long", f"A word or phrase has up to {WORD_CHARS_MAX} letters.")
    return found


def fold(text: str) -> str:
    """A text as words are looked for in it: one form of each letter, in small ones."""
    return str(folded(pa.array([text], pa.string()))[0].as_py())


def folded(texts: Any) -> Any:
    """The same for a set of texts."""
    return pc.utf8_lower(pc.utf8_normalize(texts, form="NFKC"))


def pattern(words: Sequence[str]) -> str:
    """A pattern (RE2) that finds any of these words or phrases, as words and not inside others.

    Scripts that put no spaces between words are searched anywhere. A `#` or `@` may stand before, and a word that
    ends in a star finds whatever begins so.
    """
    parts = []
    for given in map(fold, words):
        word = given.rstrip(ANY_END)
        inner = r"\s+".join(re.escape(part) for part in word.split())
        if word != given:
            parts.append(rf"(?:^|{_EDGE}){inner}")
        elif _LETTERS_RUN_ON.search(word):
            parts.append(inner)
        else:
            parts.append(rf"(?:^|{_EDGE}){inner}(?:{_EDGE}|$)")
    return "|".join(parts)


def matches(rule: Rule, texts: pa.Array, languages: pa.Array, venues: pa.Array) -> NDArray[np.bool_]:
    """Which of these texts a rule finds; texts come folded, languages and venues in small letters."""
    found = _holds(pc.match_substring_regex(texts, pattern(rule.with_words)))
    if rule.without_words and found.any():
        found &= ~_holds(pc.match_substring_regex(texts, pattern(rule.without_words)))
    if rule.languages:
        spoken = pc.utf8_slice_codeunits(languages, 0, 2)
        is_one = _holds(pc.is_in(spoken, value_set=pa.array([text[:2] for text in rule.languages])))
        found &= is_one | ~_holds(pc.greater(pc.utf8_length(languages), 0))
    if rule.places:
        there = np.zeros(len(found), dtype=bool)
        for place in rule.places:
            there |= _holds(pc.starts_with(venues, place))
        found &= there
    return found


def matched(
    rules: Sequence[Rule], texts: Sequence[str], languages: Sequence[str], venues: Sequence[str]
) -> list[list[str]]:
    """For each text the keys of the rules that find it, in the rules' order."""
    keys: list[list[str]] = [[] for _ in texts]
    if not texts or not rules:
        return keys
    plain = folded(pa.array(texts, pa.string()))
    spoken = pa.array([text.lower() for text in languages], pa.string())
    places = pa.array([text.lower() for text in venues], pa.string())
    for rule in rules:
        for place in np.flatnonzero(matches(rule, plain, spoken, places)):
            keys[int(place)].append(rule.key)
    return keys


def _holds(found: Any) -> NDArray[np.bool_]:
    filled: NDArray[np.bool_] = pc.fill_null(found, False).to_numpy(zero_copy_only=False).astype(bool)
    return filled
