"""Weak signs of promotion in a draft: which kinds of words stand in which sentence. Pure.

No sign proves anything alone: "free" stands in a hub, "only a few left" in an apology. What tells is which stand
together in one sentence, and where in the draft, and that is much the same in every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from rapport.venues.rules import addressing, reading
from rapport.venues.rules.folding import Folded, plain

LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl")  # in the order of the lines of signs.toml
_TABLES = reading.table("signs.toml")
TEMPTING: tuple[str, ...] = tuple(_TABLES["signs"])
HONEST: tuple[str, ...] = tuple(_TABLES["plain"])
SHAPES = (
    "named",  # the firm, its product or its address
    "percent",
    "amount",
    "spelled",  # letters that stand apart
    "shouted",  # a word in capitals
    "quoted",
    "exclaims",
    "asks",
    "winks",
    "joined",  # letters and digits in one
    "compares",  # two sums of money
    "lists",
    "ends",  # a day or a month by which something ends
    "few",
    "trails",  # three dots
    "short",
    "long",
)
KINDS = (*TEMPTING, *HONEST, *SHAPES)

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_SENTENCE = re.compile(r"(?:[^.!?\n]|\.(?=\w))+[.!?]*")
_SUM = re.compile(
    r"(?:[€$£]\s?\d|\d[\d.,]*\s?(?:€|\$|£|eur\b|euros?\b|zl\b|zlot\w+|pounds?\b|quid\b|dollars?\b))"
)
_LIST_COMMAS = 3
_SHORT_CHARS, _LONG_CHARS = 45, 140
_DAY = (
    r"(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|midnight|tonight|tomorrow|weekend|month|christmas|easter"
    r"|spring|summer|autumn|winter|januar\w+|februar\w+|march|april|may|june|july|august|septem\w+|octo\w+"
    r"|novem\w+|decem\w+|montag|dienstag|mittwoch|donnerstag|freitag|samstag|sonntag|mitternacht|wochenende"
    r"|weihnachten|ostern|monatsende|lundi|mardi|mercredi|jeudi|vendredi|samedi|dimanche|minuit|noel|lunes"
    r"|martes|miercoles|jueves|viernes|sabado|domingo|medianoche|navidad|lunedi|martedi|mercoledi|giovedi"
    r"|venerdi|domenica|mezzanotte|natale|segunda|terca|quarta|quinta|sexta|meia-noite|natal|maandag|dinsdag"
    r"|woensdag|donderdag|vrijdag|zaterdag|zondag|middernacht|poniedzial\w+|wtork\w+|srod\w+|czwart\w+"
    r"|piatk\w+|sobot\w+|niedziel\w+|polnoc\w+|swiat\w*|\d{1,2}(?:st|nd|rd|th|\.)?(?: (?:de )?[a-z]+)?)"
)
_ENDS = re.compile(
    r"\b(?:until|till|before|by|ends?|bis|vor|endet|jusqu'?(?:au|a)?|avant|hasta|antes d[eo]l?|termina|acaba"
    r"|fino a|entro|prima d\w+|ate|antes d[aeo]|tot|voor|do|przed)"
    rf" (?:the |zum |le |el |il |a |o |al |ao |la |de |het |this |end of |fin de |fine |konca )*{_DAY}\b"
)
_FEW = re.compile(
    r"\b(?:only|just|nur(?: noch)?|noch|plus que|que|reste|solo|quedan|restano|ancora|so|apenas|restam"
    r"|nog(?: maar)?|maar|slechts|tylko|jeszcze|zostalo)\b(?: \w+)?"
    r" (?:\d{1,2}|one|two|three|four|five|six|ten|zwei|drei|vier|funf|deux|trois|dos|tres|due|tre|dois|twee|drie"
    r"|dwa|trzy)\b"
)
_SHAPE: Sequence[tuple[str, re.Pattern[str]]] = (
    (
        "percent",
        re.compile(r"\d ?%|\b(?:per ?cent|prozent|pour cent|por ciento|per cento|por cento|procent)"),
    ),
    ("amount", re.compile(r"[€$£]|\d ?(?:eur|euros?|usd|dollars?|pounds?|bucks|quid|zl|zlot\w+)\b")),
    ("spelled", re.compile(r"(?<![^\W_])[^\W_](?:[ .,_*·|~+/-]{1,2}[^\W_]){2,}(?![^\W_])")),
    ("quoted", re.compile(r"[\"'*][^\W\d_]{3,}[\"'*]")),
    ("exclaims", re.compile(r"!")),
    ("asks", re.compile(r"\?")),
    ("winks", re.compile(r"[;:]-?[)pd]|[\U0001f300-\U0001faff]")),
    ("ends", _ENDS),
    ("few", _FEW),
    ("trails", re.compile(r"\.\.\.|…")),
    ("joined", re.compile(r"(?<![\w.-])(?:[^\W\d_]{3,}\d+|\d+[^\W\d_]{3,})(?![\w.])")),
)
_SHOUTED = re.compile(r"(?<![\w-])[A-ZÀ-Þ]{4,}(?![\w-])")


@dataclass(slots=True)
class _Branch:
    """What may follow after some words: whole words, beginnings of words, and the kinds that end here."""

    whole: dict[str, _Branch] = field(default_factory=dict)
    begun: dict[str, _Branch] = field(default_factory=dict)
    kinds: set[str] = field(default_factory=set)

    def after(self, word: str) -> Iterator[_Branch]:
        if (found := self.whole.get(word)) is not None:
            yield found
        if self.begun:
            for end in range(2, len(word) + 1):
                if (found := self.begun.get(word[:end])) is not None:
                    yield found


def _grown(line: int) -> _Branch:
    """What may stand for a sign in the language of a line."""
    root = _Branch()
    for table in ("signs", "plain"):
        for kind, lines in _TABLES[table].items():
            for phrase in lines.strip("\n").split("\n")[line].split():
                branch = root
                for word in plain(phrase).split("_"):
                    if word:
                        begins = word.endswith("*")
                        branches = branch.begun if begins else branch.whole
                        branch = branches.setdefault(word.rstrip("*"), _Branch())
                branch.kinds.add(kind)
    return root


_ROOTS: Mapping[str, _Branch] = {language: _grown(line) for line, language in enumerate(LANGUAGES)}


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and the kinds of signs that stand in it."""

    words: str
    kinds: frozenset[str]


def sentences(text: Folded, names: Sequence[str] = ()) -> list[Sentence]:
    """The sentences of a draft with their signs; `names` are the firm's, and its addresses."""
    own = [plain(name) for name in names if len(name) > 2]
    roots = [_ROOTS[one] for one in addressing.languages_of(text.seen) if one in _ROOTS]
    found = []
    for m in _SENTENCE.finditer(text.seen):
        words = m.group().strip()
        low = plain(words)
        if _TOKEN.search(low):
            found.append(Sentence(words, frozenset(_kinds(words, low, own, roots))))
    return found


def _kinds(seen: str, low: str, own: Sequence[str], roots: Sequence[_Branch]) -> Iterator[str]:
    tokens = _TOKEN.findall(low)
    for at in range(len(tokens)):
        here = list(roots)
        for word in tokens[at : at + 5]:
            here = [following for branch in here for following in branch.after(word)]
            if not here:
                break
            for branch in here:
                yield from branch.kinds
    for kind, pattern in _SHAPE:
        if pattern.search(low):
            yield kind
    if _SHOUTED.search(seen):
        yield "shouted"
    if any(name in low for name in own):
        yield "named"
    if len(_SUM.findall(low)) > 1:
        yield "compares"
    if low.count(",") >= _LIST_COMMAS:
        yield "lists"
    if len(low) < _SHORT_CHARS:
        yield "short"
    if len(low) > _LONG_CHARS:
        yield "long"
