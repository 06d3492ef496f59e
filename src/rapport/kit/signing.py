"""Links that prove themselves: a text made here, which nobody else can make, read or change.

The scheme is AES-SIV (RFC 5297): it authenticates as a signature does, and also hides what is inside, so
that no address stands readable in a server's log, a mail scanner's list or a browser's history.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

from rapport.kit import clock, secret
from rapport.kit.errors import Denied, Invalid

NEVER = 0  # the expiry, in seconds since 1970, of a token that does not expire
LONGEST = 4_000  # characters; a longer text is no token of ours, and is not worth decrypting

_bad = "this link is not one that we made, or part of it is missing"
_hint = "Copy the whole address from the message, or ask for a new link."


def sign(kind: str, *fields: str, ttl: dt.timedelta | None = None) -> str:
    """A URL-safe token that carries `fields`; good for its kind alone, and until `ttl` from now."""
    expires_s = NEVER if ttl is None else int((clock.now() + ttl).timestamp())
    sealed = _cipher().encrypt(msgspec.msgpack.encode([expires_s, *fields]), [kind.encode()])
    return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode("ascii")


def read(kind: str, token: str) -> tuple[str, ...]:
    """The fields of a token: Invalid where it was not made here for this kind, Denied once it expired."""
    expires_s, fields = _opened(kind, token)
    if expires_s != NEVER and clock.now().timestamp() >= expires_s:
        raise Denied("this link is no longer good", "Ask for a new one.")
    return fields


def is_expired(kind: str, token: str) -> bool:
    """Whether it is a token of ours whose time is over; Invalid where it is none of ours."""
    expires_s, _ = _opened(kind, token)
    return expires_s != NEVER and clock.now().timestamp() >= expires_s


def expired_fields(kind: str, token: str) -> tuple[str, ...]:
    """The fields of a token whose time may be over; good for offering a new one, and nothing else."""
    return _opened(kind, token)[1]


def _opened(kind: str, token: str) -> tuple[int, tuple[str, ...]]:
    if len(token) > LONGEST:
        raise Invalid(_bad, _hint)
    try:
        sealed = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        expires_s, *fields = msgspec.msgpack.decode(_cipher().decrypt(sealed, [kind.encode()]))
    except (InvalidTag, ValueError, binascii.Error):
        raise Invalid(_bad, _hint) from None
    # Base64 is lax about the last character; only the one spelling that we give is ours.
    if base64.urlsafe_b64encode(sealed).rstrip(b"=") != token.encode("ascii"):
        raise Invalid(_bad, _hint)
    return expires_s, tuple(fields)


def _cipher() -> AESSIV:
    return AESSIV(secret.derived_key("link") + secret.derived_key("link seal"))
