"""Which source a write key stands for, as the spool has it, read at most every two seconds."""

from __future__ import annotations

import base64
import binascii

from rapport.events.spool import Spool, hash_key
from rapport.kit import clock

FRESH_S = 2.0


class Keys:
    """The valid write keys. A revoked key works for two more seconds at most, a new one works at once."""

    def __init__(self, spool: Spool) -> None:
        self._spool = spool
        self._sources: dict[str, str] = {}
        self._by_header: dict[bytes, str] = {}
        self._read_at_s = -FRESH_S

    def of_header(self, header: bytes) -> str | None:
        """The source whose key is the user name of this Authorization header."""
        if clock.monotonic_s() - self._read_at_s > FRESH_S:
            self._read()
        source = self._by_header.get(header)
        if source is None:
            source = self.of_key(_user_name(header))
            if source is not None:
                self._by_header[header] = source
        return source

    def of_key(self, key: str | None) -> str | None:
        """The source of a key."""
        if not key:
            return None
        if clock.monotonic_s() - self._read_at_s > FRESH_S:
            self._read()
        hashed = hash_key(key)
        if hashed not in self._sources:
            self._read()
        return self._sources.get(hashed)

    def _read(self) -> None:
        self._sources = self._spool.write_keys()
        self._by_header.clear()
        self._read_at_s = clock.monotonic_s()


def _user_name(header: bytes) -> str | None:
    scheme, _, credentials = header.partition(b" ")
    if scheme.lower() != b"basic":
        return None
    try:
        return base64.b64decode(credentials).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return None
