"""A mailbox over IMAP (RFC 9051, as far as servers of RFC 3501 go): mail after a place, and nothing of it changed.

A place is a folder's UIDVALIDITY and the largest UID that was read. Where the server numbers anew, it begins
again at the day of the newest mail; what comes twice is known by its Message-ID.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import imaplib
import re
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from rapport.listening.contract import Failed
from rapport.plugins.connectors.email.config import PLAIN, STARTTLS, Config

MAIL_BYTES_MAX = 1_000_000  # of one mail; words come first in it, attachments after
AT_ONCE = 25
_UID = re.compile(rb"\bUID (\d+)")
_SIZE = re.compile(rb"\bRFC822\.SIZE (\d+)")
_ARRIVED = re.compile(rb'\bINTERNALDATE "([^"]+)"')
# What imaplib raises where the other end is gone or speaks something else.
BROKEN = (OSError, imaplib.IMAP4.abort, EOFError)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it lies in its folder, cut where it is too large."""

    uid: int
    arrived: dt.datetime
    raw: bytes
    size: int

    @property
    def is_whole(self) -> bool:
        """Whether all of it was read."""
        return len(self.raw) >= self.size


class Mailbox:
    """A connection to the server, logged in."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._imap = _connected(config)

    def is_alive(self) -> bool:
        """Whether the server still answers."""
        try:
            return str(self._imap.noop()[0]) == "OK"
        except (*BROKEN, imaplib.IMAP4.error):
            return False

    def close(self) -> None:
        """End it politely, as far as that goes."""
        with contextlib.suppress(*BROKEN, imaplib.IMAP4.error):
            self._imap.logout()
        with contextlib.suppress(*BROKEN, imaplib.IMAP4.error):
            self._imap.shutdown()

    def folders(self) -> list[str]:
        """The names of its folders, as the server writes them."""
        _, found = self._imap.list()
        names = [
            re.search(rb'(?:"((?:[^"\\]|\\.)*)"|(\S+))$', one) for one in found if isinstance(one, bytes)
        ]
        return [(m[1] or m[2] or b"").decode("ascii", "replace") for m in names if m]

    def open(self, folder: str, *, to_write: bool = False) -> int:
        """Look into a folder; gives its UIDVALIDITY."""
        name = _quoted(folder)
        with _asking(self._config, "does not open the folder"):
            state, found = self._imap.select(name, readonly=not to_write)
            if state != "OK":
                told = _text(found)
                raise Failed(
                    f"the mailbox has no folder {folder!r}: {told}",
                    reason="permission",
                    retry_after_s=3_600.0,
                    hint="Correct its name in the source's configuration.",
                )
            validity = self._imap.response("UIDVALIDITY")[1]
        return int(validity[0]) if validity and validity[0] else 0

    def after(self, uid: int, since: dt.datetime) -> list[int]:
        """UIDs larger than one; on the first time those that arrived since."""
        with _asking(self._config, "does not search"):
            wanted = f"UID {uid + 1}:*" if uid else f"SINCE {_day(since - dt.timedelta(days=1))}"
            state, found = self._imap.uid("SEARCH", wanted)
            if state != "OK":
                raise Failed(
                    f"{self._config.host} does not search the folder: {_text(found)}", retry_after_s=600.0
                )
        numbers = [int(n) for one in found if isinstance(one, bytes) for n in one.split()]
        # `7:*` names the last mail even where it is older: the server turns the range round.
        return sorted(n for n in numbers if n > uid)

    def read(self, uids: list[int]) -> Iterator[Mail]:
        """Mails by their UIDs, without marking them as read."""
        for start in range(0, len(uids), AT_ONCE):
            part = ",".join(map(str, uids[start : start + AT_ONCE]))
            with _asking(self._config, "does not hand over mail"):
                asked = f"(UID INTERNALDATE RFC822.SIZE BODY.PEEK[]<0.{MAIL_BYTES_MAX}>)"
                state, found = self._imap.uid("FETCH", part, asked)
                if state != "OK":
                    raise Failed(
                        f"{self._config.host} does not hand over mail: {_text(found)}", retry_after_s=300.0
                    )
            mails = [
                mail
                for one, after in zip(found, [*found[1:], b""], strict=True)
                if (mail := _mail(one, after))
            ]
            yield from sorted(mails, key=lambda mail: mail.uid)

    def has(self, folder: str, message_id: str) -> bool:
        """Whether a folder holds a mail of that Message-ID."""
        self.open(folder)
        with _asking(self._config, "does not search"):
            state, found = self._imap.uid("SEARCH", f'HEADER Message-ID "<{message_id}>"')
        return state == "OK" and any(one and one.split() for one in found if isinstance(one, bytes))

    def put(self, folder: str, raw: bytes, at: dt.datetime) -> None:
        """Put a mail into a folder."""
        with _asking(self._config, "does not keep the sent mail"):
            state, found = self._imap.append(_quoted(folder), r"(\Seen)", imaplib.Time2Internaldate(at), raw)
            if state != "OK":
                raise Failed(f"{self._config.host} does not keep the sent mail: {_text(found)}")


def _connected(config: Config) -> imaplib.IMAP4:
    where = f"{config.host}:{config.port}"
    imap: imaplib.IMAP4 | None = None
    try:
        if config.security == PLAIN:
            imap = imaplib.IMAP4(config.host, config.port, timeout=config.timeout_s)
        elif config.security == STARTTLS:
            imap = imaplib.IMAP4(config.host, config.port, timeout=config.timeout_s)
            imap.starttls(ssl.create_default_context())
        else:
            imap = imaplib.IMAP4_SSL(
                config.host, config.port, ssl_context=ssl.create_default_context(), timeout=config.timeout_s
            )
    except ssl.SSLError as error:
        _end(imap)
        raise Failed(
            f"{where} does not encrypt as it should: {error}",
            reason="permission",
            retry_after_s=3_600.0,
            hint="Check the port and the kind of encryption.",
        ) from None
    except (*BROKEN, imaplib.IMAP4.error) as error:
        _end(imap)
        raise Failed(f"{where} did not answer: {error}", retry_after_s=30.0) from None
    try:
        if (config.login_name + config.password).isascii():
            imap.login(config.login_name, config.password)
        else:  # LOGIN knows no other letters; PLAIN takes UTF-8 (RFC 4616)
            told = f"\0{config.login_name}\0{config.password}".encode()
            imap.authenticate("PLAIN", lambda _: told)
    except BROKEN as error:
        _end(imap)
        raise Failed(f"{where} did not answer: {error}", retry_after_s=30.0) from None
    except imaplib.IMAP4.error as error:
        _end(imap)
        said = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error)
        if "UNAVAILABLE" in said or "INUSE" in said or "LIMIT" in said:  # RFC 5530: not about the password
            raise Failed(f"{where} lets nobody in now: {said[:200]}", retry_after_s=120.0) from None
        raise Failed(
            f"{where} does not accept the log-in of {config.login_name}: {said[:200]}",
            reason="login",
            retry_after_s=None,
            hint="Enter the mailbox's password anew; large providers want an app password.",
        ) from None
    return imap


def _end(imap: imaplib.IMAP4 | None) -> None:
    if imap is not None:
        with contextlib.suppress(*BROKEN, imaplib.IMAP4.error):
            imap.shutdown()


@contextlib.contextmanager
def _asking(config: Config, what: str) -> Iterator[None]:
    try:
        yield
    except BROKEN as error:
        raise Failed(f"{config.host} broke off: {error}", retry_after_s=10.0) from None
    except imaplib.IMAP4.error as error:
        raise Failed(f"{config.host} {what}: {str(error)[:200]}", retry_after_s=300.0) from None


def _mail(one: object, after: object) -> Mail | None:
    """One mail of a FETCH; what belongs to it may stand before its bytes and after them."""
    if not isinstance(one, tuple) or len(one) < 2 or not isinstance(one[1], bytes):
        return None
    said = one[0] + b" " + (after if isinstance(after, bytes) else b"")
    uid, size, arrived = _UID.search(said), _SIZE.search(said), _ARRIVED.search(said)
    if not uid:
        return None
    return Mail(
        int(uid[1]), _time(arrived[1] if arrived else b""), one[1], int(size[1]) if size else len(one[1])
    )


def _time(text: bytes) -> dt.datetime:
    try:
        return parsedate_to_datetime(text.decode("ascii").strip().replace("-", " ", 2)).astimezone(dt.UTC)
    except (ValueError, TypeError, OverflowError):
        return dt.datetime.fromtimestamp(0, dt.UTC)


def _day(at: dt.datetime) -> str:
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905  as RFC 9051 has them
    return f"{at.day}-{months[at.month - 1]}-{at.year}"


def _quoted(name: str) -> str:
    escaped = utf7(name).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def utf7(name: str) -> str:
    """A folder's name in the letters of the protocol (modified UTF-7; RFC 3501, 5.1.3)."""
    written: list[str] = []
    for part in re.findall(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        if part.isascii() and part.isprintable():
            written.append(part.replace("&", "&-"))
        else:
            coded = base64.b64encode(part.encode("utf-16-be")).decode("ascii")
            written.append(f"&{coded.rstrip('=').replace('/', ',')}-")
    return "".join(written)


def _text(found: object) -> str:
    parts = found if isinstance(found, list) else [found]
    return " ".join(p.decode("utf-8", "replace") for p in parts if isinstance(p, bytes))[:200]
