"""Money: whole minor units, exact both ways."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit import money
from rapport.kit.errors import Invalid

currencies = st.sampled_from(["EUR", "USD", "GBP", "JPY", "KRW", "KWD", "CLF"])


@given(st.integers(-(10**15), 10**15), currencies)
def test_an_amount_read_back_is_the_same_money(minor: int, currency: str) -> None:
    kept = money.Money(minor, currency)
    assert money.parse(str(kept.amount), currency) == kept


@pytest.mark.parametrize(
    ("currency", "places"), [("EUR", 2), ("JPY", 0), ("KRW", 0), ("KWD", 3), ("TND", 3), ("CLF", 4)]
)
def test_the_minor_unit_is_that_of_the_currency(currency: str, places: int) -> None:
    assert money.exponent(currency) == places
    assert money.parse("12", currency).minor == 12 * 10**places


@pytest.mark.parametrize(
    ("text", "minor"),
    [("84.50", 8450), ("-84.50", -8450), ("  7 ", 700), ("0.005", 0), ("0.015", 2), ("1e2", 10_000)],
)
def test_parse_rounds_half_to_even(text: str, minor: int) -> None:
    assert money.parse(text, "EUR") == money.Money(minor, "EUR")


@pytest.mark.parametrize("text", ["", "twelve", "1,50", "NaN", "Infinity", "-inf", "12 EUR", "1.2.3"])
def test_what_is_no_amount_is_refused_by_name(text: str) -> None:
    with pytest.raises(Invalid, match="is not an amount") as refused:
        money.parse(text, "EUR")
    assert repr(text) in refused.value.message
    assert refused.value.hint


@pytest.mark.parametrize("text", ["1e400", "1e999999", "9" * 40])
def test_what_no_amount_can_be_is_refused_not_crashed_on(text: str) -> None:
    with pytest.raises(Invalid, match="is not an amount"):
        money.parse(text, "EUR")


def test_amounts_of_one_currency_add_and_others_do_not() -> None:
    assert money.Money(150, "EUR") + money.Money(-50, "EUR") == money.Money(100, "EUR")
    with pytest.raises(Invalid, match="cannot add USD to EUR"):
        money.Money(150, "EUR") + money.Money(50, "USD")


def test_money_is_written_with_its_own_places() -> None:
    assert str(money.Money(1230000, "EUR")) == "12,300.00 EUR"
    assert str(money.Money(12300, "JPY")) == "12,300 JPY"
    assert money.Money(1234, "KWD").amount == Decimal("1.234")
