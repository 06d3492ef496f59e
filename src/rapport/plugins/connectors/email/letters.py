"""A mail (RFC 5322, MIME) as something that somebody said: whose, in answer to what, in plain words.

Machines write mail as well: answers that come by themselves (RFC 3834), reports of what was not delivered (RFC
3464), lists (RFC 2919). They are told apart, because answering them would begin a loop that nobody ends.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import Message
from email.utils import getaddresses, parsedate_to_datetime

from rapport.kit import markup
from rapport.listening.contract import Said
from rapport.plugins.connectors.email import quoting, vouching
from rapport.plugins.connectors.email.config import Config

TEXT_CHARS_MAX, QUOTED_CHARS_MAX = 20_000, 8_000
PARTS_MAX = 200
_ID = re.compile(r"<([^<>\s]{1,995})>")
_OUT_OF_OFFICE = re.compile(
    r"^(?:auto(?:matic|matische|matique|mática|-?reply|-?antwort)|out of (?:the )?office|abwesen|absence|ausente|"
    r"réponse automatique|risposta automatica|자동 ?응답|自動応答|自动回复)",
    re.IGNORECASE,
)
_ROBOTS = re.compile(r"^(?:mailer-daemon|postmaster|no-?reply|do-?not-?reply|bounces?)\b", re.IGNORECASE)


def said(raw: bytes, config: Config, *, name: str, arrived: dt.datetime) -> Said:
    """What a mail says. `name` stands for its Message-ID where it has none, `arrived` for its date."""
    mail = message_from_bytes(raw, policy=policy.compat32)
    denied = vouching.denied(mail, config.trusted_server)
    # A form of ours is known by its From address, and so is what staff wrote: neither where that is denied.
    ours = config.ours if not denied else frozenset()
    address, author_name = sender(mail, ours)
    answers, thread = ancestry(mail)
    id = own_id(mail) or name
    parts = quoting.parts(plain_text(mail)[: TEXT_CHARS_MAX * 2])
    attached = attachments(mail)
    is_ours = address in ours
    kind = automatic(mail, address)
    text = parts.text[:TEXT_CHARS_MAX]
    detail: dict[str, object] = {}
    if parts.quoted:
        detail["quoted"] = parts.quoted[:QUOTED_CHARS_MAX]
    if parts.signature:
        detail["signature"] = parts.signature
    if attached:
        detail["attachments"] = attached
    if denied:
        detail["unconfirmed"] = denied
    if kind:
        detail["automatic"] = kind
    if kind == "bounce":
        detail |= bounced(mail)
    return Said(
        id=id,
        kind="message",
        ts=min(_date(mail) or arrived, arrived),
        author=address,
        author_name=author_name,
        text=text or "\n".join(f"[{one}]" for one in attached),
        in_reply_to=answers,
        thread=thread or answers or id,
        venue="email",
        language=_words(mail, "Content-Language")[:2].lower(),
        subject_line=_words(mail, "Subject")[:500],
        is_private=True,
        is_ours=is_ours,
        asks_us=not is_ours and not kind,
        detail=detail,
    )


def own_id(mail: Message) -> str:
    """Its Message-ID, without brackets."""
    found = _ID.search(str(mail.get("Message-ID", "")))
    return found[1] if found else ""


def ancestry(mail: Message) -> tuple[str, str]:
    """What it answers, and what that began with (RFC 5322, 3.6.4)."""
    answered = _ID.findall(str(mail.get("In-Reply-To", "")))
    line = _ID.findall(str(mail.get("References", "")))
    answers = answered[0] if answered else (line[-1] if line else "")
    return answers, line[0] if line else answers


def sender(mail: Message, ours: frozenset[str] = frozenset()) -> tuple[str, str]:
    """Address and name of whoever wrote it.

    `Reply-To` is where answers go, and no author, but in what a form on our own pages sent: that comes from an
    address of ours, and names whoever filled it in there.
    """
    name, address = _first(mail, "From") or _first(mail, "Sender") or ("", "")
    asked = _first(mail, "Reply-To")
    if address in ours and asked and asked[1] not in ours:
        name, address = asked
    return address, name


def _first(mail: Message, header: str) -> tuple[str, str] | None:
    """The first address of a header and its name; None where there is none."""
    found = [
        (name.strip(), address.strip().lower()) for name, address in getaddresses([_words(mail, header)])
    ]
    return next((one for one in found if one[1]), None)


def automatic(mail: Message, address: str) -> str:
    """What kind of machine wrote it: bounce, reply, list, report, other; empty where somebody did."""
    kind = mail.get_content_type()
    report = str(mail.get_param("report-type", "")).lower()
    if kind == "multipart/report" and report in {"delivery-status", ""}:
        return "bounce"
    if kind == "multipart/report" or report:
        return "report"  # that it was read, or that somebody calls ours unwanted
    if str(mail.get("Return-Path", "")).strip() == "<>" and _ROBOTS.match(address):
        return "bounce"
    submitted = str(mail.get("Auto-Submitted", "no")).partition(";")[0].strip().lower()
    precedence = str(mail.get("Precedence", "")).strip().lower()
    replies = submitted == "auto-replied" or mail.get("X-Autoreply") or mail.get("X-Autorespond")
    if replies or precedence == "auto_reply" or _OUT_OF_OFFICE.match(_words(mail, "Subject")):
        return "reply"
    if mail.get("List-Id") or mail.get("List-Unsubscribe") or precedence in {"list", "bulk", "junk"}:
        return "list"
    if (
        submitted not in {"", "no"}
        or str(mail.get("Return-Path", "")).strip() == "<>"
        or _ROBOTS.match(address)
    ):
        return "other"
    return ""


def bounced(mail: Message) -> dict[str, object]:
    """What a report of a failed delivery says: of which mail, to whom, why (RFC 3464)."""
    found: dict[str, object] = {}
    for part in _parts(mail):
        kind = part.get_content_type()
        payload = part.get_payload()
        if kind == "message/delivery-status" and isinstance(payload, list):
            blocks = [one for one in payload if isinstance(one, Message) and one.get("Status")]
            # A report may tell of several who were written to; of those it was delayed or delivered to, nothing.
            failed = [one for one in blocks if str(one.get("Action", "failed")).strip().lower() == "failed"]
            for block in failed[:1]:
                found["status"] = str(block.get("Status")).split()[0]
                found["address"] = str(block.get("Final-Recipient", "")).partition(";")[2].strip().lower()
        elif kind in {"message/rfc822", "text/rfc822-headers"}:
            inner = part.get_payload(0) if part.is_multipart() else message_from_bytes(_bytes(part))
            if isinstance(inner, Message) and own_id(inner):
                found["bounce_of"] = own_id(inner)
    return found


def plain_text(mail: Message) -> str:
    """The words of a mail: its plain text, or the text of its HTML where it has none."""
    plain, html = [], []
    for part in _parts(mail):
        if _is_attached(part) or part.is_multipart():
            continue
        kind = part.get_content_type()
        if kind == "text/plain":
            plain.append(_flowed(part))
        elif kind == "text/html":
            html.append(markup.text_of(_decoded(part)))
    return "\n".join(plain) if any(text.strip() for text in plain) else "\n".join(html)


def attachments(mail: Message) -> list[str]:
    """What is attached: names, kinds and sizes."""
    found = []
    for part in _parts(mail):
        if part.is_multipart() or not _is_attached(part):
            continue
        name = part.get_filename() or part.get_content_type()
        size = len(_bytes(part))
        found.append(f"{_safe(str(name))}, {part.get_content_type()}, {size} bytes")
    return found


def _parts(mail: Message) -> Iterator[Message]:
    for n, part in enumerate(mail.walk()):
        if n >= PARTS_MAX:
            return
        yield part


def _is_attached(part: Message) -> bool:
    return part.get_content_disposition() == "attachment" or (
        part.get_content_maintype() not in {"text", "multipart", "message"}
    )


def _bytes(part: Message) -> bytes:
    found = part.get_payload(decode=True)
    return found if isinstance(found, bytes) else b""


def _decoded(part: Message) -> str:
    """The text of a part in the letters that it names, as far as it keeps to them."""
    named = part.get_content_charset() or "utf-8"
    try:
        return _bytes(part).decode(named, errors="replace")
    except LookupError:
        return _bytes(part).decode("utf-8", errors="replace")


def _flowed(part: Message) -> str:
    """Plain text; lines that were broken for the way are joined again (RFC 3676)."""
    text = _decoded(part).replace("\r\n", "\n")
    if str(part.get_param("format", "")).lower() != "flowed":
        return text
    joined: list[str] = []
    for line in text.split("\n"):
        is_open = bool(joined) and joined[-1].endswith(" ") and joined[-1] != "-- "
        same_depth = is_open and joined[-1].startswith(">") == line.startswith(">")
        bare = line.removeprefix(" ")
        if is_open and same_depth and line:
            joined[-1] += bare.lstrip("> ") if line.startswith(">") else bare
        else:
            joined.append(bare)
    return "\n".join(joined)


def _words(mail: Message, name: str) -> str:
    """A header as text, encoded words read."""
    raw = mail.get(name)
    if raw is None:
        return ""
    try:
        text = str(make_header(decode_header(str(raw))))
    except (LookupError, UnicodeError, ValueError):
        text = str(raw)
    return " ".join(_safe(text).split())


def _date(mail: Message) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(str(mail.get("Date", "")))
        return (found if found.tzinfo else found.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
    except (ValueError, TypeError, OverflowError):
        return None


def _safe(text: str) -> str:
    """Text that any store takes."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def stand_in(raw: bytes) -> str:
    """A name for a mail that has none, the same whenever it is read."""
    return f"{hashlib.sha256(raw).hexdigest()[:32]}@nameless.invalid"
