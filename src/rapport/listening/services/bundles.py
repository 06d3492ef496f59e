"""The files within an archive (zip, tar), read where they lie: nothing of it is ever written to disk.

What an archive says of itself is not believed: a file that unpacks to far more than such texts do, or that names a
place outside, ends the import.
"""

from __future__ import annotations

import lzma
import re
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, cast

from rapport.kit.errors import Invalid
from rapport.listening.services import files
from rapport.listening.services.files import Broken, Bytes, Given

FILES_MAX = 1_000_000
UNPACKED_RATIO_MAX = 250  # texts shrink to a twentieth, rarely to a hundredth of their length
SMALL_BYTES = 8 << 20  # as much may come of however little
BESIDE_BYTES_MAX = 16 << 20
TAR_MAGIC = slice(257, 262), b"ustar"


@dataclass(frozen=True, slots=True)
class Piece:
    """One file: its path within the archive, or its own name, and its bytes from the beginning each time."""

    name: str
    size_bytes: int
    open: Callable[[], Bytes]

    def head(self, size: int) -> bytes:
        """Its first bytes, as far as they can be read."""
        stream, parts, n = self.open(), [], 0
        try:
            while n < size and (part := stream.read(size - n)):
                parts.append(part)
                n += len(part)
        finally:
            stream.close()
        return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files of an archive in the order of their paths, or the one that was given.

    folder : where that one lies, perhaps beside the rest of an archive that somebody unpacked
    """

    pieces: tuple[Piece, ...]
    is_packed: bool
    folder: Path | None = None

    def beside(self, name: str, other: str) -> bytes | None:
        """Another file of the folder that a file lies in; None where there is none, or it is no small one."""
        if self.folder is not None:
            path = self.folder / other
            is_small = path.is_file() and path.stat().st_size <= BESIDE_BYTES_MAX
            return path.read_bytes() if is_small else None
        wanted = str(PurePosixPath(name).parent / other).lower()
        found = next((p for p in self.pieces if p.name.lower() == wanted), None)
        if found is None or found.size_bytes > BESIDE_BYTES_MAX:
            return None
        return found.head(BESIDE_BYTES_MAX)


def bundle(given: Given) -> Bundle:
    """What a file holds: the files within it where it is an archive, else itself."""
    if given.packing == "zip":
        return Bundle(tuple(_in_order(_zip(given))), True)
    if given.sample[TAR_MAGIC[0]] == TAR_MAGIC[1]:
        return Bundle(tuple(_in_order(_tar(given))), True)
    whole = Piece(given.name, given.size_bytes, lambda: _Whole(given))
    return Bundle((whole,), False, given.path.parent)


def _in_order(pieces: Iterator[Piece]) -> list[Piece]:
    """By path, numbers by their size: tweets-part2.js before tweets-part10.js."""
    found: list[Piece] = []
    for piece in pieces:
        if len(found) >= FILES_MAX:
            raise Invalid(f"there are more than {FILES_MAX:,} files in it", "Pack what was said there alone.")
        _check_path(piece.name)
        if not piece.name.startswith("__MACOSX/") and not PurePosixPath(piece.name).name.startswith("._"):
            found.append(piece)
    return sorted(found, key=_place)


def _place(piece: Piece) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() else (0, part) for part in re.split(r"(\d{1,18})", piece.name)
    ]


def _check_path(name: str) -> None:
    is_outside = name.startswith(("/", "\\")) or re.match(r"[A-Za-z]:", name) or "\0" in name
    if is_outside or ".." in re.split(r"[/\\]", name):
        raise Invalid(
            f"the archive holds {name[:80]!r}, a place outside of itself",
            "Such archives are made to do harm. Get it again from the network itself.",
        )


def _zip(given: Given) -> Iterator[Piece]:
    try:
        with zipfile.ZipFile(given.path) as packed:
            entries = packed.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise Invalid(f"{given.name} cannot be unpacked: {error}", "Download it again.") from None
    for entry in entries:
        if not entry.is_dir():
            yield Piece(entry.filename, entry.file_size, _opener(given, entry))


def _opener(given: Given, entry: zipfile.ZipInfo) -> Callable[[], Bytes]:
    return lambda: _Unzipped(given, entry)


def _tar(given: Given) -> Iterator[Piece]:
    raw = _Raw(given)
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", raw), mode="r|") as packed:
            for entry in packed:
                if entry.isfile():
                    yield Piece(entry.name.removeprefix("./"), entry.size, _taker(given, entry.name))
    except (tarfile.TarError, Broken) as error:
        raise Invalid(f"{given.name} cannot be unpacked: {error}", "Download it again.") from None
    finally:
        raw.close()


def _taker(given: Given, name: str) -> Callable[[], Bytes]:
    return lambda: _Untarred(given, name)


class _Whole:
    """A file as it is unpacked; one that breaks off ends there, and `given` says so."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.stream = files.unpacked(given)

    def read(self, size: int, /) -> bytes:
        try:
            return self.stream.read(size)
        except Broken as broken:
            self.given.broken = str(broken)
            return b""

    def close(self) -> None:
        self.stream.close()


class _Raw(_Whole):
    """For a reader of tar, which wants a file object and as many bytes as it asks for."""

    def read(self, size: int = -1, /) -> bytes:
        parts, n = [], 0
        while size < 0 or n < size:
            part = self.stream.read(files.BLOCK_BYTES if size < 0 else size - n)
            if not part:
                break
            parts.append(part)
            n += len(part)
        return b"".join(parts)


class _Unzipped:
    """One file of a zip; it may not grow beyond what texts do."""

    def __init__(self, given: Given, entry: zipfile.ZipInfo) -> None:
        self.given, self.entry = given, entry
        if entry.flag_bits & 1:
            raise Invalid(f"{entry.filename} is locked by a password", "Unpack it, and import what is in it.")
        try:
            self.packed = zipfile.ZipFile(given.path)
            self.stream = self.packed.open(entry)
        except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError) as error:
            raise Invalid(f"{entry.filename} cannot be unpacked: {error}", "Download it again.") from None
        self.n = 0

    def read(self, size: int, /) -> bytes:
        try:
            part = self.stream.read(size)
        except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, OSError, EOFError, ValueError) as error:
            self.given.broken = f"{self.entry.filename} in {self.given.name} is damaged: {error}"
            return b""
        self.n += len(part)
        if self.n > max(
            SMALL_BYTES, min(self.entry.compress_size, self.given.size_bytes) * UNPACKED_RATIO_MAX
        ):
            raise Invalid(
                f"{self.entry.filename} unpacks to more than {UNPACKED_RATIO_MAX} times its size",
                "Such archives are made to do harm. Get it again from the network itself.",
            )
        before = self.given.read_bytes
        share = int(len(part) * self.entry.compress_size / max(1, self.entry.file_size))
        self.given.read_bytes = min(self.given.size_bytes, before + share)
        return part

    def close(self) -> None:
        self.stream.close()
        self.packed.close()


class _Untarred:
    """One file of a tar, which is read from its beginning to get there."""

    def __init__(self, given: Given, name: str) -> None:
        self.given = given
        self.raw = _Raw(given)
        self.packed = tarfile.open(fileobj=cast("IO[bytes]", self.raw), mode="r|")  # noqa: SIM115  `close` closes it
        entry = next(entry for entry in self.packed if entry.name == name)
        self.stream = self.packed.extractfile(entry)

    def read(self, size: int, /) -> bytes:
        try:
            return self.stream.read(size) if self.stream else b""
        except (tarfile.TarError, Broken) as error:
            self.given.broken = f"{self.given.name} breaks off: {error}"
            return b""

    def close(self) -> None:
        self.packed.close()
        self.raw.close()
