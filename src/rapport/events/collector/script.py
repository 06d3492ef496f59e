"""The visitor script as it is served: without comments and blanks, packed once, named by its hash.

The source keeps to three habits, so that no parser is needed to make it small: a comment is a line of its
own, every text stands in single quotes on one line, and every statement ends in a semicolon or a brace.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import re
from dataclasses import dataclass
from importlib import resources

BYTES_MAX = 4096  # packed


@dataclass(frozen=True, slots=True)
class Served:
    """The script, plain and packed, and the tag by which a cache knows it."""

    plain: bytes
    packed: bytes
    tag: bytes


_TEXT = re.compile(r"('(?:[^'\\\n]|\\.)*')")
_AROUND = re.compile(r"\s*([=+(){}\[\],;:?<>|&!])\s*")


def stripped(source: str) -> str:
    """The source without comments, indentation, and blanks around signs."""
    lines = (line.strip() for line in source.splitlines())
    code = " ".join(line for line in lines if not line.startswith("//"))
    parts = _TEXT.split(code)  # every second one is a text, and stays as it is
    parts[::2] = (_AROUND.sub(r"\1", part).replace(";}", "}") for part in parts[::2])
    return "".join(parts).strip() + "\n"


@functools.cache
def current() -> Served:
    """The script of this version of Rapport."""
    source = resources.files("rapport.events.collector").joinpath("script.js").read_text(encoding="utf-8")
    plain = stripped(source).encode()
    tag = hashlib.sha256(plain).hexdigest()[:16].encode()
    return Served(plain, gzip.compress(plain, 9, mtime=0), b'"%b"' % tag)
