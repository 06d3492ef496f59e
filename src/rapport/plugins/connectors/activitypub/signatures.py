"""Requests that say who sent them: HTTP Signatures as the Fediverse uses them (draft-cavage-12, RSA with SHA-256)."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from rapport.kit import http
from rapport.kit.errors import Denied, Invalid
from rapport.kit.http import Request

KEY_BITS = 2_048
KEY_BITS_MIN, KEY_BITS_MAX = (
    1_024,
    8_192,
)  # of others: checking a larger one takes longer than anybody is worth
AGE_MAX = dt.timedelta(hours=1)  # servers sign anew each time that they try
AHEAD_MAX = dt.timedelta(minutes=5)
HEADER_CHARS_MAX = 8_192
TARGET, CREATED, EXPIRES = "(request-target)", "(created)", "(expires)"
ALGORITHMS = frozenset({"", "rsa-sha256", "hs2019"})
_PART = re.compile(r'\s*(\w+)=(?:"([^"]*)"|(\d{1,12}))\s*(?:,|$)', re.ASCII)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a Signature header says."""

    key: str
    names: tuple[str, ...]
    value: bytes
    created: str = ""
    expires: str = ""


def new_key() -> str:
    """A private key, as PEM."""
    made = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    kind = serialization.PrivateFormat.PKCS8
    return made.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption()).decode("ascii")


@lru_cache(maxsize=8)  # reading one checks it, which takes longer than to sign
def _private(pem: str) -> rsa.RSAPrivateKey:
    try:
        found = serialization.load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise Invalid("the account's key cannot be read", "Restore it from the backup.") from None
    if not isinstance(found, rsa.RSAPrivateKey):
        raise Invalid("the account's key is no RSA key", "Restore it from the backup.")
    return found


def public_of(pem: str) -> str:
    """The public half of a private key, as PEM."""
    kind = serialization.PublicFormat.SubjectPublicKeyInfo
    return _private(pem).public_key().public_bytes(serialization.Encoding.PEM, kind).decode("ascii")


def digest(body: bytes) -> str:
    """The Digest header of a body."""
    return f"SHA-256={base64.b64encode(hashlib.sha256(body).digest()).decode('ascii')}"


def signed(request: Request, key: str, pem: str, now: dt.datetime) -> Request:
    """The request with a Signature header, and with those that it covers."""
    place = http.place_of(request.url)
    # The port is left out where it is the usual one, as servers behind a proxy see it.
    headers = {name.lower(): value for name, value in request.headers.items()}
    headers |= {"host": place.named, "date": format_datetime(now.astimezone(dt.UTC), usegmt=True)}
    names = [TARGET, "host", "date"]
    if request.body is not None:
        headers["digest"] = digest(request.body)
        names += ["digest", "content-type"]
    text = _text(names, request.method, place.target, headers)
    made = base64.b64encode(_private(pem).sign(text, padding.PKCS1v15(), hashes.SHA256())).decode("ascii")
    headers["signature"] = (
        f'keyId="{key}",algorithm="rsa-sha256",headers="{" ".join(names)}",signature="{made}"'
    )
    return Request(request.url, request.method, request.body, headers)


def of(headers: Mapping[str, str], body: bytes, now: dt.datetime) -> Signature:
    """The signature of a request, where everything holds that needs no key: what it covers, its time, the body.

    Raises Denied otherwise. It costs one hash, and nobody is asked.
    """
    found = _parsed(headers.get("signature", ""))
    if found is None:
        raise Denied("the request is not signed", "Sign it by HTTP Signatures, as Mastodon does.")
    is_dated = "date" in found.names or CREATED in found.names
    if not is_dated or not {TARGET, "host", "digest"} <= set(found.names):
        raise Denied(
            "the signature covers too little", "It has to cover (request-target), host, date and digest."
        )
    at = _moment(headers.get("date", "")) if "date" in found.names else _second(found.created)
    ends = _second(found.expires) if found.expires else None
    if at is None or not now - AGE_MAX <= at <= now + AHEAD_MAX or (ends is not None and ends < now):
        raise Denied("the request is too old, or its clock is wrong", "Sign it when it is sent.")
    told = dict(part.strip().partition("=")[::2] for part in headers.get("digest", "").split(",")[:4])
    given = next((value for name, value in told.items() if name.lower() == "sha-256"), "")
    if not hmac.compare_digest(digest(body).partition("=")[2].encode(), given.encode()):
        raise Denied("the digest is not that of the body", "Nothing on the way may change it.")
    return found


def holds(
    signature: Signature, pem: str, *, method: str, target: str, host: str, headers: Mapping[str, str]
) -> bool:
    """Whether a signature was made with the key's other half, for this address of ours."""
    try:
        key = serialization.load_pem_public_key(pem.encode())
        text = _text(signature.names, method, target, {**headers, "host": host}, signature)
    except (ValueError, KeyError, UnsupportedAlgorithm):
        return False
    if not isinstance(key, rsa.RSAPublicKey) or not KEY_BITS_MIN <= key.key_size <= KEY_BITS_MAX:
        return False
    try:
        key.verify(signature.value, text, padding.PKCS1v15(), hashes.SHA256())
    except InvalidSignature:
        return False
    return True


def _parsed(header: str) -> Signature | None:
    if not header or len(header) > HEADER_CHARS_MAX:
        return None
    parts, at = dict[str, str](), 0
    while found := _PART.match(
        header, at
    ):  # and never looks for one further on: anybody may send us anything
        parts[found[1].lower()], at = found[2] or found[3] or "", found.end()
    if not parts.get("keyid") or parts.get("algorithm", "").lower() not in ALGORITHMS:
        return None
    try:
        value = base64.b64decode(parts.get("signature", ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    names = tuple(parts.get("headers", "date").lower().split())
    if not value or len(names) > 20:
        return None
    return Signature(parts["keyid"], names, value, parts.get("created", ""), parts.get("expires", ""))


def _text(
    names: Sequence[str],
    method: str,
    target: str,
    headers: Mapping[str, str],
    signature: Signature | None = None,
) -> bytes:
    """What is signed; KeyError where a header that is named is not there."""
    special = {TARGET: f"{method.lower()} {target}"}
    if signature is not None:
        special |= {CREATED: signature.created, EXPIRES: signature.expires}
    return "\n".join(
        f"{name}: {special[name] if name in special else headers[name]}" for name in names
    ).encode()


def _moment(text: str) -> dt.datetime | None:
    try:
        found = parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=dt.UTC)


def _second(text: str) -> dt.datetime | None:
    try:
        return dt.datetime.fromtimestamp(int(text), dt.UTC)
    except (ValueError, OverflowError, OSError):
        return None
