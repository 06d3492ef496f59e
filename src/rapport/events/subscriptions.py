"""Subscribers: whoever reacts to events reads them in batches from a cursor of their own.

A batch is given again after a crash, so effects are upserts keyed by subject or seq; the cursor moves
after them. One process at a time serves a subscriber, by a lock named after it.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa

from rapport.events import lake, loader
from rapport.events.models import Cursor
from rapport.kit import clock, home
from rapport.kit.errors import Conflict, Invalid, Unavailable

log = logging.getLogger(__name__)

BATCH_SEQS = 100_000
WAIT_S = 0.1


@dataclass(frozen=True, slots=True)
class Batch:
    """What the log says between two numbers, both inside."""

    seq_from: int
    seq_to: int
    events: pa.Table  # the asked names, columns of the lake's event table, ordered by seq
    claims: pa.Table  # seq, ts, a, b, evidence, source; empty unless asked for
    subjects: pa.Table  # subject, identifier, first_seq: identifiers first seen here; empty unless asked for


Handler = Callable[[Batch], None]


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One who reacts: a name for its cursor, the event names it wants, what it does with a batch."""

    key: str
    names: tuple[str, ...]
    handler: Handler
    with_text: bool = False  # also every event that has a text
    with_identities: bool = False  # also claims and subjects
    is_awaited: bool = False  # somebody sits before a screen and waits for what it makes


_NO_ROWS = pa.table({})
_subscribers: dict[str, Subscriber] = {}


def subscribe(
    key: str,
    *,
    names: Sequence[str],
    handler: Handler,
    with_text: bool = False,
    with_identities: bool = False,
    is_awaited: bool = False,
) -> None:
    """Ask for events; called when a domain's app is ready. The key names the cursor for good.

    One that is awaited comes first, and again after each batch of one that is not.
    """
    if key in _subscribers and _subscribers[key].handler is not handler:
        raise Invalid(f"two subscribers are called {key!r}", "Give one of them another key.")
    _subscribers[key] = Subscriber(key, tuple(names), handler, with_text, with_identities, is_awaited)


def subscribers() -> dict[str, Subscriber]:
    return dict(_subscribers)


def position(key: str) -> int:
    """The last event number this subscriber has dealt with."""
    row = Cursor.objects.filter(key=key).only("seq").first()
    return row.seq if row else 0


def read_batch(con: duckdb.DuckDBPyConnection, subscriber: Subscriber, after: int, upto: int) -> Batch:
    """What a subscriber gets for the numbers after `after` up to `upto`."""
    with lake.together(con):
        return _read(con, subscriber, after, upto)


def _read(con: duckdb.DuckDBPyConnection, subscriber: Subscriber, after: int, upto: int) -> Batch:
    span = {"after": after, "upto": upto}
    wants = ["list_contains($names, name)"]
    if subscriber.with_text:
        wants.append('"text" IS NOT NULL')
    events = con.execute(
        f"SELECT * FROM event WHERE seq > $after AND seq <= $upto AND ({' OR '.join(wants)}) ORDER BY seq",
        {**span, "names": list(subscriber.names)},
    ).to_arrow_table()
    if not subscriber.with_identities:
        return Batch(after + 1, upto, events, _NO_ROWS, _NO_ROWS)
    claims = con.execute(
        "SELECT * FROM claim WHERE seq > $after AND seq <= $upto ORDER BY seq", span
    ).to_arrow_table()
    subjects = con.execute(
        "SELECT * FROM lake.subject WHERE first_seq > $after AND first_seq <= $upto ORDER BY subject", span
    ).to_arrow_table()
    return Batch(after + 1, upto, events, claims, subjects)


def advance(key: str, con: duckdb.DuckDBPyConnection, head: int | None = None) -> bool:
    """Give a subscriber its next batch; False where it has everything. Errors are noted and raised.

    `head` is the last number of the log where the caller knows it.
    """
    subscriber = _subscribers[key]
    after = position(key)
    head = loader.offset(con) if head is None else head
    if after >= head:
        return False
    upto = min(head, after + BATCH_SEQS)
    try:
        subscriber.handler(read_batch(con, subscriber, after, upto))
    except Exception as error:
        _note_failure(key, error)
        raise
    Cursor.objects.update_or_create(
        key=key,
        defaults={"seq": upto, "updated_at": clock.now(), "error": "", "failing_since": None},
    )
    return True


def _note_failure(key: str, error: Exception) -> None:
    row, _ = Cursor.objects.get_or_create(key=key, defaults={"updated_at": clock.now()})
    row.error = f"{type(error).__name__}: {error}"[:2000]
    row.failing_since = row.failing_since or clock.now()
    row.save(update_fields=["error", "failing_since"])


def drain(keys: Sequence[str] | None = None, progress: Callable[[str, int], None] | None = None) -> None:
    """Give every subscriber all there was when this began. Raises the first handler's error."""
    con = lake.connect()
    try:
        head = loader.offset(con)
        for key in keys or sorted(_subscribers):
            with home.lock(f"subscriber-{key}"):
                while advance(key, con, head):
                    if progress:
                        progress(key, position(key))
    finally:
        con.close()


@contextlib.contextmanager
def paused() -> Iterator[None]:
    """No subscriber reads or writes within the block; each has first finished the batch that it held.

    For whoever deletes in the log and then in what subscribers made of it: a batch read before would
    bring back what was deleted.
    """
    with contextlib.ExitStack() as held:
        for key in sorted(_subscribers):
            held.enter_context(home.lock(f"subscriber-{key}", wait=True))
        yield


def settle(
    upto_seq: int,
    keys: Sequence[str] | None = None,
    progress: Callable[[str, int], None] | None = None,
    *,
    timeout_s: float = 600,
) -> None:
    """Come back once these subscribers have dealt with everything up to `upto_seq`."""
    con = lake.connect()
    head = 0  # of the log; asked once where it reaches far enough, because it only grows
    try:
        for key in keys or sorted(_subscribers):
            seen, since = -1, clock.monotonic_s()
            while (done := position(key)) < upto_seq:
                if progress:
                    progress(key, done)
                if done > seen:
                    seen, since = done, clock.monotonic_s()
                elif clock.monotonic_s() - since > timeout_s:
                    raise Unavailable(
                        f"subscriber {key} stopped at {done} of {upto_seq}",
                        "`rapport doctor` says why; it will go on from there.",
                        retry_after_s=60,
                    )
                try:
                    with home.lock(f"subscriber-{key}"):
                        while position(key) < upto_seq:
                            if head < upto_seq:
                                head = loader.offset(con)
                            if not advance(key, con, head):
                                break
                            if progress:
                                progress(key, position(key))
                except Conflict:
                    clock.sleep(WAIT_S)
    finally:
        con.close()
