"""The chat's script as it is served: made small as the visitor script is, packed once, named by its hash."""

from __future__ import annotations

import functools
import gzip
import hashlib
from importlib import resources

from rapport.events.collector.script import Served, stripped

BYTES_MAX = 4096  # packed


@functools.cache
def current() -> Served:
    """The script of this version of Rapport."""
    source = resources.files("rapport.onsite.chat").joinpath("script.js").read_text(encoding="utf-8")
    plain = stripped(source).encode()
    tag = hashlib.sha256(plain).hexdigest()[:16].encode()
    return Served(plain, gzip.compress(plain, 9, mtime=0), b'"%b"' % tag)
