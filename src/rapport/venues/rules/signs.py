"""Weak signs of promotion in a draft: which kinds of words stand in which sentence. Pure.

No sign proves anything alone: "free" stands in a hub, "only a few left" in an apology. What tells is which stand
together in one sentence, and that is much the same in every language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapport.venues.rules import reading
from rapport.venues.rules.folding import Folded, plain

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
)
KINDS = (*TEMPTING, *HONEST, *SHAPES)

_TOKEN = re.compile(r"[^\W\d_]+|\d+")
_SENTENCE = re.compile(r"(?:[^.!?\n]|\.(?=\w))+[.!?]*")
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


def _grown() -> _Branch:
    root = _Branch()
    for table in ("signs", "plain"):
        for kind, phrases in _TABLES[table].items():
            for phrase in phrases.split():
                branch = root
                for word in plain(phrase).split("_"):
                    if word:
                        begins = word.endswith("*")
                        branches = branch.begun if begins else branch.whole
                        branch = branches.setdefault(word.rstrip("*"), _Branch())
                branch.kinds.add(kind)
    return root


_ROOT = _grown()


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence, and the kinds of signs that stand in it."""

    words: str
    kinds: frozenset[str]


def sentences(text: Folded, names: Sequence[str] = ()) -> list[Sentence]:
    """The sentences of a draft with their signs; `names` are the firm's, and its addresses."""
    own = [plain(name) for name in names if len(name) > 2]
    found = []
    for m in _SENTENCE.finditer(text.seen):
        words = m.group().strip()
        low = plain(words)
        if _TOKEN.search(low):
            found.append(Sentence(words, frozenset(_kinds(words, low, own))))
    return found


def _kinds(seen: str, low: str, own: Sequence[str]) -> Iterator[str]:
    tokens = _TOKEN.findall(low)
    for at in range(len(tokens)):
        here = [_ROOT]
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
