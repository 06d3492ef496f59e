"""Our answers as mail: threaded by their headers, numbered by the draft, handed to an SMTP server (RFC 5321)."""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import re
import smtplib
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as POLICY
from email.utils import format_datetime

from rapport.listening.contract import Draft, Failed, Receipt
from rapport.plugins.connectors.email.config import PLAIN, STARTTLS, Config
from rapport.plugins.connectors.email.mailbox import Mailbox

SUBJECT = {"de": "Ihre Nachricht", "fr": "Votre message", "es": "Su mensaje", "ko": "문의하신 내용"}
_ANSWERED = re.compile(r"^(?:re|aw|sv|antw|回复|답장)\s*[:：]", re.IGNORECASE)
PERMANENT = 500
TROUBLE = (smtplib.SMTPException, OSError)


def message_id(draft: Draft, config: Config) -> str:
    """The Message-ID of a draft, the same for every try; without brackets."""
    return f"{hashlib.sha256(f'rapport:{draft.id}'.encode()).hexdigest()[:32]}@{config.domain}"


def written(draft: Draft, config: Config, now: dt.datetime) -> bytes:
    """The mail as it goes over the wire; raises Failed for what cannot be one."""
    mail = EmailMessage(policy=POLICY)
    try:
        mail["From"] = Address(config.from_name, addr_spec=config.from_address)
        mail["To"] = Address(addr_spec=draft.to)
        mail["Subject"] = _subject(draft)
    except Exception as error:  # the standard library's parser of addresses raises what it meets
        raise Failed(f"{draft.to!r} is no mail address: {error}", is_permanent=True) from None
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message_id(draft, config)}>"
    if draft.in_reply_to:
        mail["In-Reply-To"] = f"<{_bare(draft.in_reply_to)}>"
    line = dict.fromkeys(_bare(one) for one in (draft.thread, draft.in_reply_to) if one)
    if line:
        mail["References"] = " ".join(f"<{one}>" for one in line)
    if draft.language:
        mail["Content-Language"] = draft.language
    mail.set_content(draft.text.replace("\r\n", "\n") + "\n", cte="quoted-printable")
    return mail.as_bytes()


def posted(draft: Draft, config: Config, now: dt.datetime) -> Receipt:
    """Hand it over; raises Failed."""
    if not config.smtp_host:
        raise Failed(
            "this mailbox is only read",
            reason="permission",
            is_permanent=True,
            hint="Enter an SMTP server for it, or answer by the mail channel.",
        )
    raw = written(draft, config, now)
    answer = _handed_over(raw, draft.to, config)
    receipt = Receipt(message_id(draft, config), answer=answer)
    if config.keeps_sent == "us":
        # It has left: that it is not kept must not look as if it had not.
        with contextlib.suppress(Failed), contextlib.closing(Mailbox(config)) as mailbox:
            mailbox.put(config.sent_folder, raw, now)
    return receipt


def found(draft: Draft, config: Config) -> Receipt | None:
    """Whether it lies in the folder of sent mail; raises Failed where that says nothing."""
    id = message_id(draft, config)
    if config.sent_folder:
        with contextlib.closing(Mailbox(config)) as mailbox:
            if mailbox.has(config.sent_folder, id):
                return Receipt(id, answer="it lies in the folder of sent mail")
    if config.keeps_sent == "server":
        return None
    raise Failed(
        "whether the mail server took it cannot be told",
        is_unsure=True,
        retry_after_s=None,
        hint="Let the server keep sent mail in a folder, and name it: then it can be looked up there.",
    )


def _handed_over(raw: bytes, to: str, config: Config) -> str:
    name, where = config.from_address, f"{config.smtp_host}:{config.smtp_port}"
    is_sent = False
    try:
        with connected(config) as smtp:
            code, words = smtp.mail(name, [f"size={len(raw)}"] if smtp.has_extn("size") else [])
            _check(code, words, where, of_us=True)
            code, words = smtp.rcpt(to)
            _check(code, words, where)
            is_sent = True  # from here on it may have been taken whatever we hear
            code, words = smtp.data(raw)
            is_sent = False
            _check(code, words, where)
            return f"{code} {words.decode('utf-8', 'replace')}"[:300]
    except smtplib.SMTPAuthenticationError as error:
        raise Failed(
            f"{where} does not accept the log-in: {_said(error.smtp_error)}",
            reason="login",
            retry_after_s=None,
            hint="Enter the password for sending anew.",
        ) from None
    except smtplib.SMTPDataError as error:  # the answer to DATA itself, before any of the mail
        _check(error.smtp_code, error.smtp_error, where)
        raise Failed(f"{where} does not take the mail: {_said(error.smtp_error)}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Failed(f"{where} broke off: {error}", is_unsure=is_sent, retry_after_s=60.0) from None


def connected(config: Config) -> smtplib.SMTP:
    """A connection to the server for sending, logged in."""
    local = config.domain or None
    if config.smtp_security in {PLAIN, STARTTLS}:
        smtp = smtplib.SMTP(config.smtp_host, config.smtp_port, local, timeout=config.timeout_s)
    else:
        context = ssl.create_default_context()
        smtp = smtplib.SMTP_SSL(
            config.smtp_host, config.smtp_port, local, timeout=config.timeout_s, context=context
        )
    try:
        if config.smtp_security == STARTTLS:
            smtp.starttls(context=ssl.create_default_context())
        smtp.ehlo_or_helo_if_needed()
        if smtp.has_extn("auth"):
            smtp.login(config.smtp_login_name or config.login_name, config.smtp_password or config.password)
    except BaseException:
        smtp.close()
        raise
    return smtp


def _check(code: int, words: bytes | str, where: str, *, of_us: bool = False) -> None:
    if code < 400:
        return
    said = f"{where} answered {code} {_said(words)}"
    if code < PERMANENT:
        raise Failed(said, retry_after_s=300.0)
    hint = "See that the server lets this log-in send from the from address." if of_us else ""
    raise Failed(said, is_permanent=not of_us, reason="permission", retry_after_s=3_600.0, hint=hint)


def _subject(draft: Draft) -> str:
    line = " ".join(draft.subject_line.split()) or SUBJECT.get(draft.language[:2], "Your message")
    return line if not draft.in_reply_to or _ANSWERED.match(line) else f"Re: {line}"


def _bare(id: str) -> str:
    return "".join(c for c in id if not c.isspace() and c not in "<>")


def _said(words: bytes | str) -> str:
    return (words.decode("utf-8", "replace") if isinstance(words, bytes) else str(words))[:200]
