"""Signed statements hold, and what a server gives or refuses is understood."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from rapport.kit import oauth
from rapport.kit.errors import Invalid
from rapport.kit.http import Answer, Request


def pem_of(key: oauth.Key) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def raw(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def test_es256_is_two_numbers_side_by_side() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    token = oauth.signed({"iss": "a"}, oauth.key_of(pem_of(key)), {"kid": "k"})
    head, claims, signature = token.split(".")
    assert json.loads(raw(head)) == {"alg": "ES256", "typ": "JWT", "kid": "k"}
    assert json.loads(raw(claims)) == {"iss": "a"}
    numbers = raw(signature)
    assert len(numbers) == 64
    as_der = encode_dss_signature(int.from_bytes(numbers[:32], "big"), int.from_bytes(numbers[32:], "big"))
    key.public_key().verify(as_der, f"{head}.{claims}".encode(), ec.ECDSA(hashes.SHA256()))


def test_rs256_holds_and_keys_from_json_are_read() -> None:
    key = rsa.generate_private_key(65_537, 2_048)
    token = oauth.signed({"iss": "a"}, oauth.key_of(pem_of(key).replace("\n", "\\n")))
    text, _, signature = token.rpartition(".")
    key.public_key().verify(raw(signature), text.encode(), padding.PKCS1v15(), hashes.SHA256())


def test_what_is_no_key_is_refused() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    for text in ("", "a key", pem_of(other)):
        with pytest.raises(Invalid):
            oauth.key_of(text)


def test_a_token_is_given_or_refused() -> None:
    asked: list[Request] = []

    def fetch(request: Request) -> Answer:
        asked.append(request)
        if b"good" in (request.body or b""):
            return Answer(request.url, 200, {}, b'{"access_token": "t", "expires_in": 3599}')
        return Answer(request.url, 400, {}, b'{"error": "invalid_grant", "error_description": "Bad Request"}')

    assert oauth.given(fetch, "https://a.example/token", {"code": "good"}) == oauth.Token("t", 3_599)
    with pytest.raises(oauth.Refused) as caught:
        oauth.given(fetch, "https://a.example/token", {"code": "bad"})
    assert (caught.value.code, caught.value.words) == ("invalid_grant", "Bad Request")
    assert asked[0].body == b"code=good"
