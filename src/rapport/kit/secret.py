"""Secrets at rest: encrypted with a key that lives in the data folder, or in RAPPORT_SECRET_KEY.

The scheme is Fernet (AES-128-CBC with HMAC-SHA256), as the `cryptography` project defines it.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import hmac
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cryptography.fernet import Fernet, InvalidToken

from rapport.kit import home
from rapport.kit.errors import Invalid


def master_key() -> bytes:
    """The installation's 32-byte key; made on first use, readable by its owner alone."""
    given = os.environ.get("RAPPORT_SECRET_KEY")
    if given:
        return hashlib.sha256(given.encode()).digest()
    path = home.path("secret.key")
    if not path.exists():
        _create(path)
    key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    if len(key) != 32:
        raise Invalid(f"{path} does not hold a 32-byte key", "Restore it from the backup.")
    return key


def _create(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(os.urandom(32).hex())
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)  # never replaces a key that another process made first
    except FileExistsError:
        pass
    finally:
        temporary.unlink()


def derived_key(purpose: str) -> bytes:
    """A key for one purpose, so that no two uses share one."""
    return hmac.new(master_key(), purpose.encode(), hashlib.sha256).digest()


def keyed_hash(purpose: str, value: str) -> str:
    """A hash nobody can compute without the installation's key, in hex."""
    return hmac.new(derived_key(purpose), value.encode(), hashlib.sha256).hexdigest()


def seal(plain: str) -> str:
    """Encrypt a secret for storage."""
    return _fernet().encrypt(plain.encode()).decode("ascii")


def unseal(sealed: str) -> str:
    """Decrypt what `seal` made; a wrong key is said in words."""
    try:
        return _fernet().decrypt(sealed.encode("ascii")).decode()
    except InvalidToken:
        raise Invalid(
            "a stored secret cannot be read with this installation's key",
            "Restore secret.key (or RAPPORT_SECRET_KEY) from the backup, or enter the secret again.",
        ) from None


def parted(config: Any) -> tuple[dict[str, Any], str]:
    """Of a configuration what may be read by whoever reads the store, and its secrets, sealed; empty without any."""
    plain: dict[str, Any] = {}
    secrets: dict[str, Any] = {}
    for field in dataclasses.fields(config):
        into = secrets if field.metadata.get("secret") else plain
        into[field.name] = getattr(config, field.name)
    return plain, seal(json.dumps(secrets)) if secrets else ""


def joined(kind: Any, plain: Mapping[str, Any], sealed: str) -> Any:
    """The configuration that `parted` took apart; what its kind no longer has is left out."""
    secrets = json.loads(unseal(sealed)) if sealed else {}
    known = {field.name for field in dataclasses.fields(kind)}
    return kind(**{key: value for key, value in {**plain, **secrets}.items() if key in known})


def as_far_as_known(kind: Any, plain: Mapping[str, Any], sealed: str) -> Any:
    """The same, without its secrets where the key that they were sealed with is lost: so that others can be given."""
    try:
        return joined(kind, plain, sealed)
    except Invalid:
        return joined(kind, plain, "")


# A value by one of these words says where a secret is sent to, unless the field's `where` says otherwise.
_WHERE = frozenset({"server", "host", "url", "instance", "endpoint", "domain"})


def changed(
    kind: Any, before: Mapping[str, Any], given: Mapping[str, Any]
) -> tuple[dict[str, Any], list[str]]:
    """The values `before` with those `given`; and the names of optional secrets that were kept and are no more.

    A secret that was kept for one place is sent to no other: whoever names the other has to give it again. Raises
    Invalid for one that it cannot do without. One that the configuration made itself is sent nowhere, and stays.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    places = [n for n, f in fields.items() if f.metadata.get("where", bool(_WHERE & set(n.split("_"))))]
    values = {**before, **given}
    if all(place_of(before.get(n)) == place_of(values.get(n)) for n in places if n in before):
        return values, []
    kept = [n for n, f in fields.items() if f.metadata.get("secret") and not f.metadata.get("made")]
    left = [n for n in kept if before.get(n) and n not in given]
    called = {n: str(fields[n].metadata.get("label", n)) for n in left}
    if needed := [called[n] for n in left if not fields[n].metadata.get("optional")]:
        raise Invalid(
            f"{', '.join(needed)}: what is kept was given for another server, and is not sent to this one",
            "Enter it again.",
        )
    return {n: value for n, value in values.items() if n not in left}, list(called.values())


def place_of(value: object) -> str:
    """Where a value points to: scheme, host and port of an address, or the whole of it."""
    text = str(value or "").strip().lower()
    address = urlsplit(text)
    return f"{address.scheme}://{address.netloc}" if "://" in text else text.rstrip("/")


def _fernet() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(derived_key("secrets at rest")))
