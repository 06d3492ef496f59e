"""What lures without the plain words of an offer: codes in pieces, draws, prices for the chosen few. Pure.

One word alone is seldom proof: a draft speaks of a checkout that failed, of a part called BKR6E, of a discount
that would not mend anything. What tells is which kinds of words stand together: a word with a number where one
pays, something to be written there and what comes of it, a better price and a way to ask for it alone.
"""

from __future__ import annotations

import re

from rapport.venues.rules import reading
from rapport.venues.rules.folding import Folded, plain

_WORDS: dict[str, list[str]] = reading.table("luring.toml")["words"]


def _word(kind: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w-])(?:{'|'.join(_WORDS[kind])})(?![\w-])")


_PAYING, _ENTERING, _GAIN, _SECRET = (_word(k) for k in ("paying", "entering", "gain", "secret"))
_FAULTS, _MISHAPS, _NEVER = (_word(k) for k in ("faults", "mishaps", "never"))
_DRAWS, _HALF, _ELSEWHERE, _CUTS = (_word(k) for k in ("draws", "half", "elsewhere", "cuts"))
_BETTER, _PRIVATELY, _CIRCLE, _CHEAP = (_word(k) for k in ("better", "privately", "circle", "cheap"))
_SEASON, _EXTRA, _ORDERS, _OURS, _FREIGHT = (
    _word(k) for k in ("season", "extra", "orders", "ours", "freight")
)
_BOASTS, _ENGAGING, _PRICES, _SHOWN = (_word(k) for k in ("boasts", "engaging", "prices", "shown"))
_PROMOTION = reading.table("promotion.toml")
_SERVED, _INVITES = (
    re.compile(rf"\b{reading.either(_PROMOTION[kind]['all'])}\b") for kind in ("service", "invites")
)
_NUMBER = rf"(?:{'|'.join(_WORDS['numbers'])})"
_JOINT = rf"(?:{'|'.join(_WORDS['joint'])})"

_SENTENCE = re.compile(r"[^.!?\n]+(?:\.(?=\d)[^.!?\n]*)*[.!?]*")
_CLAUSE = re.compile(r"[,;:–—()]| - ")
# "TRAIL10", "winter7", "B1ADE5": letters and digits in one. Two letters and fewer are a bulb, a screw or an engine.
_ONE_PIECE = re.compile(
    r"(?<![\w/.-])(?:[^\W\d_]{3,}\d{1,4}|(?=[^\W_]*\d)(?=(?:\d*[^\W\d_]){3})[^\W_]{5,14})(?![\w/]|[.,]\d)"
)
_UNITS = re.compile(
    r"^\d+(?:mm|cm|km|nm|kg|ml|min|std|bar|psi|volt\w*|euros?|eur|usd|watt|amp\w*|th|er|ers|day\w*)$"
)
# "T-R-A-I-L-1-0", "spring-one-five", "BREMSE-1-5": pieces that are held together by hyphens, dots or spaces.
_LETTERS = re.compile(r"(?<![^\W_])[^\W\d_](?:[ .\-_*·|~+/,]+[^\W_]){3,}(?![^\W_])")
_HYPHENED = re.compile(
    rf"(?<![\w-])[^\W\d_]{{3,}}(?:[-_. ](?:\d|{_NUMBER})){{2,}}(?!\w)"
    rf"|(?<![\w-])[^\W\d_]{{3,}}[-_](?:\d{{1,3}}|{_NUMBER})(?![\w-])"
    rf"|(?<![\w-])(?:[^\W\d_]{{1,6}}-){{2,}}(?:\d{{1,3}}|{_NUMBER})(?![\w-])"
)
_LOUD = re.compile(r"(?<![\w-])[A-ZÀ-Þ]{3,}(?![\w-])[^\w.!?\n]{1,3}")
_NUMBER_NEXT = re.compile(
    rf"(?:{_JOINT}\W{{1,3}}){{0,2}}(?:eine?[nrms]? |an? |une? )?(?:{_NUMBER}|\d{{1,3}})\b"
)
_QUIET = re.compile(
    rf"(?<![\w-])[^\W\d_]{{3,}}[\"'*]?,? (?:{_JOINT}[ ,]{{1,2}}){{1,2}}[\"'*]?(?:an? |une? |uno |uma? |eene? |eine?\w? )?"
    rf"(?:{_NUMBER}|\d{{1,3}})(?![\w.,:]*\d)(?![\w-])(?! ?(?:%|mm|cm|nm|bar|degrees|grad|euro|eur))"
)
# A whole word and two or three digits: no part is called so, whatever stands beside it.
_SURE = re.compile(r"^[^\W\d_]{4,}\d{1,3}$")
_FAULT = re.compile(r"^(?:[pbcu][0-9a-f]{4}|e\d{1,3}|[a-z]{1,2}\d{1,4}[a-z]?|\d+[a-z]{1,2}\d*[a-z]?)$")
_WITH_CODE = re.compile(
    r"\b(?:with|using|use|via|mit|dank|avec|con|com|met|z|usando|nutze?|enter|under|unter)\s(?:\w{1,5}\s){0,2}(?:\w+-?)?"
    r"(?:codes?|codigo|codice|kod(?:em|u)?)\W{1,3}(?P<code>[^\W_]{3,20})"
)
_DENIES = re.compile(rf"(?:\b|(?=n't))(?:{'|'.join(_PROMOTION['denies']['all'])})\b")
_NOT_ONLY = re.compile(
    r"\bnot only\b|\bnicht nur\b|\bpas seulement\b|\bno solo\b|\bnon solo\b|\bnao so\b|\bniet alleen\b|\bwhy not\b"
)


def lures(text: Folded) -> list[tuple[str, str]]:
    """What lures: its kind (code or offer) and the words, one of each kind at most."""
    found: dict[str, str] = {}
    sentences = [m.group().strip() for m in _SENTENCE.finditer(text.seen)]
    low = [plain(sentence) for sentence in sentences]
    for place, sentence in enumerate(sentences):
        before = low[place - 1] if place else ""
        after = low[place + 1] if place + 1 < len(low) else ""
        if words := _code(sentence, low[place], f"{before} {after}"):
            found.setdefault("code", words)
        if words := _offer(low[place], before):
            found.setdefault("offer", words)
    for said in text.others:
        for m in _SENTENCE.finditer(said):
            if "offer" not in found and (words := _offer(m.group().strip(), "")):
                found["offer"] = words
    return list(found.items())


def _code(seen: str, low: str, around: str) -> str:
    """The words of a code in a sentence, or where to write what."""
    m = _WITH_CODE.search(low)
    if m and re.search(r"\d", m["code"]) and not m["code"].isdigit() and not _FAULT.match(m["code"]):
        return m.group()
    paying, secret = _PAYING.search(low), _SECRET.search(low)
    if _MISHAPS.search(low):
        return ""
    entering, gain = _ENTERING.search(low), _GAIN.search(low)
    written = _pieces(seen, low)
    sure = secret or entering or gain or _SURE.match(written)
    if written and (secret or paying) and (sure or not _FAULTS.search(low)):
        return written
    if written and (entering or gain) and _PAYING.search(around) and not _FAULTS.search(low):
        return written
    if written and gain and entering and not _FAULTS.search(low) and _in_pieces(low):
        return written
    if entering and gain and (paying or secret) and entering.span() != gain.span() and not _NEVER.search(low):
        return f"{entering.group()} … {gain.group()}"
    if secret and (gain or paying) and not _NEVER.search(low):
        return secret.group()
    return ""


def _in_pieces(low: str) -> bool:
    return bool(_LETTERS.search(low) or _HYPHENED.search(low))


def _pieces(seen: str, low: str) -> str:
    """The first thing in a sentence that has the shape of a code."""
    for pattern in (_LETTERS, _HYPHENED, _QUIET):
        if m := pattern.search(low):
            return m.group()
    for m in _ONE_PIECE.finditer(seen):
        one = plain(m.group())
        if not _FAULT.match(one) and not _UNITS.match(one):
            return m.group()
    for m in _LOUD.finditer(seen):
        if _NUMBER_NEXT.match(plain(seen[m.end() : m.end() + 40])):
            return m.group().strip()
    return ""


def is_denied(low: str, start: int, end: int) -> bool:
    """Whether a sentence says that there is no such thing as stands at this place, or that it is no remedy."""
    if _NOT_ONLY.search(low):
        return False
    if _NEVER.search(low):
        return True
    first = max((m.end() for m in _CLAUSE.finditer(low, 0, start)), default=0)
    last = next((m.start() for m in _CLAUSE.finditer(low, end)), len(low))
    return bool(_DENIES.search(low, first, last))


def _offer(low: str, before: str) -> str:
    """The words of an offer in a sentence."""
    if m := _BOASTS.search(low):
        return m.group()
    if _NEVER.search(low) and not _NOT_ONLY.search(low):
        return ""
    for pattern in (_CUTS, _DRAWS):
        if m := pattern.search(low):
            return m.group()
    if (m := _HALF.search(low)) and not _ELSEWHERE.search(low):
        return m.group()
    if (m := _BETTER.search(low)) and not _ELSEWHERE.search(low):
        if (p := _PRIVATELY.search(low) or _PRIVATELY.search(before)) and p.group() != m.group():
            return f"{m.group()} … {p.group()}"
        if _CIRCLE.search(low):
            return m.group()
    if (m := _PRICES.search(low)) and _PRIVATELY.search(low) and not _SHOWN.search(low):
        return m.group()
    m = _CHEAP.search(low)
    if m and not _ELSEWHERE.search(low) and not _MISHAPS.search(low) and _for_them(low):
        return m.group()
    m = _EXTRA.search(low)
    if m is None or _ELSEWHERE.search(low) or (_SERVED.search(low) and not _INVITES.search(low)):
        return ""
    sent = _FREIGHT.search(low) and (_CIRCLE.search(low) or _SEASON.search(low))
    return m.group() if sent or _ORDERS.search(low) or _ENGAGING.search(low) else ""


def _for_them(low: str) -> bool:
    """Whether a low price is said to hold for some, for every order, or with us just now."""
    return bool(_CIRCLE.search(low) or _ORDERS.search(low) or (_SEASON.search(low) and _OURS.search(low)))
