"""Identifiers that sort by the time they were made: UUIDv7 of RFC 9562, section 5.7."""

from __future__ import annotations

import secrets
import uuid

from rapport.kit import clock


def uuid7() -> uuid.UUID:
    """A new UUIDv7: 48 bits of milliseconds, then 74 random bits."""
    ms = clock.now_us() // 1000
    value = (ms & ((1 << 48) - 1)) << 80
    value |= 0x7 << 76
    value |= secrets.randbits(12) << 64
    value |= 0b10 << 62
    value |= secrets.randbits(62)
    return uuid.UUID(int=value)


def token(n_bytes: int = 24) -> str:
    """An unguessable text for links and keys, URL-safe."""
    return secrets.token_urlsafe(n_bytes)
