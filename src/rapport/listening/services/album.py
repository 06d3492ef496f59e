"""The pictures that go with posts, as files of the data folder: each once, under the digest of its content.

Beside each lies a small one for lists. Nothing here knows which post shows a picture: who does, takes away those
that none shows any more, and holds `held` while it looks and takes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.utils.translation import gettext as _

from rapport.kit import clock, home, ids
from rapport.kit.errors import NotFound
from rapport.listening.contract import Media
from rapport.listening.rules.pictures import Shape
from rapport.listening.services import pictures
from rapport.listening.services.pictures import JPEG, PNG

FOLDER = "pictures"
DIGEST = re.compile(r"[0-9a-f]{64}")
ENDINGS = {JPEG: "jpg", PNG: "png"}
SMALL = ".small.jpg"


@dataclass(frozen=True, slots=True)
class Kept:
    """One picture that is kept, and in a post its alternative text there."""

    digest: str
    content_type: str
    width: int
    height: int
    n_bytes: int
    alt: str = ""

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Kept:
        """What `row` wrote."""
        return cls(**row)

    @property
    def row(self) -> dict[str, Any]:
        """As the store of a post holds it."""
        return asdict(self)

    @property
    def shape(self) -> Shape:
        """What networks ask of it."""
        return Shape(self.content_type, self.width, self.height, self.n_bytes, self.alt)

    @property
    def path(self) -> Path:
        return _path(self.digest, f".{ENDINGS[self.content_type]}")

    def media(self, url: str = "") -> Media:
        """It as a post takes it along; its file is read when it leaves."""
        return Media(self.path, self.content_type, self.alt, self.width, self.height, url)


def held() -> AbstractContextManager[None]:
    """Nobody else takes pictures away, or says that a post shows one, in the meantime."""
    return home.lock(FOLDER, wait=True)


def keep(content: bytes, name: str = "") -> Kept:
    """Keep what an upload shows; Invalid where it is no picture. The same picture is kept once."""
    made = pictures.read(content, name)
    digest = hashlib.sha256(made.content).hexdigest()
    small = pictures.small(made)
    with held():
        _put(_path(digest, SMALL), small.content)
        _put(_path(digest, f".{ENDINGS[made.content_type]}"), made.content)
    return Kept(digest, made.content_type, made.width, made.height, len(made.content))


def find(digest: str) -> Kept:
    """A picture that is kept, or NotFound."""
    for content_type, ending in ENDINGS.items():
        if DIGEST.fullmatch(digest) and (path := _path(digest, f".{ending}")).exists():
            shown = pictures.described(path.read_bytes())
            return Kept(digest, content_type, shown.width, shown.height, path.stat().st_size)
    raise NotFound(_("this picture is no longer kept"), _("Choose its file again."))


def small_path(digest: str) -> Path:
    """The file of a picture as lists show it, or NotFound."""
    if not DIGEST.fullmatch(digest) or not (path := _path(digest, SMALL)).exists():
        raise NotFound(_("this picture is no longer kept"), _("Choose its file again."))
    return path


def take_away(digest: str) -> None:
    """Delete a picture and its small one."""
    for ending in (*ENDINGS.values(), "small.jpg"):
        _path(digest, f".{ending}").unlink(missing_ok=True)


def older_than(age_s: float) -> Iterator[str]:
    """The digests of pictures that nobody uploaded, once more or for the first time, within so many seconds.

    What whoever was killed while writing left behind goes on the way.
    """
    before = clock.now().timestamp() - age_s
    for path in sorted(home.path(FOLDER).glob("*/*")):
        digest, _dot, ending = path.name.partition(".")
        if path.stat().st_mtime >= before:
            continue
        if not digest:
            path.unlink(missing_ok=True)
        elif DIGEST.fullmatch(digest) and ending in ENDINGS.values():
            yield digest


def _path(digest: str, ending: str) -> Path:
    return home.path(FOLDER, digest[:2], f"{digest}{ending}")


def _put(path: Path, content: bytes) -> None:
    """Write a file whole or not at all; one that is there is only marked as wanted now."""
    if path.exists():
        os.utime(path)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{ids.token(4)}")
    temporary.write_bytes(content)
    home.fsync_file(temporary)
    temporary.replace(path)
    home.fsync_folder(path.parent)
