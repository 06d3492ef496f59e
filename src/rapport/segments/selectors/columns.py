"""Everybody in columns: one connection with the relations that a rule is asked of, see rules.columns.

A reader sees everything that was committed before it asked: the files, and over them what came since. Where
too much came since to be read while somebody waits, it sees the files alone and is told how old they are.
Whoever refuses the purpose of the warrant has a row in none of the relations.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import duckdb

from rapport.consent.services import Warrant
from rapport.kit import clock, home
from rapport.kit.errors import Unavailable
from rapport.people.selectors import wholesale
from rapport.segments.rules.catalogue import Catalogue
from rapport.segments.rules.columns import NOTHING, Freshness, Needs
from rapport.segments.selectors import (
    columns_consent,
    columns_held,
    columns_offered,
    columns_overlay,
    columns_store,
    columns_views,
)
from rapport.segments.selectors.columns_store import Overlay, Position, Store

INLINE_EVENTS = 100_000  # read while a reader waits; more are left to the next renewal
INLINE_PERSONS = 5_000
ATTEMPTS = 3
LET_GO_EVERY_S = 5.0  # how long an idle process holds files open that were replaced

_lock = threading.RLock()
_make_first: Callable[[], columns_held.Generation] | None = None
_start_again: Callable[[], None] | None = None
_held: Store | None = None
_token: object = None
_readers: dict[int, int] = {}  # of a store, by its id
_watched: int | None = None  # the process in which somebody looks for replaced files


def made_by(first: Callable[[], columns_held.Generation], again: Callable[[], None]) -> None:
    """Who makes the columns where there are none, and who drops those of another log; told when the app is ready."""
    global _make_first, _start_again
    _make_first, _start_again = first, again


@contextlib.contextmanager
def engine(
    leave: Warrant | None = None, needs: Needs = NOTHING, *, asks_profile: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection with the relations, without whoever refuses the purpose of `leave`.

    With `asks_profile` they are left out of `profile` alone, which is enough for a query that gives none but
    persons of `profile`, as a compiled rule does, and spares it looking for them among all that was done.

    `member` is empty: who knows the members of segments lays them over it. Without a warrant everybody is in
    it, which is for what the machine keeps to itself. Raises Unavailable where the columns are being made
    for the first time.
    """
    store, overlay = _open()
    con = store.con.cursor()
    try:
        con.execute("SET TimeZone = 'UTC'")
        columns_consent.provide(store, overlay, con, leave, needs)
        con.execute("CREATE TEMP VIEW member AS SELECT '' AS segment, NULL::BIGINT AS person LIMIT 0")
        columns_views.make(store, overlay, con, asks_profile=asks_profile)
        yield con
    finally:
        con.close()
        _close(store, overlay)


def freshness() -> Freshness:
    """How new what a reader would see now is."""
    store, overlay = _open()
    try:
        return _freshness(store, overlay)
    finally:
        _close(store, overlay)


@dataclass(frozen=True, slots=True)
class Condition:
    """How the files stand, without opening them."""

    made_at: dt.datetime | None  # None: there are none yet
    n_persons: int
    n_newer: int  # events that are not in them yet
    trouble: columns_held.Trouble | None  # why they could not be renewed, since when


def condition() -> Condition:
    """How the files stand; for whoever looks after the installation."""
    held, failing = columns_held.current(), columns_held.trouble()
    if held is None:
        return Condition(None, 0, 0, failing)
    n_newer = max(0, columns_store.present().head - held.seq)
    return Condition(held.made_at, held.n_persons, n_newer, failing)


def catalogue() -> Catalogue:
    """What a rule may ask for here."""
    store, overlay = _open()
    try:
        return columns_offered.offered(store, overlay)
    finally:
        _close(store, overlay)


def _freshness(store: Store, overlay: Overlay | None) -> Freshness:
    generation = store.generation
    if overlay is None:
        return Freshness(
            generation.made_at, generation.seq, columns_store.present().head, False, "much is new"
        )
    head = overlay.at.head
    if overlay.at.people.scores != generation.scores:
        why = "models have written many scores since"
        return Freshness(generation.made_at, head, head, False, why)
    return Freshness(clock.now(), head, head, True)


def _open() -> tuple[Store, Overlay | None]:
    """The store and the overlay to read; both stay until `_close`."""
    global _held, _token  # noqa: PLW0603  one store a process is the point
    with _lock:
        for attempt in range(ATTEMPTS):
            token = columns_held.token()
            if _held is not None and not _is_mine(_held):
                _held = None
            if _held is None or token != _token or token is None:
                _let_go()
                generation = columns_held.current()
                if generation is None and _make_first is not None:
                    _make_first()
                    token, generation = columns_held.token(), columns_held.current()
                if generation is None:
                    break
                try:
                    _held, _token = columns_store.open_store(generation), token
                except duckdb.IOException:
                    # Somebody has just renewed it, and deleted what was named when we looked.
                    if attempt + 1 == ATTEMPTS:
                        raise
                    continue
                _watch()
            at = columns_store.present()
            if _is_of_another_log(_held, at) and _start_again is not None:
                _let_go()
                _start_again()
                continue
            overlay = _over(_held, at)
            _readers[id(_held)] = _readers.get(id(_held), 0) + 1
            if overlay is not None:
                overlay.readers += 1
            return _held, overlay
    raise Unavailable("the columns are being made anew", "Ask again in a minute.", retry_after_s=60)


def _is_mine(store: Store) -> bool:
    return store.home == home.root() and store.pid == os.getpid()


def _is_of_another_log(store: Store, at: Position) -> bool:
    """Whether a backup was restored since, whose numbers are counted again."""
    held = store.generation
    return at.people.epoch != held.epoch or at.people.change < held.change or at.head < held.seq


def _over(store: Store, at: Position) -> Overlay | None:
    """The overlay up to a position; None where that is too much to work out while somebody waits."""
    before = store.overlay
    if before is not None and before.at == at:
        return before
    if at.head - store.generation.seq > INLINE_EVENTS:
        return None
    if wholesale.n_changed(store.generation.change, INLINE_PERSONS + 1) > INLINE_PERSONS:
        return None
    overlay = columns_overlay.laid_over(store, at)
    store.overlay = overlay
    if before is not None and not before.readers:
        columns_store.drop(store, before)
    return overlay


def _close(store: Store, overlay: Overlay | None) -> None:
    with _lock:
        if overlay is not None:
            overlay.readers -= 1
            if not overlay.readers and overlay is not store.overlay:
                columns_store.drop(store, overlay)
        _readers[id(store)] -= 1
        if not _readers[id(store)]:
            del _readers[id(store)]
            if store is not _held:
                store.con.close()


def _let_go() -> None:
    """Close the store unless somebody reads it, who then closes it."""
    global _held  # noqa: PLW0603
    if _held is not None and _is_mine(_held) and not _readers.get(id(_held)):
        _held.con.close()
    _held = None


def forget() -> None:
    """Close this process's files; the next reader opens what there is then."""
    with _lock:
        _let_go()


def _watch() -> None:
    """Have files that were replaced closed soon, though nobody asks for anything: they may hold who was erased."""
    global _watched  # noqa: PLW0603
    if _watched == os.getpid():
        return
    _watched = os.getpid()
    threading.Thread(target=_look_about, name="columns", daemon=True).start()


def _look_about() -> None:
    while True:
        clock.sleep(LET_GO_EVERY_S)
        with _lock:
            if _held is not None and (not _is_mine(_held) or columns_held.token() != _token):
                _let_go()
