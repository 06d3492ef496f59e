"""Whether a text promotes: offers, codes, calls to buy, praise of oneself, and what leads people elsewhere. Pure.

In eight languages: English, German, French, Spanish, Italian, Portuguese, Dutch and Polish. Patterns are held
against text in small letters without accents. What is said of an order that somebody has already placed ("your
discount was not applied; we have corrected it") is help, so sentences about an order's own discount are let be.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rapport.venues.rules import reading
from rapport.venues.rules.folding import Folded, plain
from rapport.venues.rules.luring import is_denied, lures

_CODE_WORD = (
    r"(?:promo(?:tion(?:al)?)?|discount|coupon|voucher|referral|rabatt|gutschein|aktions|promotion|reduction|avantage"
    r"|remise|descuento|promocional|sconto|promozionale|desconto|korting\w*|rabatow\w+|znizkow\w+|affiliate|gift)"
)
_PERCENT = (
    r"(?:\d{1,2}(?:[.,]\d)?\s?(?:%|percent|per cent|prozent|pour cent|por ciento|per cento|por cento|procent)"
    r"|half|halben?)"
)
_GOODS = (
    "(?:(?:the|a|an|some|die|der|das|den|ein|eine|einen|le|la|les|un|une|el|los|las|una|il|i|lo|o|os|as|de|het"
    "|een) )?"
)


NAME_CHARS_MIN = 3  # a shorter name is a word of some language


@dataclass(frozen=True, slots=True)
class Promoting:
    """What promotes in a text: its kind (offer, code, call, praise, elsewhere, votes) and the words."""

    kind: str
    words: str


_TABLES = reading.table("promotion.toml")


def _filled(kind: str) -> list[str]:
    """A kind's patterns in all languages."""
    found = (pattern for patterns in _TABLES[kind].values() for pattern in patterns)
    return [p.replace("<percent>", _PERCENT).replace("<code_word>", _CODE_WORD) for p in found]


# A code is told by its letters too, so this one is held against the text in its own case.
_CODE_SEEN = re.compile(
    r"\b(?:[Uu]se|[Uu]sing|[Ee]nter|[Aa]pply|[Tt]ype|[Ww]ith|[Mm]it|[Aa]vec|[Cc]on|[Cc]om|[Mm]et|[Uu]tilisez"
    r"|[Uu]sa|[Uu]sen?|[Ii]nserisci|[Gg]ebruik|[Uu]zyj|[Uu]żyj|[Mm]ention|[Qq]uote|[Nn]utze?|[Gg]ebt?|[Uu]sando|[Zz] )"
    r"\s?(?:the |our |my |dem |den |le |el |il |o |de |kod(?:em|u)? |code? |c[oó]digo |codice )*"
    r"(?:code |c[oó]digo |codice |kod(?:em|u)? |word |\W)?[\"'“„*`(]?(?P<code>[A-Z]{3,}[A-Z]*\d{1,4}"
    r"|(?=[A-Z0-9]*\d)(?=[A-Z0-9]*[A-Z]{2})[A-Z0-9]{5,})\b"
)
_CODE_CASE = re.compile(
    r"\b(?:[Cc]ode|CODE|[Cc][oó]digo|[Cc]odice|[Kk]od)\s?:?\s?[\"'“„*`]?(?P<code>[A-Z][A-Z0-9]{3,})\b(?=.{0,60}(?:checkout|%|off|kasse|bestell|panier|cart|carrello|carrinho|basket|cesta|koszyk|korting|save|rabatt))",
    re.DOTALL,
)
_TECHNICAL = re.compile(
    r"fault|error|fehler|erreur|panne|obd|dtc|part n|teile|modell?|size|e-?nummer|errore|erro\b|fout|blad|version|firmware"
    r"|order n|\bfits?\b|\bpasst\b|\bengine|plugs?\b|ticket|serial|standard|norm\b|typ\b|type\b|bulb|socket|fuse n|relay n"
)
_FAULT_CODE = re.compile(r"^(?:[PBCU]\d{4}|E\d{1,3}|[A-Z]\d{2,3})$")

_SERVICE = re.compile(rf"\b(?:{'|'.join(_filled('service'))})\b")
_INVITES = re.compile(rf"\b(?:{'|'.join(_filled('invites'))})\b")
_OWN, _SHOP, _DEAL, _POSITIVE, _MISHAP, _OTHERS, _DENIES, _BUYING, _FROM_US, _COMING = (
    rf"(?:{'|'.join(_filled(kind))})"
    for kind in (
        "own",
        "shop",
        "deal",
        "positive",
        "mishap",
        "others",
        "denies",
        "buying",
        "from_us",
        "coming",
    )
)
_OWN_SHOP = re.compile(rf"\b{_OWN}\b(?:[ -][\w-]+){{0,2}}[ -]{_SHOP}\b")
_FROM_OURS = re.compile(rf"\b{_BUYING}\b.{{0,60}}\b{_FROM_US}\b|\b{_FROM_US}\b.{{0,60}}\b{_BUYING}\b")
_COMING_BY = re.compile(rf"\b{_COMING}\b.{{0,30}}\b(?:{_SHOP}|us|trovarci)\b")
_ANY_DEAL = re.compile(rf"\b{_DEAL}\b")
_IS_MISHAP = re.compile(rf"\b{_MISHAP}\b")
_HAS_OTHERS = re.compile(rf"\b{_OTHERS}\b")
_IS_DENIED = re.compile(rf"(?:\b|(?=n't)){_DENIES}\b")
_SAVING = re.compile(
    r"\b(?:spar\w*|sav(?:e|es|ing)|economise\w*|ahorr\w+|risparmi\w+|economiz\w+|poup\w+|bespar\w*|oszczed\w+)\b"
)
_AMOUNT = re.compile(r"\d\s?(?:%|€|\$|£|eur|euros?|usd|dollars?|pounds?|zl|percent|prozent)")
_HAS_OWN = re.compile(rf"\b{_OWN}\b")
_BOUGHT_WITH = re.compile(rf"\b(?:{'|'.join(_filled('bought_with'))})\b")
_CODE_TOKEN = re.compile(r"(?<![\w/#-])(?=[A-Z0-9]*[A-Z]{2})(?=[A-Z0-9]*\d)[A-Z0-9]{5,12}(?![\w/-])")
_SENTENCE = re.compile(r"[^.!?\n]+(?:\.(?=\d)[^.!?\n]*)*[.!?]*")

_KINDS: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (kind, reading.compiled(_filled(kind)))
    for kind in ("code", "offer", "call", "praise", "elsewhere", "votes")
)


def promoting(text: Folded, names: Sequence[str] = ()) -> list[Promoting]:
    """Everything in a text that promotes or leads elsewhere, the first words of each kind; `names` are the firm's."""
    found: dict[str, Promoting] = {}
    for one in _codes(text.seen):
        found.setdefault("code", Promoting("code", one))
    for said in text.readings:
        for kind, pattern in _KINDS:
            if kind not in found and (m := _outside_service(said, pattern, kind)):
                found[kind] = Promoting(kind, m)
        if "praise" not in found and (words := _praise_by_name(said, names)):
            found["praise"] = Promoting("praise", words)
        for kind, words in _by_sentence(said, names):
            found.setdefault(kind, Promoting(kind, words))
    for kind, words in lures(text):
        found.setdefault(kind, Promoting(kind, words))
    return list(found.values())


def _by_sentence(text: str, names: Sequence[str]) -> list[tuple[str, str]]:
    """What promotes by words that stand in one sentence, whatever their order."""
    found = []
    for m in _SENTENCE.finditer(text):
        sentence = m.group()
        shop = _OWN_SHOP.search(sentence)
        if shop is None and not _SERVICE.search(sentence) and not _IS_DENIED.search(sentence):
            shop = _FROM_OURS.search(sentence) or _COMING_BY.search(sentence)
        if shop and not _IS_MISHAP.search(sentence) and not _HAS_OTHERS.search(sentence):
            found.append(("call", shop.group()))
        deal = _ANY_DEAL.search(sentence)
        if (
            deal
            and not is_denied(sentence, *deal.span())
            and (not _SERVICE.search(sentence) or _INVITES.search(sentence))
        ):
            found.append(("offer", deal.group()))
        if _SAVING.search(sentence) and _AMOUNT.search(sentence) and _HAS_OWN.search(sentence):
            found.append(("offer", sentence.strip()))
        if words := _named_praise(sentence, names):
            found.append(("praise", words))
    return found


def _named_praise(sentence: str, names: Sequence[str]) -> str:
    for name in names:
        if len(name) < NAME_CHARS_MIN:
            continue
        praise = _praise_near(name).search(_COURTESY.sub(" ", sentence))
        if praise and not _IS_DENIED.search(sentence):
            return praise.group().strip()
    return ""


_COURTESY = reading.compiled(_filled("courtesy"))


@functools.lru_cache(64)
def _praise_near(name: str) -> re.Pattern[str]:
    said = re.escape(plain(name)).replace(r"\ ", r"\W{0,2}")
    return re.compile(rf"\b{said}\b.{{0,80}}\b{_POSITIVE}\b|\b{_POSITIVE}\b.{{0,80}}\b{said}\b")


def _outside_service(text: str, pattern: re.Pattern[str], kind: str) -> str:
    """The first words of a kind that are not said of an order already placed."""
    for m in pattern.finditer(text):
        if kind in {"offer", "code"}:
            sentence = _sentence_at(text, m.start())
            if _SERVICE.search(sentence) and not _INVITES.search(sentence):
                continue
        if kind in {"offer", "call"} and _is_denied(text, m):
            continue
        if kind in {"offer", "call", "code"} and _is_denied_there(text, m):
            continue
        return m.group().strip()
    return ""


# "A discount wouldn't mend it", "I would not buy that from us": said against it, in the same clause.
_AGAINST = reading.compiled(_filled("against"))
_REFUSED = re.compile(rf"\b{reading.either(_filled('refused'))}(?: [\w'-]+){{0,3}} $")
_THEIR_ORDER = re.compile(r"\b(?:your|the|an|my|his|her|their|this|that|which|each|in) $")


def _is_denied(text: str, m: re.Match[str]) -> bool:
    """Whether what is found is denied, or is a thing ("your order from here") and no call."""
    before = text[max(0, m.start() - 40) : m.start()]
    if m.group().startswith("order") and _THEIR_ORDER.search(before):
        return True
    return bool(_AGAINST.match(text, m.end()) or _REFUSED.search(before))


def _is_denied_there(text: str, m: re.Match[str]) -> bool:
    """Whether the clause denies it, by words that are no part of it."""
    start = next((s.start() for s in _SENTENCE.finditer(text) if s.start() <= m.start() < s.end()), 0)
    sentence = _sentence_at(text, m.start())
    at, to = m.start() - start, min(m.end() - start, len(sentence))
    if at < 0 or to <= at:
        return False
    blank = f"{sentence[:at]}{re.sub(r'[^ ]', '_', sentence[at:to])}{sentence[to:]}"
    return is_denied(blank, at, to)


def _sentence_at(text: str, place: int) -> str:
    return next((s.group() for s in _SENTENCE.finditer(text) if s.start() <= place < s.end()), text)


def _codes(seen: str) -> list[str]:
    found = []
    for pattern in (_CODE_SEEN, _CODE_CASE):
        for m in pattern.finditer(seen):
            around = seen[max(0, m.start() - 40) : m.end() + 40].casefold()
            if not _FAULT_CODE.match(m["code"]) and not _is_technical(around):
                found.append(m.group().strip())
    for m in _CODE_TOKEN.finditer(seen):
        around = plain(seen[max(0, m.start() - 60) : m.end() + 60])
        if _BOUGHT_WITH.search(around) and not _FAULT_CODE.match(m.group()) and not _is_technical(around):
            found.append(m.group())
    return found


def _is_technical(around: str) -> bool:
    """Whether letters and digits are a fault's, a part's or a model's, or of an order already placed."""
    return bool(_TECHNICAL.search(around))


def _praise_by_name(text: str, names: Sequence[str]) -> str:
    """Praise of the firm in the third person, and advice to go to it: marketing in the guise of help."""
    for name in names:
        if len(name) >= NAME_CHARS_MIN and (m := _by_name(name).search(text)):
            return m.group().strip()
    return ""


@functools.lru_cache(64)
def _by_name(name: str) -> re.Pattern[str]:
    said = re.escape(plain(name)).replace(r"\ ", r"\W{0,2}")
    return reading.compiled(
        p.replace("<goods>", _GOODS).replace("<name>", said) for p in _TABLES["by_name"]["all"]
    )
