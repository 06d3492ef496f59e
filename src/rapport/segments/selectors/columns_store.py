"""The engine of a process that has the columns of one generation open."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from rapport.events import lake
from rapport.kit import home
from rapport.people.selectors import wholesale
from rapport.segments.rules.catalogue import Catalogue
from rapport.segments.selectors import columns_held, columns_log
from rapport.segments.selectors.columns_held import Generation
from rapport.segments.selectors.columns_profile import quoted


@dataclass(frozen=True, slots=True)
class Position:
    """How far everything has come that the columns are made from."""

    people: wholesale.Present
    head: int


@dataclass(slots=True)
class Overlay:
    """What was committed since the files were written, up to a position; tables named with its prefix."""

    prefix: str
    at: Position
    touched: int = 0  # persons whose profile is read anew
    hides_persons: bool = False
    hides_subjects: bool = False
    reannotates: bool = False
    has_rows: bool = False
    readers: int = 0


@dataclass(slots=True)
class Store:
    """The files of one generation, open for reading, and the newest overlay over them."""

    generation: Generation
    con: duckdb.DuckDBPyConnection
    home: Path
    pid: int
    overlay: Overlay | None = None
    log_seq: int = 0  # up to here the log is in this engine's tables
    told_seq: int = 0  # and up to here events were read for what they tell of people
    n_overlays: int = 0
    n_kept: int = 0
    offered: tuple[str, Catalogue] | None = None  # by the overlay that it was worked out with
    kept: dict[object, str] = field(default_factory=dict)  # small tables made from consent, by what they hold

    def alias(self, name: str) -> str:
        return quoted(Path(name).stem)

    @property
    def profile(self) -> str:
        return self.alias(self.generation.profile)

    @property
    def base(self) -> str:
        return self.alias(self.generation.parts[0])

    @property
    def delta(self) -> str | None:
        return self.alias(self.generation.parts[1]) if len(self.generation.parts) > 1 else None

    @property
    def parts(self) -> list[str]:
        return [self.base, *([self.delta] if self.delta else [])]


def present() -> Position:
    """How far everything has come now; taken before anything is read, so that nothing is missed."""
    people = wholesale.present()
    return Position(people, columns_log.head())


def open_store(generation: Generation) -> Store:
    """An engine with the files of a generation; raises duckdb.IOException where one is gone by now."""
    con = lake.new_engine()
    # Its relations are tables and no Arrow, which alone could not take what joins hand down to scans.
    con.execute("RESET disabled_optimizers")
    store = Store(
        generation, con, home.root(), os.getpid(), log_seq=generation.seq, told_seq=generation.people_seq
    )
    try:
        for name in generation.files:
            con.execute(f"ATTACH '{columns_held.file(name)}' AS {store.alias(name)} (READ_ONLY)")
        _empty_log(con)
    except BaseException:
        con.close()
        raise
    return store


def _empty_log(con: duckdb.DuckDBPyConnection) -> None:
    con.execute(
        "CREATE TABLE log_day (subject BIGINT, day DATE, name VARCHAR, dimension VARCHAR, n BIGINT,"
        " value_minor BIGINT, first_ts TIMESTAMPTZ, last_ts TIMESTAMPTZ);"
        "CREATE TABLE log_told (subject BIGINT);"
        "CREATE TABLE log_annotated (seq BIGINT, name VARCHAR, label VARCHAR, day DATE, subject BIGINT);"
    )


def drop(store: Store, overlay: Overlay) -> None:
    """Free what an overlay holds; nobody reads it any more."""
    con = store.con.cursor()
    try:
        for name in (
            "day",
            "other",
            "hidden",
            "profile",
            "again",
            "person",
            "annotated",
            "reannotated",
            "changed",
        ):
            con.execute(f"DROP TABLE IF EXISTS {overlay.prefix}{name}")
    finally:
        con.close()
