"""The one clock. Everything asks it for the time, so that a test can hold time still."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

UTC = dt.UTC
EPOCH = dt.datetime(1970, 1, 1, tzinfo=UTC)

_frozen: dt.datetime | None = None


def now() -> dt.datetime:
    """The present as an aware UTC datetime, in microseconds."""
    return _frozen if _frozen is not None else dt.datetime.now(UTC)  # noqa: TID251  the one place


def now_us() -> int:
    """The present in microseconds since 1970."""
    if _frozen is not None:
        return to_us(_frozen)
    return time.time_ns() // 1000


def to_us(at: dt.datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    return (at - EPOCH) // dt.timedelta(microseconds=1)


def from_us(us: int) -> dt.datetime:
    """The aware datetime that lies `us` microseconds after 1970."""
    return EPOCH + dt.timedelta(microseconds=us)


def monotonic_s() -> float:
    """Seconds that only grow, for measuring how long something took."""
    return time.perf_counter()


def sleep(seconds: float) -> None:
    """Wait; here so that a test can find every wait."""
    time.sleep(seconds)


@contextmanager
def frozen(at: dt.datetime) -> Iterator[None]:
    """Hold the clock at `at` within the block."""
    global _frozen  # noqa: PLW0603  the clock is one per process by design
    if at.tzinfo is None:
        raise ValueError("a frozen clock needs an aware datetime")
    before, _frozen = _frozen, at
    try:
        yield
    finally:
        _frozen = before
