"""Mail that was kept: an mbox (RFC 4155), as mail programs and Google Takeout write it, or one mail (.eml)."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from email.parser import BytesHeaderParser
from email.utils import getaddresses
from typing import Any

from rapport.kit.errors import Invalid
from rapport.kit.pour import Bytes, lines
from rapport.listening.contract import Left, Part, Said, Unread
from rapport.plugins.connectors.email import letters
from rapport.plugins.connectors.email.config import Config
from rapport.plugins.connectors.email.mailbox import MAIL_BYTES_MAX

HEAD_BYTES_MAX = 64_000
SHOWN_BYTES = 2_000
MAILS_OF_ONE = 2  # from so many mails on, whoever is in all of them is the owner of the mailbox
# The end of one mail and the beginning of the next: who, and a time with its year.
_BETWEEN = re.compile(rb"From [^\r\n]*\d{1,2}:\d{2}[^\r\n]*\d{4}\s*$")
_QUOTED = re.compile(rb">+From ")
_HEADER = re.compile(rb"[!-9;-~]+:[ \t]?")
_NEEDED = re.compile(
    rb"^(?:From|Date|Message-ID|Received|Return-Path|Delivered-To):", re.IGNORECASE | re.MULTILINE
)
# Where a mailbox keeps what nobody kept on purpose.
THROWN_AWAY = frozenset({"spam", "trash", "junk", "papierkorb", "corbeille", "papelera"})
DRAFTS = frozenset({"drafts", "draft", "entwürfe", "brouillons", "borradores"})


@dataclass(slots=True)
class Mail:
    """One mail as it lies there: the line before it, and its beginning."""

    between: bytes
    raw: bytes


class MailArchive:
    """Mail to and from one mailbox."""

    title = "mail archive"
    paths = r"\.(mbox|eml)$|(^|/)mbox$"

    def holds(self, head: bytes) -> bool:
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
        first, _, rest = begins.partition(b"\n")
        if _BETWEEN.match(first):
            return _HEADER.match(rest.removeprefix(b">")) is not None
        header = begins.replace(b"\r\n", b"\n").partition(b"\n\n")[0]
        known = {name.lower() for name in _NEEDED.findall(header)}
        return _HEADER.match(begins) is not None and b"from:" in known and len(known) > 1

    def read(self, part: Part) -> Iterator[Said | Left | Unread]:
        config = _config(part)
        for mail in _mails(part.open()):
            yield _said(mail, config, part)

    def again(self, row: Mapping[str, Any], part: Part) -> Said | Left | Unread:
        config = Config(our_addresses=str(row.get("ours") or part.account))
        return _said(Mail(b"", str(row.get("raw") or "").encode()), config, part)


def _config(part: Part) -> Config:
    """The mailbox as far as reading needs it: which addresses are ours."""
    ours = frozenset(filter(None, re.split(r"[,\s;]+", part.account.lower()))) or part.ours or _owner(part)
    return Config(our_addresses=", ".join(sorted(ours)))


def _owner(part: Part) -> frozenset[str]:
    """Whose mailbox it is: where mail was delivered to, or who is in every single one."""
    delivered: Counter[str] = Counter()
    named: Counter[str] = Counter()
    n = 0
    for mail in _mails(part.open(), HEAD_BYTES_MAX):
        head = BytesHeaderParser(policy=policy.compat32).parsebytes(mail.raw)
        n += 1
        delivered.update(_addresses(head, "Delivered-To", "X-Original-To"))
        named.update(_addresses(head, "From", "To", "Cc"))
    if delivered:
        return frozenset(delivered)
    always = [address for address, times in named.items() if times == n]
    if n >= MAILS_OF_ONE and len(always) == 1:
        return frozenset(always)
    raise Invalid(
        f"{part.name} does not say whose mailbox it is",
        "Say the firm's addresses with the option account, such as account=shop@example.org.",
    )


def _addresses(mail: Message, *headers: str) -> set[str]:
    found = [str(value) for header in headers for value in mail.get_all(header) or ()]
    return {address.strip().lower() for _, address in getaddresses(found) if "@" in address}


def _mails(stream: Bytes, bytes_max: int = MAIL_BYTES_MAX) -> Iterator[Mail]:
    """The mails of an mbox, or the one that it is; what is longer than anybody reads is cut off."""
    between, size = b"", 0
    parts: list[bytes] = []
    is_mbox, is_after_blank = False, True
    for line in lines(stream):
        if is_after_blank and line.startswith(b"From ") and _BETWEEN.match(line):
            if parts:
                yield Mail(between, b"".join(parts))
            between, parts, size, is_mbox = line, [], 0, True
        elif size < bytes_max and (parts or line.strip()):
            parts.append(line[1:] if is_mbox and _QUOTED.match(line) else line)
            size += len(line)
        is_after_blank = line in {b"\n", b"\r\n"}
    if parts:
        yield Mail(between, b"".join(parts))


def _said(mail: Mail, config: Config, part: Part) -> Said | Left | Unread:
    row = {
        "raw": mail.raw[:SHOWN_BYTES].decode("utf-8", "replace"),
        "ours": config.our_addresses,
    }
    head = message_from_bytes(mail.raw, policy=policy.compat32)
    labels = {one.strip().lower() for one in str(head.get("X-Gmail-Labels", "")).split(",")}
    if labels & THROWN_AWAY or _is_expunged(head):
        return Left("mails that were thrown away")
    if labels & DRAFTS or head.get("X-Mozilla-Draft-Info"):
        return Left("drafts")
    if not letters.sender(head)[0]:
        return Unread("The mail names no sender (From).", row)
    # A mail without a date came when the mailbox got it; one without either cannot be placed in time.
    arrived = _arrived(mail.between)
    if not str(head.get("Date", "")).strip() and arrived is None:
        return Unread("The mail has no date.", row)
    said = letters.said(mail.raw, config, name=letters.stand_in(mail.raw), arrived=arrived or part.now)
    if arrived is None and said.ts >= part.now:
        return Unread("The date of the mail cannot be read, or is in the future.", row)
    return said if said.text else Left("mails without words")


def _is_expunged(mail: Message) -> bool:
    """Whether a mail program had marked it as deleted."""
    try:
        flags = int(str(mail.get("X-Mozilla-Status", "0")), 16)
    except ValueError:
        flags = 0
    return bool(flags & 0x0008) or "D" in str(mail.get("X-Status", ""))


def _arrived(between: bytes) -> dt.datetime | None:
    """When a mail came, as the line before it says."""
    found = re.search(
        r"([A-Z][a-z]{2}) +([A-Z][a-z]{2}) +(\d{1,2}) +(\d{1,2}:\d{2}:\d{2})(?: +([+-]\d{4}))? +(\d{4})",
        between.decode("ascii", "replace"),
    )
    if found is None:
        return None
    told = f"{found[2]} {found[3]} {found[4]} {found[5] or '+0000'} {found[6]}"
    try:
        return dt.datetime.strptime(told, "%b %d %H:%M:%S %z %Y").astimezone(dt.UTC)
    except ValueError:
        return None
