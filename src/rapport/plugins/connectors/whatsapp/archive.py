"""A chat as WhatsApp exports it: one text, a message a line, with times as the telephone writes them.

`[31/12/2023, 23:59:01] Ana: Hello` or `12/31/23, 11:59 PM - Ana: Hello`. Which of two numbers is the day is told by
the chat as a whole, or by nobody: then it is asked. There are no numbers of messages in it, so each gets one of its
own words and moment.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import posixpath
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from rapport.kit.errors import Invalid
from rapport.kit.pour import lines
from rapport.listening.contract import Left, Part, Said, Unread

TEXT_CHARS_MAX = 64_000
NAMES_MAX = 1_000
NAMES_SHOWN = 6
BACK = dt.timedelta(days=1)  # by which a clock may be set back within a chat
_MARKS = dict.fromkeys(map(ord, "\u200e\u200f\u202a\u202b\u202c\ufeff"))
_LINE = re.compile(
    r"\[?(?P<date>(\d{1,4})([./-])(\d{1,2})\3(\d{1,4}))\.?,? +"
    r"(?P<time>(\d{1,2})[:.](\d{2})(?:[:.](\d{2}))?)(?: ?(?P<half>[AaPp])\.? ?[Mm]\.?)?(?:\]|  ?-) (?P<rest>.*)",
    re.DOTALL,
)
_TITLE = re.compile(
    r"^WhatsApp.*?(?: - | with | mit | avec | con | com | met )(?P<title>.+?)(?:\.(?:txt|zip))*$"
)
_EDITED = re.compile(r"\s*<[^<>]*(?:edited|bearbeitet|modifi|editad|modificato)[^<>]*>$")
_NOTICE = re.compile(r"end-to-end|Ende-zu-Ende|bout en bout|extremo a extremo|ponta a ponta|crittografia")
# What stands where somebody took a message back, in the languages that we know it in.
DELETED = frozenset(
    {
        "this message was deleted", "you deleted this message", "diese nachricht wurde gelöscht",
        "du hast diese nachricht gelöscht", "ce message a été supprimé", "vous avez supprimé ce message",
        "se eliminó este mensaje", "eliminaste este mensaje", "questo messaggio è stato eliminato",
        "hai eliminato questo messaggio", "mensagem apagada", "você apagou esta mensagem",
        "dit bericht is verwijderd", "je hebt dit bericht verwijderd",
    }
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Chat:
    """What the whole of a chat says: how its dates are read, who is in it, and who of them is us."""

    order: str  # day or month
    names: tuple[str, ...]
    us: str
    title: str

    @property
    def place(self) -> str:
        """What the chat is known by: the other one, or its title where there are several."""
        others = [name for name in self.names if name != self.us]
        return f"chat:{_handle(others[0]) if len(others) == 1 else self.title.casefold()}"


class WhatsAppArchive:
    """One chat."""

    title = "chat of WhatsApp"
    paths = r"(^|/)(_chat|WhatsApp [^/]*)\.txt$"

    def holds(self, head: bytes) -> bool:
        shown = head.decode("utf-8", "replace").translate(_MARKS).replace("\u202f", " ").splitlines()
        written = [line for line in shown[:40] if line.strip()]
        return bool(written) and any(_LINE.match(line) for line in written[:2])

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        chat = _looked_over(part)
        seen: Counter[str] = Counter()
        minute: dt.datetime | None = None
        heard = ""  # the last that somebody else said, which what we say next answers
        for line in _messages(part):
            found = _message(line, chat, part)
            if isinstance(found, Said):
                if found.ts != minute:
                    minute, seen = found.ts, Counter()
                seen[found.id] += 1
                if seen[found.id] > 1:  # the same words by the same person within a minute
                    found = _message(line, chat, part, again=seen[found.id])
            if isinstance(found, Said) and found.is_ours:
                found = replace(found, in_reply_to=heard)
            elif isinstance(found, Said):
                heard = found.id
            yield found

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        chat = Chat(
            str(row.get("order") or part.date_order),
            tuple(map(str, row.get("names") or ())),
            str(row.get("us") or part.account),
            str(row.get("title") or ""),
        )
        return _message(str(row.get("raw") or ""), chat, part)


def _text(line: bytes) -> str:
    return line.decode("utf-8", "replace").translate(_MARKS).replace("\u202f", " ").rstrip("\r\n")


def _messages(part: Part) -> Iterator[str]:
    """Messages with the lines that they go on in."""
    whole = ""
    for raw in lines(part.open()):
        line = _text(raw)
        if _LINE.match(line):
            if whole:
                yield whole
            whole = line
        elif (whole or line.strip()) and len(whole) < TEXT_CHARS_MAX:
            whole = f"{whole}\n{line}" if whole else line
    if whole:
        yield whole


def _looked_over(part: Part) -> Chat:
    """Read the chat once for what no single line says."""
    orders = {"day", "month"} if part.date_order not in {"day", "month"} else {part.date_order}
    newest: dict[str, dt.datetime] = {}
    names: Counter[str] = Counter()
    for raw in lines(part.open()):
        found = _LINE.match(_text(raw))
        if found is None:
            continue
        name, colon, words = found["rest"].partition(": ")
        if colon and not _NOTICE.search(words) and (name in names or len(names) < NAMES_MAX):
            names[name] += 1
        for order in tuple(orders):
            at = _moment(found, order, dt.UTC)
            # Messages stand in the order of time, so dates that run backwards are read wrongly.
            if len(orders) > 1 and (at is None or at < newest.get(order, at) - BACK):
                orders.discard(order)
            elif at is not None:
                newest[order] = max(at, newest.get(order, at))
    if len(orders) > 1 and any(_is_open(part)):
        raise Invalid(
            f"the dates in {part.name} can be read with the day first and with the month first",
            "Say which it is: date_order=day or date_order=month.",
        )
    title = _title(part)
    return Chat("day" if "day" in orders else "month", tuple(sorted(names)), _us(part, names, title), title)


def _is_open(part: Part) -> Iterator[bool]:
    """For each line whether day and month would make two different dates of it."""
    for raw in lines(part.open()):
        found = _LINE.match(_text(raw))
        if found:
            yield _moment(found, "day", dt.UTC) != _moment(found, "month", dt.UTC)


def _title(part: Part) -> str:
    for name in (part.name, part.archive):
        found = _TITLE.match(posixpath.basename(name))
        if found:
            return found["title"].strip()
    return posixpath.splitext(posixpath.basename(part.archive))[0]


def _us(part: Part, names: Counter[str], title: str) -> str:
    """Which of those who write is us: who is named so, or who is not the one that the chat is called by."""
    asked = part.account.strip().casefold()
    if asked:
        found = next((name for name in names if name.casefold() == asked), "")
        if found or not names:
            return found
        raise Invalid(f"nobody in {part.name} is called {part.account!r}", f"There are {_shown(names)}.")
    others = [name for name in names if name.casefold() != title.casefold()]
    if len(names) == 2 and len(others) == 1:
        return others[0]
    if len(names) == 1 and not others:
        return ""
    raise Invalid(
        f"{part.name} does not say which of these is you: {_shown(names)}",
        "Say the name as it stands there with the option account.",
    )


def _shown(names: Counter[str]) -> str:
    most = [name for name, _ in names.most_common(NAMES_SHOWN)]
    return ", ".join(most) + (f" and {len(names) - len(most)} more" if len(names) > len(most) else "")


def _message(line: str, chat: Chat, part: Part, again: int = 1) -> Said | Left | Unread:
    found = _LINE.match(line)
    row = {"raw": line, "order": chat.order, "names": list(chat.names), "us": chat.us, "title": chat.title}
    if found is None:
        return Unread("The line begins with no time.", row)
    at = _moment(found, chat.order, part.zone)
    if at is None:
        return Unread(f"{found['date']} {found['time']} is no time.", row)
    name, colon, text = found["rest"].partition(": ")
    if not colon or _NOTICE.search(text):
        return Left("notices of the network")
    text = _EDITED.sub("", text.strip())
    if text.casefold().rstrip(".! ") in DELETED:
        return Left("deleted messages")
    if not text:
        return Left("messages without words")
    is_ours = name == chat.us
    told = "\x1f".join((chat.place, found["date"], found["time"], name, text, str(again)))
    return Said(
        id=f"export-{hashlib.sha256(told.encode()).hexdigest()[:32]}",
        kind="message",
        ts=at,
        author=_handle(name),
        author_name=name,
        text=text,
        thread=chat.place,
        venue="whatsapp",
        subject_line=chat.title if len(chat.names) > 2 else "",
        is_private=True,
        is_ours=is_ours,
        asks_us=not is_ours,
    )


def _handle(name: str) -> str:
    """A telephone number as the network writes it, or the name under which somebody is in the address book."""
    digits = re.sub(r"[\s\u00a0()./-]", "", name)
    return digits.lstrip("+") if re.fullmatch(r"\+?\d{6,15}", digits) else name.strip().casefold()


def _moment(found: re.Match[str], order: str, zone: dt.tzinfo) -> dt.datetime | None:
    first, second, third = int(found[2]), int(found[4]), int(found[5])
    if len(found[2]) == 4 or first > 31:
        year, month, day = first, second, third
    else:
        year = third
        day, month = (first, second) if order == "day" else (second, first)
    hour, half = int(found[7]), (found["half"] or "").lower()
    if half:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        told = dt.datetime(
            year + 2000 if year < 100 else year,
            month,
            day,
            hour,
            int(found[8]),
            int(found[9] or 0),
            tzinfo=zone,
        )
        return told.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        return None
