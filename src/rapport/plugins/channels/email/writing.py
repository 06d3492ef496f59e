"""A message as mail: headers, plain text and HTML (RFC 5322, RFC 2045), signed where there is a key.

Written out by hand: the standard library's `email` takes 1.6 ms a message to parse and fold headers that we
make ourselves, a third of all the work that a delivery is.
"""

from __future__ import annotations

import binascii
import datetime as dt
from email.header import Header
from email.utils import format_datetime, formataddr

from rapport.messaging.contract import Message, TransportError
from rapport.plugins.channels.email import signing
from rapport.plugins.channels.email.config import Config, ascii_domain

LINE = 76  # characters of a header with encoded words; others are single words, such as an address


def address(text: str) -> str:
    """An address as the envelope has it: the domain in the letters of DNS. Raises TransportError."""
    name, at, domain = text.rpartition("@")
    odd = any(c.isspace() or ord(c) < 32 or c in "<>,;" for c in text)
    domain = ascii_domain(domain)
    if odd or not at or not name or not domain or not domain.isascii():
        raise TransportError(f"{text!r} is no mail address", permanent=True, of_address=True)
    return f"{name}@{domain}"


def written(message: Message, config: Config, now: dt.datetime) -> bytes:
    """The whole mail as it goes over the wire."""
    headers = {
        "From": formataddr((config.from_name, address(config.from_address))),
        "To": address(message.to),
        "Subject": _words("Subject", message.subject_line),
        "Date": format_datetime(now),
        "Message-ID": f"<{message.id}@{config.domain}>",
        "Reply-To": address(config.reply_to) if config.reply_to else "",
        "Content-Language": message.language,
        **message.headers,
        "MIME-Version": "1.0",
    }
    head = b"".join(_header(name, value) for name, value in headers.items() if value)
    raw = head + _content(message)
    if config.dkim_key:
        raw = signing.signed(raw, selector=config.dkim_selector, domain=config.domain, pem=config.dkim_key)
    return raw


def _header(name: str, value: str) -> bytes:
    unfolded = value.replace("\r\n ", " ")  # what Header folded
    if any(ord(c) < 32 or ord(c) == 127 for c in name + unfolded):
        raise ValueError(f"the header {name} holds a line break")
    return f"{name}: {value}\r\n".encode()


def _words(name: str, text: str) -> str:
    """Free text as a header has it: encoded words beyond ASCII, and lines of a bearable length."""
    if any(ord(c) < 32 for c in text):
        raise ValueError(f"the header {name} holds a line break")
    charset = "us-ascii" if text.isascii() else "utf-8"
    return Header(text, charset, maxlinelen=LINE, header_name=name).encode(linesep="\r\n")


def _content(message: Message) -> bytes:
    plain = _part("plain", message.text)
    if not message.html:
        return plain
    # Quoted-printable never has "=_", so no line of a part can be taken for the boundary.
    boundary = f"=_{message.id}".encode()
    parts = b"".join(b"--%b\r\n%b\r\n" % (boundary, part) for part in (plain, _part("html", message.html)))
    return b'Content-Type: multipart/alternative; boundary="%b"\r\n\r\n%b--%b--\r\n' % (
        boundary,
        parts,
        boundary,
    )


def _part(kind: str, text: str) -> bytes:
    body = binascii.b2a_qp(text.replace("\r\n", "\n").encode(), istext=True).replace(b"\n", b"\r\n")
    return (
        b'Content-Type: text/%b; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n%b'
        % (kind.encode(), body)
    )
