"""A message as mail: headers, plain text and HTML (RFC 5322, MIME), signed where there is a key."""

from __future__ import annotations

import datetime as dt
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime

from rapport.messaging.contract import Message, TransportError
from rapport.plugins.channels.email import signing
from rapport.plugins.channels.email.config import Config, ascii_domain

# Lines are CRLF and at most 78 long; letters beyond ASCII are encoded, so that no server need know SMTPUTF8.
POLICY = policy.SMTP.clone(max_line_length=78, cte_type="7bit")


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
    mail = EmailMessage(policy=POLICY)
    mail["From"] = Address(config.from_name, addr_spec=address(config.from_address))
    mail["To"] = _to(message.to)
    mail["Subject"] = message.subject_line
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.id}@{config.domain}>"
    if config.reply_to:
        mail["Reply-To"] = Address(addr_spec=address(config.reply_to))
    for name, value in message.headers.items():
        mail[name] = value
    mail.set_content(message.text, cte="quoted-printable")
    if message.html:
        mail.add_alternative(message.html, subtype="html", cte="quoted-printable")
    if message.language:  # last, since adding the second part moves what is called Content- into the first
        mail["Content-Language"] = message.language
    raw = mail.as_bytes()
    if config.dkim_key:
        raw = signing.signed(raw, selector=config.dkim_selector, domain=config.domain, pem=config.dkim_key)
    return raw


def _to(text: str) -> Address | str:
    try:
        return Address(addr_spec=address(text))
    except TransportError:
        raise
    except Exception:  # a local part that the standard library cannot parse, but a server may know
        return address(text)
