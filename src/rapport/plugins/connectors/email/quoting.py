"""What somebody wrote themselves, apart from what they quote and what stands at the end of all their mail.

There is no standard for either but two lines (`> `, and `-- ` of RFC 3676, 4.3); the rest is how programs and
people write it, in the languages we meet most. Nothing is thrown away: what is cut is handed over beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

# "On Monday, Ana wrote:" as programs write it above what they quote; it may go over two lines.
_ATTRIBUTION = re.compile(
    r"^(?:"
    r"on\b.{4,200}\bwrote|am\b.{4,200}\bschrieb\b.{0,120}|le\b.{4,200}\ba écrit|el\b.{4,200}\bescribió|"
    r"il\b.{4,200}\bha scritto|op\b.{4,200}\bschreef\b.{0,120}|em\b.{4,200}\bescreveu|den\b.{4,200}\bskrev\b.{0,120}|"
    r"dnia\b.{4,200}\bnapisał\(?a?\)?|.{4,200}\bпишет|.{4,200}님이 작성|.{4,200}のメール|.{4,200}写道"
    r")\s?[:：]?$",
    re.IGNORECASE,
)
_DIVIDER = re.compile(
    r"^(?:-{2,}\s*(?:original message|ursprüngliche nachricht|message d'origine|mensaje original|messaggio originale|"
    r"oorspronkelijk bericht|mensagem original|forwarded message|weitergeleitete nachricht|원본 메시지)\s*-{2,}"
    r"|_{20,})$",
    re.IGNORECASE,
)
# The block of headers that some programs put above what they quote, without a mark on its lines.
_FROM = re.compile(r"^\W*(?:from|von|de|da|van|보낸 사람|差出人|发件人)\s?[:：]\s?\S.*", re.IGNORECASE)
_SENT = re.compile(
    r"^\W*(?:sent|date|gesendet|datum|envoyé|enviado|fecha|inviato|data|verzonden|보낸 날짜|送信日時|发送时间)\s?[:：]",
    re.IGNORECASE,
)
_SIGNATURE = re.compile(
    r"^(?:--\s?|(?:sent from|get outlook for|gesendet mit|gesendet von|von meinem|envoyé de(?:puis)?|"
    r"enviado desde|inviato da|verzonden (?:vanaf|met))\b.{2,60})$",
    re.IGNORECASE,
)
SIGNATURE_LINES_MAX = 12


@dataclass(frozen=True, slots=True)
class Parts:
    """A letter in its parts."""

    text: str
    quoted: str = ""
    signature: str = ""


def parts(text: str) -> Parts:
    """What is new in a letter; whoever answers between the lines of a quotation keeps it whole."""
    lines = [line.rstrip() for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")]
    at = _quotation(lines)
    own, quoted = lines[:at], lines[at:]
    below = _below(lines) if not quoted or not _has_words(own) else None
    if below is not None:
        own, quoted = lines[below:], lines[:below]
    elif not _has_words(own):  # nothing but a quotation: to cut it would leave nothing of what was sent
        return Parts("\n".join(lines).strip())
    cut = _signature(own)
    return Parts("\n".join(own[:cut]).strip(), "\n".join(quoted).strip("\n"), "\n".join(own[cut:]).strip())


def _quotation(lines: list[str]) -> int:
    """The line at which the quotation begins that goes on to the end; the number of lines where there is none."""
    for n, line in enumerate(lines):
        bare = line.strip()
        if _DIVIDER.match(bare):
            return n
        if _FROM.match(bare) and any(_SENT.match(following.strip()) for following in lines[n + 1 : n + 4]):
            return n
        if _is_attribution(lines, n) and _only_quotes(lines[_after(lines, n) :]):
            return n
        if bare.startswith(">") and _only_quotes(lines[n:]):
            return n
    return len(lines)


def _is_attribution(lines: list[str], n: int) -> bool:
    one = lines[n].strip()
    two = f"{one} {lines[n + 1].strip()}" if n + 1 < len(lines) else one
    return bool(one) and bool(_ATTRIBUTION.match(one) or (len(one) > 10 and _ATTRIBUTION.match(two)))


def _after(lines: list[str], n: int) -> int:
    """The line after an attribution."""
    return n + 1 if _ATTRIBUTION.match(lines[n].strip()) else n + 2


def _only_quotes(lines: list[str]) -> bool:
    """Whether nothing follows but quoted lines, a signature at most."""
    rest = lines[: _signature(lines)]
    filled = [line for line in rest if line.strip()]
    return bool(filled) and all(line.lstrip().startswith(">") for line in filled)


def _below(lines: list[str]) -> int | None:
    """Where what was written below a quotation begins."""
    marked = [n for n, line in enumerate(lines) if line.lstrip().startswith(">")]
    if not marked or marked[-1] + 1 >= len(lines) or not _has_words(lines[marked[-1] + 1 :]):
        return None
    above = [line for line in lines[: marked[0]] if line.strip()]
    inside = [
        line for n, line in enumerate(lines[marked[0] : marked[-1]]) if line.strip() and not _quoted(line)
    ]
    # An answer between the lines belongs to each of them.
    return None if inside or len(above) > 2 else marked[-1] + 1


def _quoted(line: str) -> bool:
    return line.lstrip().startswith(">")


def _signature(lines: list[str]) -> int:
    """The line at which a signature begins that is short and goes on to the end."""
    for n in range(max(len(lines) - SIGNATURE_LINES_MAX, 0), len(lines)):
        if _SIGNATURE.match(lines[n]) and not any(_quoted(line) for line in lines[n:]):
            return n
    return len(lines)


def _has_words(lines: list[str]) -> bool:
    return any(c.isalnum() for line in lines for c in line)
