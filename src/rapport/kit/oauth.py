"""Tokens of others' interfaces: signed statements (RFC 7519) and what is given for them (RFC 6749, RFC 7523)."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from rapport.kit import wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request

TOKEN = "token"  # noqa: S105  where it is remembered
SOON = dt.timedelta(minutes=2)  # a token that ends so soon is not used any more

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Token:
    """What a server gave, and for what, where it says that."""

    text: str
    lasts_s: int
    scope: str = ""


@dataclass(frozen=True, slots=True)
class Refused(Exception):
    """What a server said instead: its code (`invalid_grant`), its words, and the answer as it came."""

    code: str
    words: str
    answer: Answer


def key_of(pem: str) -> Key:
    """A private key for ES256 or RS256; Invalid where it is none."""
    # What was pasted from JSON holds its line ends as two characters.
    text = pem.replace("\\n", "\n").strip().encode()
    try:
        found = serialization.load_pem_private_key(text, None)
    except (ValueError, TypeError):
        raise Invalid(
            "this is no private key", "Paste the whole file, with its first and last line."
        ) from None
    if isinstance(found, ec.EllipticCurvePrivateKey) and isinstance(found.curve, ec.SECP256R1):
        return found
    if isinstance(found, rsa.RSAPrivateKey) and found.key_size >= 2_048:
        return found
    raise Invalid("this key is of another kind", "It has to be P-256, or RSA of 2,048 bits or more.")


def signed(claims: Mapping[str, Any], key: Key, headers: Mapping[str, str] | None = None) -> str:
    """A JSON Web Token, by ES256 or RS256 as the key is."""
    kind = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
    head = {"alg": kind, "typ": "JWT", **(headers or {})}
    text = f"{_packed(json.dumps(head).encode())}.{_packed(json.dumps(dict(claims)).encode())}"
    if isinstance(key, rsa.RSAPrivateKey):
        signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    else:
        # JOSE wants the two numbers side by side, and not the form that certificates use (RFC 7518, 3.4).
        r, s = decode_dss_signature(key.sign(text.encode(), ec.ECDSA(hashes.SHA256())))
        signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    return f"{text}.{_packed(signature)}"


def held(
    memory: MutableMapping[str, Any],
    key: object,
    now: dt.datetime,
    ask: Callable[[], Token],
    *,
    soon: dt.timedelta = SOON,
) -> str:
    """The token in a memory, or a new one where none is there, it is another log-in's, or it ends soon."""
    found = memory.get(TOKEN)
    if not found or found[0] != key or found[2] <= now + soon:
        token = ask()
        found = memory[TOKEN] = (key, token.text, now + dt.timedelta(seconds=token.lasts_s))
    return str(found[1])


def dropped(memory: MutableMapping[str, Any]) -> None:
    """Forget the token: whoever gave it does not take it any more."""
    memory.pop(TOKEN, None)


def given(
    fetch: Callable[[Request], Answer],
    url: str,
    form: Mapping[str, str],
    headers: Mapping[str, str] | None = None,
) -> Token:
    """Ask a server for a token; raises Refused."""
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "accept": "application/json",
        **(headers or {}),
    }
    answer = fetch(Request(url, "POST", urlencode(form).encode(), headers))
    found = wire.document(answer.body)
    token = wire.text_at(found, "access_token")
    if answer.status != 200 or not token:
        words = wire.text_at(found, "error_description")
        raise Refused(wire.text_at(found, "error"), words, answer)
    return Token(token, wire.count_at(found, "expires_in") or 3_600, wire.text_at(found, "scope"))


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
