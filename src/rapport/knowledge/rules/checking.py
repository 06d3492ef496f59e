"""What a draft of ours claims beyond what we know, and where somebody's words contradict a fact. Pure.

Both keep to what can be pointed at: words, figures with their unit, and polarity. A contradiction is only said
where a sentence names both what a fact is about and what it says of it; a missed one costs less than a wrong one,
which has somebody of ours correct a customer who was right.
"""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from rapport.kit import money
from rapport.knowledge.rules.asking import folded
from rapport.knowledge.rules.drafting import figure

FRESH = dt.timedelta(hours=24)  # of a price; an older one is not said
CERTAIN, LIKELY = 0.85, 0.7
FLAGGED_FROM = 0.6
SPIN, SUPERLATIVE, STALE_PRICE, WRONG_PRICE, NO_FACT, PROMISE, EXPIRED, CONTRADICTS = (
    "spin", "superlative", "stale_price", "wrong_price", "claim_without_fact", "promise", "expired_fact",
    "contradicts_fact",
)  # fmt: skip

_SIGNS = {"€": "EUR", "$": "USD", "£": "GBP", "¥": "JPY", "₩": "KRW"}
_WORDS = {"euro": "EUR", "euros": "EUR", "eur": "EUR", "usd": "USD", "dollar": "USD", "dollars": "USD", "gbp": "GBP",
          "pounds": "GBP", "chf": "CHF", "krw": "KRW", "원": "KRW", "yen": "JPY", "jpy": "JPY"}  # fmt: skip
_AMOUNT = r"\d+(?:[.,]\d{3})*(?:[.,]\d{1,2})?"
_PRICE = re.compile(
    rf"(?P<sign>[€$£¥₩])\s?(?P<a>{_AMOUNT})|(?P<b>{_AMOUNT})\s?(?P<after>[€$£¥₩]|(?:{'|'.join(_WORDS)})(?!\w))",
    re.IGNORECASE,
)
# A figure with what it counts. A year, a clock time or a bare number claims nothing by itself.
_CLAIM = re.compile(
    r"(?<![\w.,])(\d+(?:[.,]\d+)*)\s?(%|percent|prozent|por ciento|per cento|pour cent|퍼센트|"
    r"years?|jahre?n?|ans|años?|anni|anos|jaar|년|months?|monate?n?|mois|meses|mesi|maanden|개월|"
    r"days?|tage?n?|jours?|días?|giorni|dias|dagen|일|weeks?|wochen?|semaines?|semanas?|settimane|weken|주|"
    r"hours?|stunden?|heures?|horas?|ore|uur|시간|minutes?|minuten?|minutos?|minuti|분|"
    r"km|kg|g|l|mm|cm|m|ah|kwh|watt|w|v|grad|degrees|customers|kunden|clients|clientes)(?![^\W\d_])",
    re.IGNORECASE,
)
_UNITS = {
    "%": "% percent prozent por ciento per cento pour cent 퍼센트",
    "year": "year years jahr jahre jahren ans año años anni anos jaar 년",
    "month": "month months monat monate monaten mois meses mesi maanden 개월",
    "day": "day days tag tage tagen jour jours día días giorni dias dagen 일",
    "week": "week weeks woche wochen semaine semaines semana semanas settimane weken 주",
    "hour": "hour hours stunde stunden heure heures hora horas ore uur 시간",
    "minute": "minute minutes minuten minuto minutos minuti 분",
}  # fmt: skip
_SENTENCE = re.compile(r"[^.!?。！？\n]+(?:\.\d[^.!?。！？\n]*)*[.!?。！？]*")


@dataclass(frozen=True, slots=True)
class DraftFinding:
    """One thing that a draft says too much: a code, the words, why, and what to do."""

    code: str
    words: str
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class KnownFact:
    """A fact as texts are held against it."""

    key: str
    statement: str
    about: tuple[str, ...]
    aspect: tuple[str, ...]
    language: str = "en"
    valid_until: dt.date | None = None


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """What something costs, as far as we know, and since when."""

    product: str
    price_minor: int
    currency: str
    priced_at: dt.datetime


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A fact, the words against it, and how likely they are meant against it."""

    fact: str
    words: str
    probability: float


@lru_cache(maxsize=1)
def _lists() -> Mapping[str, Mapping[str, Sequence[str]]]:
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text(encoding="utf-8"))


def _list(language: str, name: str) -> Sequence[str]:
    """The words of a language; of all of them where it is none of these."""
    held = _lists()
    short = language.partition("-")[0].lower()
    return held[short][name] if short in held else [w for words in held.values() for w in words[name]]


def sentences(text: str) -> list[str]:
    """The sentences of a text; a decimal point ends none."""
    return [found.group().strip() for found in _SENTENCE.finditer(text) if found.group().strip()]


def _found(words: Iterable[str], text: str) -> list[str]:
    """Which of these stand in a text as whole words; letters of Korean run into each other, and need no bounds."""
    plain = folded(text)
    said = []
    for word in words:
        way = folded(word)
        bounds = way.isascii() or (way[-1:].isalpha() and ord(way[0]) < 0x1100)
        pattern = rf"(?<!\w){re.escape(way)}(?!\w)" if bounds and way[:1].isalnum() else re.escape(way)
        if re.search(pattern, plain):
            said.append(word)
    return said


def figures(text: str) -> set[tuple[str, str]]:
    """Every figure of a text with what it counts, prices with their currency."""
    made = {(figure(number), _unit(unit)) for number, unit in _CLAIM.findall(text)}
    return made | {(str(minor), currency) for minor, currency, _ in prices(text)}


def prices(text: str) -> list[tuple[int, str, str]]:
    """Every price of a text: minor units, currency, the words."""
    made = []
    for found in _PRICE.finditer(text):
        mark = (found["sign"] or found["after"] or "").lower()
        currency = _SIGNS.get(mark) or _WORDS[mark]
        whole, _dot, rest = figure(found["a"] or found["b"]).partition(".")
        places = money.exponent(currency)
        made.append((int(whole + (rest + "000")[:places]), currency, found.group().strip()))
    return made


def _unit(word: str) -> str:
    low = word.lower()
    return next((name for name, ways in _UNITS.items() if low in ways.split()), low)


def check_draft(
    text: str, language: str, facts: Sequence[KnownFact], known: Sequence[KnownPrice], now: dt.datetime,
    *, sources: Sequence[str] = (),
) -> list[DraftFinding]:  # fmt: skip
    """Everything a draft says too much; `sources` are texts that it was made from, which bear its figures out."""
    found = [DraftFinding(SPIN, word) for word in _found(_list(language, "spin"), text)]
    borne = figures(" ".join(sources))
    for sentence in sentences(text):
        near = [fact for fact in facts if _is_about(fact, sentence)]
        live = [fact for fact in near if fact.valid_until is None or fact.valid_until >= now.date()]
        if near and not live:
            found.append(DraftFinding(EXPIRED, sentence))
        found += [
            DraftFinding(SUPERLATIVE, word)
            for word in _found(_list(language, "most"), sentence)
            if not any(folded(word) in folded(fact.statement) for fact in live)
        ]
        found += [DraftFinding(PROMISE, word) for word in _found(_list(language, "promises"), sentence)]
        told = {pair for fact in live for pair in figures(fact.statement)} | borne
        for number, unit in _CLAIM.findall(sentence):
            if (figure(number), _unit(unit)) not in told:
                found.append(DraftFinding(NO_FACT, f"{number} {unit}".strip()))
        found += _priced(sentence, known, told, now)
    found += [DraftFinding(CONTRADICTS, c.words) for c in contradictions(text, language, facts, now)]
    return list(dict.fromkeys(found))


def _priced(
    sentence: str, known: Sequence[KnownPrice], told: set[tuple[str, str]], now: dt.datetime
) -> Iterable[DraftFinding]:
    for minor, currency, words in prices(sentence):
        named = [p for p in known if _found([p.product], sentence)]
        fresh = [p for p in named if now - p.priced_at <= FRESH and p.currency == currency]
        same = [p for p in (named or known) if (p.price_minor, p.currency) == (minor, currency)]
        if fresh and all(p.price_minor != minor for p in fresh):
            yield DraftFinding(WRONG_PRICE, words)
        elif same and not any(now - p.priced_at <= FRESH for p in same):
            yield DraftFinding(STALE_PRICE, words)
        elif not same and (str(minor), currency) not in told:
            yield DraftFinding(NO_FACT, words)


def _is_about(fact: KnownFact, sentence: str) -> bool:
    return bool(_found(fact.about, sentence)) and (not fact.aspect or bool(_found(fact.aspect, sentence)))


def contradictions(
    text: str, language: str, facts: Sequence[KnownFact], now: dt.datetime
) -> list[Contradiction]:
    """Where a text says the opposite of a fact that holds, or another figure for the same thing."""
    made = []
    for fact in facts:
        if (
            (fact.valid_until is not None and fact.valid_until < now.date())
            or not fact.about
            or not fact.aspect
        ):
            continue
        best = max(
            ((_against(fact, sentence, language), sentence) for sentence in sentences(text)),
            default=(0.0, ""),
        )
        if best[0] >= FLAGGED_FROM:
            made.append(Contradiction(fact.key, best[1], best[0]))
    return made


def _against(fact: KnownFact, sentence: str, language: str) -> float:
    """How likely one sentence is meant against a fact."""
    if not _found(fact.about, sentence) or not _found(fact.aspect, sentence):
        return 0.0
    if any(
        folded(hedge) in folded(sentence) if len(hedge) > 1 else hedge in sentence
        for hedge in _list(language, "hedges")
    ):
        return 0.0
    theirs, ours = figures(sentence), figures(fact.statement)
    units = {unit for _, unit in ours}
    rival = [pair for pair in theirs if pair[1] in units]
    if rival:
        # Another figure for the same unit; where the same figure stands beside it, both are told of.
        return 0.0 if any(pair in ours for pair in rival) or len(rival) > 1 else CERTAIN
    if ours:
        return 0.0  # a fact with a figure says nothing against a sentence without one
    turned = bool(_found(_list(language, "no"), sentence)) or "n't" in folded(sentence)
    is_no = bool(_found(_list(fact.language, "no"), fact.statement))
    # One negation turns a sentence; with two, what it means is anybody's guess.
    n = len(_found(_list(language, "no"), sentence))
    return LIKELY if turned != is_no and n <= 1 else 0.0
