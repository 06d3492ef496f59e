"""A file as it lies there: what it holds, told by its first bytes, and its text in blocks of whole lines.

Nothing here knows what a row means. Compressed files are read as they are unpacked, so that memory stays
flat; one that breaks off gives what can be read and then says so.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from rapport.kit.errors import Denied, Invalid, NotFound

BLOCK_BYTES = 8 << 20
LINE_BYTES_MAX = 64 << 20  # no row of any kind we read is longer; a longer line is no text file
SAMPLE_BYTES = 1 << 20
HASHED_WHOLE_BYTES = 16 << 20
COMPRESSED_BYTES = 256 << 10  # read at once, so that little is lost where a file breaks off

_MAGIC = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
ZIP = b"PK\x03\x04"
_FOREIGN = {
    ZIP: (
        "a zip archive or a spreadsheet",
        "Save the sheet as CSV; what a network gave you goes in as posts.",
    ),
    b"\xd0\xcf\x11\xe0": ("an old spreadsheet", "Save the sheet as CSV."),
    b"BZh": ("a bzip2 file", "Unpack it, or compress it with gzip."),
    b"\xfd7zXZ": ("an xz file", "Unpack it, or compress it with gzip."),
    b"%PDF": ("a PDF", "Export the table as CSV."),
    b"\xff\xfe": ("text in UTF-16", "Save the file as UTF-8."),
    b"\xfe\xff": ("text in UTF-16", "Save the file as UTF-8."),
}


class Bytes(Protocol):
    """Reads on; empty where nothing is left."""

    def read(self, size: int, /) -> bytes: ...
    def close(self) -> None: ...


@dataclass(slots=True)
class Given:
    """A file that somebody wants read."""

    path: Path
    name: str
    size_bytes: int
    packing: str = ""  # '', gzip, zstd, or zip where archives are taken
    is_parquet: bool = False
    sample: bytes = b""  # the first bytes, unpacked
    broken: str = ""  # why a compressed file ends early; known once it was read to the end
    read_bytes: int = field(default=0)  # of the file as it lies there

    @property
    def done_ratio(self) -> float:
        """How much of the file has been read, in [0, 1]."""
        return min(1.0, self.read_bytes / self.size_bytes) if self.size_bytes else 1.0

    @property
    def description(self) -> str:
        return f", {self.packing}" if self.packing else ""


def look_at(path: str | Path, name: str = "", *, takes_zip: bool = False) -> Given:
    """Say what a file is, or why it cannot be read."""
    path = Path(path)
    name = name or path.name
    if not path.exists():
        raise NotFound(f"there is no file {path}", "Check the path.")
    if path.is_dir():
        raise Invalid(f"{path} is a folder", "Name the files in it, for example with *.csv.")
    if not path.is_file():
        raise Invalid(f"{path} is not a file with content", "Save what it gives to a file first.")
    if not os.access(path, os.R_OK):
        raise Denied(f"{path} may not be read", "Give this account the right to read it.")
    given = Given(path=path, name=name, size_bytes=path.stat().st_size)
    if given.size_bytes == 0:
        raise Invalid(f"{name} is empty", "Export it again; even a header alone would say more.")
    with path.open("rb") as file:
        head = file.read(8)
    if takes_zip and head.startswith(ZIP):
        given.packing = "zip"
        return given
    given.packing = next((packing for magic, packing in _MAGIC.items() if head.startswith(magic)), "")
    stream = unpacked(given)
    try:
        given.sample = _read_sample(stream)
    finally:
        stream.close()
    given.read_bytes = 0
    given.is_parquet = given.sample.startswith(b"PAR1")
    _refuse_foreign(given)
    return given


def _read_sample(stream: Bytes) -> bytes:
    parts, size = [], 0
    while size < SAMPLE_BYTES:
        try:
            part = stream.read(SAMPLE_BYTES - size)
        except Broken:
            break
        if not part:
            break
        parts.append(part)
        size += len(part)
    return b"".join(parts)


def _refuse_foreign(given: Given) -> None:
    for magic, (what, hint) in _FOREIGN.items():
        if given.sample.startswith(magic):
            raise Invalid(f"{given.name} is {what}", hint)
    if not given.sample.strip(b"\xef\xbb\xbf\r\n\t "):
        if given.packing:
            raise Invalid(f"{given.name} unpacks to nothing", "Compress it again, or check the transfer.")
        raise Invalid(f"{given.name} holds only blank lines", "Export it again.")


class Broken(Exception):
    """A compressed file ends before its own end mark, or is damaged; what came before was given."""


class _Plain:
    def __init__(self, given: Given) -> None:
        self.given = given
        self.file = given.path.open("rb", buffering=0)

    def read(self, size: int, /) -> bytes:
        part = self.file.read(size)
        self.given.read_bytes += len(part)
        return part

    def close(self) -> None:
        self.file.close()


class _Gzip(_Plain):
    """gzip by zlib itself, because it gives every byte before the place where a file breaks off."""

    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.unpacker = zlib.decompressobj(wbits=31)
        self.waiting = b""

    def read(self, size: int, /) -> bytes:
        while True:
            if self.unpacker.eof:
                # Another member may follow; zeros after the last one are padding.
                self.waiting = self.unpacker.unused_data.lstrip(b"\x00")
                if not self._has_more():
                    return b""
                self.unpacker = zlib.decompressobj(wbits=31)
            elif not self.waiting and not self._has_more():
                raise Broken(f"{self.given.name} breaks off: its gzip has no end")
            try:
                part = self.unpacker.decompress(self.waiting, size)
            except zlib.error as error:
                raise Broken(f"{self.given.name} is damaged inside: {error}") from None
            self.waiting = self.unpacker.unconsumed_tail
            if part:
                return part

    def _has_more(self) -> bool:
        self.waiting = self.waiting or super().read(COMPRESSED_BYTES)
        return bool(self.waiting)


class _Zstd(_Plain):
    def __init__(self, given: Given) -> None:
        super().__init__(given)
        self.unpacker = pa.CompressedInputStream(pa.PythonFile(_Counted(self), mode="r"), "zstd")

    def read(self, size: int, /) -> bytes:
        try:
            return bytes(self.unpacker.read(min(size, COMPRESSED_BYTES)))
        except OSError as error:
            raise Broken(f"{self.given.name} breaks off or is damaged: {error}") from None


class _Counted:
    """What pyarrow needs of a file object, counting for the progress bar."""

    closed = False

    def __init__(self, plain: _Plain) -> None:
        self.plain = plain

    def read(self, size: int) -> bytes:
        return _Plain.read(self.plain, size)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self.closed = True


def unpacked(given: Given) -> Bytes:
    """The file's bytes from the beginning, unpacked on the way."""
    given.read_bytes = 0
    return {"": _Plain, "gzip": _Gzip, "zstd": _Zstd}[given.packing](given)


# Gives how many of these bytes are whole records; `final` says that nothing follows.
Cut = Callable[[bytes, bool], int]


def at_last_newline(block: bytes, final: bool) -> int:
    """Where the last whole line ends."""
    return len(block) if final else block.rfind(b"\n") + 1


def anywhere(block: bytes, final: bool) -> int:
    """For bytes that are no lines."""
    del final
    return len(block)


def blocks(given: Given, cut: Cut = at_last_newline) -> Iterator[bytes]:
    """The file's text in blocks of whole records, without a byte order mark.

    Where a compressed file breaks off, the last line before the break is left out and `given.broken`
    says why.
    """
    stream = unpacked(given)
    carry, first = b"", True
    given.broken = ""
    try:
        while True:
            block, final = _fill(given, stream, carry, BLOCK_BYTES)
            if first:
                block, first = block.removeprefix(b"\xef\xbb\xbf"), False
            end = cut(block, final and not given.broken) if block else 0
            if end:
                yield block[:end] if end < len(block) else block
            carry = block[end:]
            if final:
                return
            if len(carry) > LINE_BYTES_MAX:
                raise Invalid(
                    f"{given.name} has a row of more than {LINE_BYTES_MAX >> 20} MB",
                    "Check that this is a text file with one row a line.",
                )
    finally:
        stream.close()


def _fill(given: Given, stream: Bytes, carry: bytes, size: int) -> tuple[bytes, bool]:
    """`carry` and about `size` bytes more, and whether the file ends there."""
    parts, length = [carry] if carry else [], 0
    while length < size:
        try:
            part = stream.read(size - length)
        except Broken as broken:
            given.broken = str(broken)
            return b"".join(parts), True
        if not part:
            return b"".join(parts), True
        parts.append(part)
        length += len(part)
    return b"".join(parts) if len(parts) > 1 else parts[0], False


def fingerprint(given: Given) -> str:
    """What tells this content from another: a hash of all of it, or of samples where it is big."""
    digest = hashlib.blake2b(str(given.size_bytes).encode(), digest_size=20)
    with given.path.open("rb", buffering=0) as file:
        if given.size_bytes <= HASHED_WHOLE_BYTES:
            digest.update(file.read())
        else:
            step = given.size_bytes // 64
            for k in range(64):
                file.seek(k * step)
                digest.update(file.read(16 << 10))
            file.seek(-(1 << 20), os.SEEK_END)
            digest.update(file.read())
    return digest.hexdigest()
