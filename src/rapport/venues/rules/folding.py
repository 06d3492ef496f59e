"""Text as a reader's eye takes it: hidden characters gone, look-alike letters read as what they look like. Pure.

Whoever means to get round a rule writes "disc0unt", "d i s c o u n t" or puts a Cyrillic letter among Latin
ones. A person reads through that, so the checker has to. The look-alikes are those of Unicode's technical
standard 39 that occur in running text; the whole table would take thousands of rows for letters nobody can
type.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

# What shows nothing. The joiner and the variation selectors have honest work in emoji and in some scripts.
_HIDDEN = "\u200b\u200c\u200d\u2060\u2061\u2062\u2063\u2064\ufeff\u180e\u034f\u00ad\u115f\u1160\u3164\uffa0"
_HIDDEN += "\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_HIDDEN_PATTERN = re.compile(f"[{_HIDDEN}\U000e0000-\U000e007f]")
_SOFT = {"\u00ad", "\ufeff", "\u200e", "\u200f"}  # word processors leave these behind; they mean nothing
_BETWEEN = re.compile(rf"[A-Za-z0-9À-ɏ%€$.@/][{_HIDDEN}\U000e0000-\U000e007f]+(?=[A-Za-z0-9À-ɏ%€$.@/])")

_CYRILLIC_AND_GREEK = "аеорсухіјѕһԁԛԝվАВЕКМНОРСТУХЅІЈԌΑΒΕΖΗΙΚΜΝΟΡΤΥΧαοριντυνκгпьӏқмткв"
_LATIN = "aeopcyxijshdqwuABEKMHOPCTYXSIJGABEZHIKMNOPTYXaopivtuvkrnblkmtkb"
_LOOKS = dict(zip(_CYRILLIC_AND_GREEK, _LATIN, strict=True)) | {
    "ɑ": "a", "ɡ": "g", "ı": "i", "ӏ": "l", "ǀ": "l", "ɩ": "i", "օ": "o", "ո": "n", "ց": "g", "հ": "h",
    "ᴀ": "a", "ʙ": "b", "ᴄ": "c", "ᴅ": "d", "ᴇ": "e", "ɢ": "g", "ʜ": "h", "ɪ": "i", "ᴊ": "j", "ᴋ": "k",
    "ʟ": "l", "ᴍ": "m", "ɴ": "n", "ᴏ": "o", "ᴘ": "p", "ʀ": "r", "ᴛ": "t", "ᴜ": "u", "ᴠ": "v", "ᴡ": "w",
    "ʏ": "y", "ᴢ": "z", "ѡ": "w", "ԃ": "d", "ϲ": "c", "ʋ": "v", "ⅼ": "l",
}  # fmt: skip
_PLAIN = str.maketrans(
    {"ß": "ss", "ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ħ": "h"}
    | {"’": "'", "‘": "'", "ʼ": "'", "´": "'", "`": "'", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"'}
    | {"–": "-", "—": "-", "‐": "-", "‑": "-", "−": "-", "。": ".", "․": ".", "‧": ".", "∙": ".", "⋅": "."}
)
_LEET = str.maketrans("013457$@!", "oieastsai")
_SPACES = re.compile(r"[^\S\n]+")
_WORD = re.compile(r"[^\W_]+")
_LEETED = re.compile(r"(?<![\w@#/.])(?=[a-z0-9$@!]*[a-z])(?=[a-z0-9$@!]*[013457$@!])[a-z0-9$@!]{3,}(?![\w/])")
_SPACED = re.compile(r"(?<![^\W_])[^\W\d_](?:(?P<by>[ .\-_*·|~+/,])[^\W\d_])(?:(?P=by)[^\W\d_])+(?![^\W_])")
_STARRED = re.compile(r"(?<=[a-z])[*_~|^\\]+(?=[a-z])")


@dataclass(frozen=True, slots=True)
class Folded:
    """A text, read with care.

    seen : as it looks, in its own letters and case
    plain : the same in small letters without accents: what patterns are held against
    others : further readings of plain: digits as letters, letters that stood apart together
    hidden : words with characters in them that show nothing
    mixed : words of letters from several scripts that look alike
    """

    seen: str
    plain: str
    others: tuple[str, ...]
    hidden: tuple[str, ...]
    mixed: tuple[str, ...]

    @property
    def readings(self) -> tuple[str, ...]:
        return (self.plain, *self.others)


def folded(text: str) -> Folded:
    """The text as it looks, whatever it is made of."""
    hidden = _hidden_words(text)
    shown = _styled(unicodedata.normalize("NFKC", _HIDDEN_PATTERN.sub(_kept, text)))
    seen, mixed = _one_script(shown)
    return Folded(seen, plain(seen), _other_readings(seen.casefold()), hidden, mixed)


def plain(text: str) -> str:
    """Small letters without accents, and one sign for each kind of quote and dash."""
    apart = unicodedata.normalize("NFD", text.casefold().translate(_PLAIN))
    kept = unicodedata.normalize("NFC", "".join(c for c in apart if not _is_latin_mark(c)))
    return _SPACES.sub(" ", kept)


def letters(text: str) -> str:
    """Digits and signs as the letters that they stand in for."""
    return text.translate(_LEET)


def _is_latin_mark(character: str) -> bool:
    # Only the marks of Latin, Greek and Cyrillic: those of other scripts are part of their letters.
    return "\u0300" <= character <= "\u036f" or "\u1ab0" <= character <= "\u1aff"


def _kept(found: re.Match[str]) -> str:
    """The joiner stays where it joins emoji; everything else that shows nothing goes."""
    if found.group() != "\u200d" or not 0 < found.start() < len(found.string) - 1:
        return ""
    before, after = found.string[found.start() - 1], found.string[found.end()]
    return found.group() if ord(before) > 0x2000 and ord(after) > 0x2000 else ""


def _hidden_words(text: str) -> tuple[str, ...]:
    """Words that hide something: not a soft hyphen, nor what stands at the end of a line."""
    found = []
    for one in _BETWEEN.finditer(text):
        if set(one.group()[1:]) <= _SOFT:
            continue
        start = text.rfind(" ", 0, one.start() + 1) + 1
        end = text.find(" ", one.end())
        found.append(_HIDDEN_PATTERN.sub("", text[start : end if end >= 0 else len(text)])[:40])
    return tuple(dict.fromkeys(found))


def _styled(text: str) -> str:
    """Letters in boxes and balls as letters; normalisation leaves the dark ones alone."""
    if not any(0x1F150 <= ord(c) <= 0x1F189 for c in text):
        return text
    found = []
    for c in text:
        place = ord(c)
        if 0x1F150 <= place <= 0x1F169:
            found.append(chr(place - 0x1F150 + ord("A")))
        elif 0x1F170 <= place <= 0x1F189:
            found.append(chr(place - 0x1F170 + ord("A")))
        else:
            found.append(c)
    return "".join(found)


def _one_script(text: str) -> tuple[str, tuple[str, ...]]:
    """Look-alike letters as Latin ones, in words that mix scripts or in a text that is Latin but for them."""
    if text.isascii() or not any(c in _LOOKS for c in text):
        return text, ()
    n_latin = sum(1 for c in text if c.isalpha() and ord(c) < 0x250)
    n_others = sum(1 for c in text if "\u0370" <= c <= "\u04ff")
    mixed: list[str] = []

    def read(found: re.Match[str]) -> str:
        word = found.group()
        looks = [c for c in word if c in _LOOKS]
        if not looks:
            return word
        latin = [c for c in word if c.isalpha() and ord(c) < 0x250]
        rest = [c for c in word if c.isalpha() and ord(c) >= 0x250 and c not in _LOOKS]
        alone = not latin and not rest and n_latin > 2 * n_others and len(word) > 1
        if (latin and not (rest and len(rest) > len(latin))) or alone:
            mixed.append(word)
            return "".join(_LOOKS.get(c, c) for c in word)
        return word

    read_text = _WORD.sub(read, text)
    return read_text, tuple(dict.fromkeys(mixed))


def _other_readings(text: str) -> tuple[str, ...]:
    # Letters are put together before spaces are: two spaces are where a word ends.
    low = plain(text)
    together = plain(_SPACED.sub(lambda found: re.sub(r"[^\w]|_", "", found.group()), text))
    together = _STARRED.sub("", together)
    found = [together] if together != low else []
    for reading in (low, *found):
        letters = _LEETED.sub(lambda one: one.group().translate(_LEET), reading)
        if letters != reading and letters not in found:
            found.append(letters)
    return tuple(found)
