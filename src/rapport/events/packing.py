"""How a body lies in the spool: LZ4 where that makes it smaller, as it came where not.

Requests repeat their own keys and addresses, so LZ4 makes them three to four times smaller, and a durable
commit costs what its bytes cost. A packed body says so itself: JSON and Arrow never begin like this.
"""

from __future__ import annotations

import pyarrow as pa

_MARK = b"LZ4\x00"
_WORTH_BYTES = 1024
_codec = pa.Codec("lz4_raw")


def pack(body: bytes | None) -> bytes | None:
    """The body as it is stored."""
    if body is None or len(body) < _WORTH_BYTES:
        return body
    packed: bytes = _codec.compress(body, asbytes=True)
    if len(packed) + 8 >= len(body):
        return body
    return _MARK + len(body).to_bytes(4, "little") + packed


def unpack(stored: bytes | None) -> bytes | None:
    """The body as it came."""
    if stored is None or not stored.startswith(_MARK):
        return stored
    body: bytes = _codec.decompress(stored[8:], int.from_bytes(stored[4:8], "little"), asbytes=True)
    return body
