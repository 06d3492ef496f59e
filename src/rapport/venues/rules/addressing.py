"""Which form of address a text uses, and which language it is in. Pure.

Only what leaves no doubt counts: German "Sie" at the start of a sentence may be "they", Spanish "su" may be
"her", French "ton" may be a tone of voice. What is quoted is somebody else's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rapport.venues.rules import reading
from rapport.venues.rules.folding import plain

_QUOTED = re.compile(r"^\s*>.*$|“[^”]*”|„[^“”]*[“”]|«[^»]*»|»[^«»]*«|\"[^\"\n]*\"", re.MULTILINE)
_WITHIN = (
    r"(?<=[a-zäöüßàèéìòù0-9,;)] )"  # within a sentence, where German and Italian capitals mean something
)

_TABLES = reading.table("addressing.toml")


def _patterns(kind: str) -> dict[str, dict[str, re.Pattern[str]]]:
    return {
        language: {form: re.compile(p.replace("<within>", _WITHIN)) for form, p in forms.items()}
        for language, forms in _TABLES[kind].items()
    }


_CASED, _PLAIN = _patterns("cased"), _patterns("plain")
_UNLIKE = {language: re.compile(pattern) for language, pattern in _TABLES["unlike"].items()}
_FUNCTION_WORDS: Mapping[str, frozenset[str]] = {
    code: frozenset(words.split()) for code, words in _TABLES["words"].items()
}
_SCRIPTS: Sequence[tuple[str, re.Pattern[str]]] = (
    ("ko", re.compile(r"[\uac00-\ud7af]")),
    ("ja", re.compile(r"[\u3040-\u30ff]")),
    ("zh", re.compile(r"[\u4e00-\u9fff]")),
    ("ru", re.compile(r"[\u0400-\u04ff]")),
    ("el", re.compile(r"[\u0370-\u03ff]")),
    ("ar", re.compile(r"[\u0600-\u06ff]")),
    ("he", re.compile(r"[\u0590-\u05ff]")),
    ("th", re.compile(r"[\u0e00-\u0e7f]")),
    ("hi", re.compile(r"[\u0900-\u097f]")),
)
SURE_WORDS = 4
LIKELY_WORDS = 2


def forms_used(text: str, language: str) -> dict[str, str]:
    """The forms of address that a text uses, each with the first word that shows it."""
    own = _QUOTED.sub(" ", text)
    if unlike := _UNLIKE.get(language):
        own = unlike.sub(" ", own)
    low = plain(own)
    found: dict[str, str] = {}
    for form, pattern in _CASED.get(language, {}).items():
        if m := pattern.search(own):
            found[form] = m.group().strip()
    for form, pattern in _PLAIN.get(language, {}).items():
        if m := pattern.search(low):
            found[form] = m.group().strip()
    return found


def language_of(text: str) -> str:
    """The language of a text by its script or its commonest words; empty where that does not settle it."""
    letters = sum(1 for c in text if c.isalpha())
    for code, script in _SCRIPTS:
        if letters and len(script.findall(text)) > letters * 0.4:
            return code
    (best, code), (second, _other) = _scores(text)[:2]
    return code if best >= SURE_WORDS and best >= 1.5 * second else ""


def languages_of(text: str) -> tuple[str, ...]:
    """The languages, of those whose commonest words are known, that a text may be in; all where it says too little."""
    scores = _scores(text)
    best = scores[0][0]
    return tuple(code for n, code in scores if best < LIKELY_WORDS or n >= 0.75 * best)


def _scores(text: str) -> list[tuple[int, str]]:
    """How many of the words are among the commonest of each language, the most first."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", plain(re.sub(r"https?://\S+|@\S+", " ", text)))
    return sorted(
        ((sum(1 for word in words if word in common), code) for code, common in _FUNCTION_WORDS.items()),
        reverse=True,
    )
