"""The clock: one, aware, in microseconds, and still where a test holds it."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import clock


def test_now_is_aware_utc_and_agrees_with_now_us() -> None:
    before_us = clock.now_us()
    now = clock.now()
    after_us = clock.now_us()
    assert now.utcoffset() == dt.timedelta(0)
    assert before_us <= clock.to_us(now) <= after_us


@given(st.integers(-(2**51), 2**52))
def test_microseconds_round_trip(us: int) -> None:
    at = clock.from_us(us)
    assert at.tzinfo is dt.UTC
    assert clock.to_us(at) == us


def test_microseconds_of_another_zone_are_those_of_the_same_instant() -> None:
    seoul = dt.timezone(dt.timedelta(hours=9))
    assert clock.to_us(dt.datetime(1970, 1, 1, 9, 0, 1, tzinfo=seoul)) == 1_000_000


def test_frozen_holds_both_clocks_and_lets_go(noon: dt.datetime) -> None:
    assert clock.now() == noon
    assert clock.now_us() == clock.to_us(noon)
    later = noon + dt.timedelta(days=30)
    with clock.frozen(later):
        assert clock.now() == later
    assert clock.now() == noon


def test_frozen_lets_go_after_an_error(noon: dt.datetime) -> None:
    with pytest.raises(KeyError), clock.frozen(noon + dt.timedelta(days=1)):
        raise KeyError("broken inside")
    assert clock.now() == noon


def test_frozen_refuses_a_time_without_a_zone() -> None:
    with pytest.raises(ValueError, match="aware"), clock.frozen(dt.datetime(2026, 3, 2)):  # noqa: DTZ001
        pass


def test_monotonic_runs_while_the_clock_is_held(noon: dt.datetime) -> None:
    start_s = clock.monotonic_s()
    clock.sleep(0.002)
    assert clock.monotonic_s() - start_s >= 0.002
    assert clock.now() == noon
