"""How long a text is, as the network counts it. Pure.

Bluesky counts user-perceived characters (lexicon `app.bsky.feed.post`, maxGraphemes). Mastodon counts every
address as 23 characters and a mention without its server. X weighs characters of Latin, Cyrillic, Arabic and
the like as one and all others as two, and an address as 23 (its published configuration, version 3).
"""

from __future__ import annotations

import re
import unicodedata

ADDRESS_LENGTH = 23
_ADDRESS = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)
_X_ADDRESS = re.compile(
    r"https?://[^\s<>\"']+|(?<![\w@./-])(?:[a-z0-9-]+\.)+(?:com|org|net|io|co|de|fr|es|it|eu|uk|info|shop|example)"
    r"\b(?:/[^\s<>\"']*)?",
    re.IGNORECASE,
)
_REMOTE = re.compile(r"(@\w[\w.-]*)@[\w.-]+\w")
_LIGHT = ((0x0000, 0x10FF), (0x2000, 0x200D), (0x2010, 0x201F), (0x2032, 0x2037))


def length(text: str, counted_as: str) -> int:
    """The length of a text as `RuleCard.length_as` says it is counted."""
    if counted_as == "graphemes":
        return graphemes(text)
    if counted_as == "mastodon":
        return graphemes(_REMOTE.sub(r"\1", _ADDRESS.sub("x" * ADDRESS_LENGTH, text)))
    if counted_as == "x":
        return weight(text)
    return len(text)


def weight(text: str) -> int:
    """The weighted length of X: 280 are allowed."""
    addresses = _X_ADDRESS.findall(text)
    rest = unicodedata.normalize("NFC", _X_ADDRESS.sub("", text))
    return ADDRESS_LENGTH * len(addresses) + sum(
        2 if _is_heavy(cluster) else len(cluster) for cluster in clusters(rest)
    )


def _is_heavy(cluster: str) -> bool:
    return not all(any(low <= ord(c) <= high for low, high in _LIGHT) for c in cluster)


def graphemes(text: str) -> int:
    """How many characters a reader sees."""
    return sum(1 for _ in clusters(text)) if not text.isascii() else len(text.replace("\r\n", "\n"))


def clusters(text: str) -> list[str]:
    """The text's extended grapheme clusters, after Unicode annex 29."""
    found: list[str] = []
    n_flags = 0
    for c in text:
        is_flag = "\U0001f1e6" <= c <= "\U0001f1ff"
        if found and _goes_on(found[-1], c, odd_flags=is_flag and n_flags % 2 == 1):
            found[-1] += c
        else:
            found.append(c)
            n_flags = 0 if not is_flag else n_flags
        n_flags = n_flags + 1 if is_flag else 0
    return found


def _goes_on(before: str, c: str, *, odd_flags: bool) -> bool:
    """Whether a character belongs to the cluster before it."""
    last = before[-1]
    if last == "\r" and c == "\n":
        return True
    if c == "\u200d" or unicodedata.category(c) in {"Mn", "Me", "Mc"} or "\U0001f3fb" <= c <= "\U0001f3ff":
        return last not in "\r\n"
    if "\U000e0020" <= c <= "\U000e007f":
        return True
    if last == "\u200d":
        return len(before) > 1 and _is_pictured(c)
    return odd_flags or _is_syllable(last, c)


def _is_pictured(c: str) -> bool:
    return ord(c) >= 0x1F000 or 0x2190 <= ord(c) <= 0x2BFF or c in "©®‼⁉™ℹ〰〽㊗㊙"


def _is_syllable(last: str, c: str) -> bool:
    """Hangul's parts, where they are written apart."""
    first, now = ord(last), ord(c)
    begins = 0x1100 <= first <= 0x115F
    vowel, final = 0x1160 <= now <= 0x11A7, 0x11A8 <= now <= 0x11FF
    if begins:
        return 0x1100 <= now <= 0x115F or vowel or 0xAC00 <= now <= 0xD7A3
    open_syllable = 0x1160 <= first <= 0x11A7 or (0xAC00 <= first <= 0xD7A3 and (first - 0xAC00) % 28 == 0)
    if open_syllable:
        return vowel or final
    return final and (0x11A8 <= first <= 0x11FF or 0xAC00 <= first <= 0xD7A3)
