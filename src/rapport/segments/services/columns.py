"""Keep the columns: renew them when enough has changed, make the first ones, forget people in them.

One process at a time writes, under the lock `columns`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rapport.consent import erasers
from rapport.events import lake
from rapport.kit import clock
from rapport.kit.errors import Conflict, Unavailable
from rapport.people.selectors import wholesale
from rapport.segments.selectors import columns, columns_held, columns_log, columns_store
from rapport.segments.selectors.columns_held import Generation
from rapport.segments.selectors.columns_store import Position
from rapport.segments.services import columns_difference, columns_files, columns_without

Progress = Callable[[str], None]

INLINE_SEQ = 500_000  # a log up to here is put into columns while its first reader waits
RENEW_EVENTS = 20_000  # since the files were written; with more, each reader would wait longer
RENEW_PERSONS = 1_000
RENEW_AFTER_S = 900  # however little has changed
RETRY_AFTER_S = 300
WHOLE_RATIO = 0.1  # of the counters, added since everything was made: from there on it is made anew
WHOLE_ROWS = 1_000_000  # so few are added for nothing
WHOLE_EVENTS = 5_000_000  # more are not counted one by one
WHOLE_PERSONS = 100_000  # changed; more are not asked for one by one


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a renewal did."""

    how: str  # whole, difference or nothing
    seq: int
    n_persons: int
    n_rows: int  # of counters
    took_s: float


def renew(*, whole: bool = False, progress: Progress | None = None) -> Renewed:
    """Bring the files up to what is committed now; anew from the log where the difference would not do."""
    say = progress or (lambda _: None)
    began = clock.monotonic_s()
    with columns_held.writing(), _noting_trouble():
        at, counted = _now()
        held = columns_held.current()
        how, made = "whole", None
        if held is not None and not whole and not _must_be_whole(held, at):
            if _is_at(held, at) and held.counted == counted:
                how, made = "nothing", held
            else:
                how, made = "difference", columns_difference.by_difference(held, at, counted, say)
        if made is None:
            how, made = "whole", columns_files.whole(wholesale.present(), say)
        return Renewed(how, made.seq, made.n_persons, made.n_rows, clock.monotonic_s() - began)


def renew_if_due() -> Renewed | None:
    """Renew once enough has changed, in whichever process asks first; None where nothing is due."""
    failed = columns_held.trouble()
    if failed is not None and clock.now_us() - failed.tried_us < RETRY_AFTER_S * 1_000_000:
        return None
    held = columns_held.current()
    if held is not None and not _is_due(held, columns_store.present()):
        return None
    try:
        with columns_held.writing(wait=False):
            pass  # somebody at it would have done it by the time we could
    except Conflict:
        return None
    return renew()


def first() -> Generation:
    """The columns where there are none yet: made now where that is quickly done, else Unavailable."""
    with columns_held.writing():
        found = columns_held.current()
        if found is not None:
            return found
        if columns_log.head() > INLINE_SEQ:
            raise Unavailable(
                "people are being put into columns for the first time",
                "Ask again in some minutes; `rapport doctor` says whether it goes well.",
                retry_after_s=60,
            )
        with _noting_trouble():
            return columns_files.whole(wholesale.present(), lambda _: None)


def start_again() -> None:
    """Drop files that are of another log than the one that is here, as after a backup was restored."""
    with columns_held.writing():
        held = columns_held.current()
        if held is not None and _is_of_another_log(held, columns_store.present()):
            columns_held.discard()


def forget(erasing: erasers.Erasing) -> int:
    """Write every file anew without whoever is erased; gives the rows that took."""
    with columns_held.writing():
        held = columns_held.current()
        if held is None:
            columns_held.discard()  # there may be files that another version of Rapport wrote
            n = 0
        else:
            made, n = columns_without.without(held, erasing.subjects)
            columns_held.publish(made)
    columns.forget()
    return n


def _now() -> tuple[Position, int]:
    """The position, and how many events the log counts at exactly that event."""
    people = wholesale.present()
    con = lake.connect()
    try:
        con.execute("BEGIN")
        head, counted = columns_log.offset(con), columns_log.counted(con)
        con.execute("COMMIT")
    finally:
        con.close()
    return Position(people, head), counted


def _must_be_whole(held: Generation, at: Position) -> bool:
    if _is_of_another_log(held, at) or at.head - held.seq > WHOLE_EVENTS:
        return True
    if wholesale.n_changed(held.change, WHOLE_PERSONS + 1) > WHOLE_PERSONS:
        return True
    return held.n_added > max(WHOLE_ROWS, WHOLE_RATIO * held.n_rows)


def _is_of_another_log(held: Generation, at: Position) -> bool:
    return at.people.epoch != held.epoch or at.people.change < held.change or at.head < held.seq


def _is_at(held: Generation, at: Position) -> bool:
    people = at.people
    held_at = (held.change, held.scores, held.people_seq, held.seq)
    return held_at == (people.change, people.scores, people.seq, at.head)


def _is_due(held: Generation, at: Position) -> bool:
    if _is_of_another_log(held, at) or at.head - held.seq >= RENEW_EVENTS:
        return True
    if at.people.scores != held.scores or wholesale.n_changed(held.change, RENEW_PERSONS) >= RENEW_PERSONS:
        return True
    return not _is_at(held, at) and clock.now_us() - held.made_us > RENEW_AFTER_S * 1_000_000


@contextmanager
def _noting_trouble() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        columns_held.note_trouble(error)
        raise
