"""Whether words speak of what is never inferred (rules.sensitive): politics, belief, health, orientation. Pure.

`sensitive` looks at the names of traits and scores, which are few and short. This looks at what people and staff
write: a quotation, the wording of a question, the name of a topic, in several languages at once.
"""

from __future__ import annotations

import functools
import re
import tomllib
import unicodedata
from importlib import resources

import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.errors import Denied
from rapport.people.rules import sensitive

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "ko")  # of the list; of a text in another it knows nothing

_FILE = "sensitive_texts.toml"
_BENIGN = "benign"


def plainly(text: str) -> str:
    """A text as the words of the list are written: lower case, no accents, signs as blanks, a blank at both ends."""
    bare = "".join(
        c for c in unicodedata.normalize("NFKD", text) if not unicodedata.category(c).startswith("M")
    )
    folded = unicodedata.normalize("NFC", bare.lower().replace("ß", "ss"))
    words = " ".join(re.findall(r"[^\W_]+", folded))
    return f" {words} "


def all_plainly(texts: pa.Array) -> pa.Array:
    """`plainly` for a column; null stays null."""
    bare = pc.replace_substring_regex(pc.utf8_normalize(texts, "NFKD"), r"\p{M}+", "")
    folded = pc.utf8_normalize(pc.replace_substring(pc.utf8_lower(bare), "ß", "ss"), "NFC")
    spaced = pc.utf8_trim_whitespace(pc.replace_substring_regex(folded, r"[^\p{L}\p{N}]+", " "))
    blank = pa.scalar(" ")
    return pc.binary_join_element_wise("", spaced, "", blank)


def category_of(text: str) -> str:
    """The category that a text speaks of; empty where it is none."""
    written = re.sub(_benign(), " ", plainly(text))
    return next((name for name, pattern in _patterns().items() if re.search(pattern, written)), "")


def category_of_name(name: str) -> str:
    """The category that something named so would be of: by the rule for traits, and by what its words speak of."""
    named = sensitive.category_of(name)
    return named.name if named is not None else category_of(name)


def are_sensitive(texts: pa.Array | pa.ChunkedArray) -> pa.Array:
    """For a column of texts, which of them speak of a category; what is null does not."""
    column = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    different = pc.unique(column)
    written = pc.replace_substring_regex(all_plainly(different), _benign(), " ")
    found = pc.match_substring_regex(written, "|".join(_patterns().values()))
    return pc.is_in(column, value_set=different.filter(pc.fill_null(found, False)))


def refuse(text: str) -> None:
    """Raise Denied where a text that staff wrote asks for what is not to be inferred of anybody."""
    found = category_of(text)
    if found:
        reason = next((c.reason for c in sensitive.CATEGORIES if c.name == found), found)
        shown = text if len(text) <= 80 else f"{text[:79]}…"
        raise Denied(
            f"“{shown}” is not worked out of anybody: {reason}",
            "Ask people in a survey, and keep what they declare; nothing may be concluded from what they write.",
        )


@functools.cache
def _words() -> dict[str, object]:
    text = resources.files(__package__).joinpath(_FILE).read_text(encoding="utf-8")
    return dict(tomllib.loads(text))


@functools.cache
def _benign() -> str:
    given = _words()[_BENIGN]
    assert isinstance(given, list)
    return "(?:" + "|".join(str(one) for one in given) + ")"


@functools.cache
def _patterns() -> dict[str, str]:
    """By category, a pattern for RE2 and Python alike."""
    found = {}
    for name, languages in _words().items():
        if not isinstance(languages, dict):
            continue
        words = sorted({word for listed in languages.values() for word in listed})
        found[name] = "(?:" + "|".join(_pattern(word) for word in words) + ")"
    return found


def _pattern(word: str) -> str:
    inside, ends = word.startswith("*"), word.endswith("=")
    bare = re.escape(word.removeprefix("*").removesuffix("=")).replace("\\ ", " ")
    return ("" if inside else " ") + bare + (" " if ends else "")
