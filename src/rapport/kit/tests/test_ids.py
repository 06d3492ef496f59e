"""Ids: UUIDv7 that sort by time, and tokens nobody guesses."""

from __future__ import annotations

import datetime as dt
import uuid

from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import clock, ids

moments = st.integers(0, 2**53).map(clock.from_us)


@given(moments)
def test_version_variant_and_time_are_where_rfc_9562_puts_them(at: dt.datetime) -> None:
    with clock.frozen(at):
        made = ids.uuid7()
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made.int >> 80 == clock.to_us(at) // 1000


@given(moments, st.timedeltas(dt.timedelta(milliseconds=1), dt.timedelta(days=4000)))
def test_a_later_id_sorts_after_an_earlier_one(at: dt.datetime, wait: dt.timedelta) -> None:
    with clock.frozen(at):
        earlier = ids.uuid7()
    with clock.frozen(at + wait):
        later = ids.uuid7()
    assert earlier < later
    assert str(earlier) < str(later)


def test_ids_of_one_instant_differ(noon: dt.datetime) -> None:
    assert len({ids.uuid7() for _ in range(2_000)}) == 2_000


def test_random_bits_fill_their_fields(noon: dt.datetime) -> None:
    """Every one of the 74 random bits is seen both set and clear, else entropy is lost."""
    made = [ids.uuid7().int for _ in range(200)]
    ever_set = ever_clear = 0
    for value in made:
        ever_set |= value
        ever_clear |= ~value
    random_mask = (((1 << 12) - 1) << 64) | ((1 << 62) - 1)
    assert ever_set & random_mask == random_mask
    assert ever_clear & random_mask == random_mask


def test_tokens_are_url_safe_and_long_enough() -> None:
    token = ids.token(18)
    assert len(token) == 24
    assert token.replace("-", "").replace("_", "").isalnum()
    assert token != ids.token(18)
