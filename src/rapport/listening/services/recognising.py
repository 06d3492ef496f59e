"""Which network's archive a file is, told by its content, or which files within it are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rapport.kit import registry
from rapport.kit.errors import Invalid
from rapport.listening.contract import KIND, Archive, Archived, Connector
from rapport.listening.services import bundles
from rapport.listening.services.bundles import Bundle, Piece
from rapport.listening.services.files import Given

HEAD_BYTES = 64 << 10
KINDS = frozenset({"posts"})  # what an archive may be imported as


@dataclass(frozen=True, slots=True)
class Found:
    """One file of an archive, and the connector whose network it is from."""

    connector: Connector
    archive: Archive
    piece: Piece


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is an archive, or holds some."""

    bundle: Bundle
    found: tuple[Found, ...]

    @property
    def connectors(self) -> list[str]:
        return list(dict.fromkeys(one.connector.name for one in self.found))

    @property
    def titles(self) -> str:
        return " and ".join(dict.fromkeys(one.archive.title for one in self.found))

    @property
    def source(self) -> str:
        """Where its rows come from, if nobody says: no source that is read bears such a name by itself."""
        return f"{self.connectors[0]}-archive" if len(self.connectors) == 1 else "archives"


def readers() -> list[tuple[Connector, Archive]]:
    """Every network whose archives can be read."""
    offered: list[Connector] = [plugin.offers for plugin in registry.plugins(KIND).values()]
    return [(one, one.archive) for one in offered if isinstance(one, Archived)]


def opened(given: Given) -> Opened | None:
    """The archive that a file is; None where it is a file of rows. Raises Invalid for a zip that holds none."""
    held = bundles.bundle(given)
    found = tuple(_found(held, given))
    if found:
        return Opened(held, found)
    if held.is_packed:
        known = ", ".join(dict.fromkeys(archive.title for _, archive in readers()))
        is_sheet = any(piece.name == "[Content_Types].xml" for piece in held.pieces)
        raise Invalid(
            f"{given.name} is a spreadsheet"
            if is_sheet
            else f"{given.name} holds no archive that can be read",
            "Save the sheet as CSV." if is_sheet else f"There can be read: {known}.",
        )
    return None


def _found(held: Bundle, given: Given) -> Iterator[Found]:
    known = [(connector, archive, re.compile(archive.paths)) for connector, archive in readers()]
    for piece in held.pieces:
        likely = [row for row in known if not held.is_packed or row[2].search(piece.name)]
        head = (piece.head(HEAD_BYTES) if held.is_packed else given.sample[:HEAD_BYTES]) if likely else b""
        for connector, archive, _ in likely:
            if archive.holds(head):
                yield Found(connector, archive, piece)
                break
