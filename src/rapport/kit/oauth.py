"""Tokens of others' interfaces: signed statements (RFC 7519) and what is given for them (RFC 6749, RFC 7523)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from rapport.kit import wire
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@dataclass(frozen=True, slots=True)
class Token:
    """What a server gave."""

    text: str
    lasts_s: int


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


def given(fetch: Callable[[Request], Answer], url: str, form: Mapping[str, str]) -> Token:
    """Ask a server for a token; raises Refused."""
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    answer = fetch(Request(url, "POST", urlencode(form).encode(), headers))
    found = wire.document(answer.body)
    token = wire.text_at(found, "access_token")
    if answer.status != 200 or not token:
        words = wire.text_at(found, "error_description")
        raise Refused(wire.text_at(found, "error"), words, answer)
    return Token(token, wire.count_at(found, "expires_in") or 3_600)


def _packed(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
