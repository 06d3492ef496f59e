"""DKIM (RFC 6376): the domain's signature over a message, by which receivers know that it is ours.

Canonicalisation, header and checks are dkimpy's. The RSA operation itself is done by `cryptography`: dkimpy's
own takes 6 ms of Python for a 2048-bit key, which would be the limit of how fast mail leaves.
"""

from __future__ import annotations

import base64
import functools
import re
import secrets
from collections.abc import Sequence
from typing import Any

import dkim
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from rapport.kit import clock

KEY_BITS = 2_048  # RFC 8301 wants at least 1024; a 2048-bit record still fits into one DNS answer
# Signed where present. From is named once more than it occurs, so that none can be added (RFC 6376, 8.15).
SIGNED = (
    "from",
    "to",
    "subject",
    "date",
    "message-id",
    "reply-to",
    "mime-version",
    "content-type",
    "content-language",
    "auto-submitted",
    "list-unsubscribe",
    "list-unsubscribe-post",
)
OVERSIGNED = ("from", "subject", "list-unsubscribe", "list-unsubscribe-post")


class Signer(dkim.DKIM):  # type: ignore[misc]
    """dkimpy's signer with the RSA operation of `cryptography`."""

    def gen_header(
        self,
        fields: list[tuple[bytes, bytes]],
        include_headers: Sequence[bytes],
        canon_policy: Any,
        header_name: bytes,
        pk: Any,  # noqa: ARG002  dkimpy's key, which it would use in Python
        standardize: bool = False,  # noqa: ARG002  dkimpy's signature
    ) -> bytes:
        unsigned = dkim.fold(b"; ".join(b"=".join(pair) for pair in fields), namelen=len(header_name))
        unsigned = dkim.RE_BTAG.sub(b"\\1", unsigned)
        hasher = dkim.HashThrough(self.hasher())
        headers = canon_policy.canonicalize_headers(self.headers)
        self.signed_headers = dkim.hash_headers(
            hasher, canon_policy, headers, include_headers, (header_name, b" " + unsigned), dict(fields)
        )
        signature = self.key.sign(hasher.digest(), padding.PKCS1v15(), Prehashed(hashes.SHA256()))
        signed = [(k, base64.b64encode(signature) if k == b"b" else v) for k, v in fields]
        value = b"; ".join(b"=".join(pair) for pair in signed) + self.linesep
        return bytes(dkim.fold(value, namelen=len(header_name), linesep=self.linesep))

    key: rsa.RSAPrivateKey


def signed(raw: bytes, *, selector: str, domain: str, pem: str) -> bytes:
    """The message with its signature before it."""
    signer = Signer(raw, linesep=b"\r\n")
    signer.key = _key(pem)
    there = {name.lower() for name, _ in signer.headers}
    names = [name for name in SIGNED if name.encode() in there]
    names += [name for name in OVERSIGNED if name in names or name.startswith("list-")]
    header: bytes = signer.sign(
        selector.encode(),
        domain.encode(),
        pem.encode(),
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=[name.encode() for name in names],
    )
    return header + raw


def new_key() -> tuple[str, str]:
    """A new selector and private key in PEM. The selector is new too, so that old mail can still be checked."""
    key = rsa.generate_private_key(public_exponent=65_537, key_size=KEY_BITS)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    return f"rapport{clock.now():%Y%m}{secrets.token_hex(2)}", pem.decode("ascii")


def public_record(pem: str) -> str:
    """The text of the DNS record that lets receivers check our signature."""
    der = (
        _key(pem)
        .public_key()
        .public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode('ascii')}"


def same_key(published: str, pem: str) -> bool:
    """Whether a published record holds our key, however it is spaced."""
    return _p(published) == _p(public_record(pem))


def _p(record: str) -> str:
    found = re.search(r"(?:^|;)\s*p=([^;]*)", record)
    return re.sub(r"\s", "", found.group(1)) if found else ""


@functools.lru_cache(maxsize=8)
def _key(pem: str) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode("ascii"), password=None)
    assert isinstance(key, rsa.RSAPrivateKey)
    return key


__all__ = ["new_key", "public_record", "same_key", "signed"]
