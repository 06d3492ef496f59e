from __future__ import annotations

import datetime as dt
import zoneinfo

import pytest
from django.utils import timezone, translation

from rapport.kit import clock
from rapport.web.components import formats

NOW = dt.datetime(2026, 3, 4, 11, 0, tzinfo=dt.UTC)  # a Wednesday


def plain(text: str) -> str:
    return str(text).replace("\u00a0", " ").replace("\u202f", " ")


@pytest.mark.parametrize(
    ("language", "money", "number"),
    [
        ("en", "12,345.60 EUR", "1,234,567"),
        ("de", "12.345,60 EUR", "1.234.567"),
        ("fr", "12 345,60 EUR", "1 234 567"),
        ("es", "12 345,60 EUR", "1 234 567"),
        ("ko", "12,345.60 EUR", "1,234,567"),
    ],
)
def test_money_and_numbers_in_the_readers_language(language: str, money: str, number: str) -> None:
    with translation.override(language):
        assert plain(formats.money(1_234_560, "EUR")) == money
        assert plain(formats.number(1_234_567)) == number


def test_money_keeps_its_currencys_own_decimals() -> None:
    assert plain(formats.money(1500, "JPY")) == "1,500 JPY"
    assert plain(formats.money(-1500, "KWD")) == "-1.500 KWD"
    assert plain(formats.whole_money(1_234_560, "EUR")) == "12,346 EUR"
    assert formats.money(None, "EUR") == formats.NONE


def test_shares_carry_their_count_and_estimates_their_interval() -> None:
    assert plain(formats.share(732, 1204)) == "61 % (732 of 1,204)"
    assert formats.share(0, 0) == "none of none"
    assert plain(formats.interval(0.31, 0.38, 0.34, "%")) == "31 to 38 %, likely 34"
    assert plain(formats.interval(1.25, 3, 2, "days", 1)) == "1.3 to 3.0 days, likely 2.0"
    assert formats.percent(float("nan")) == formats.NONE


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0123, "12 ms"),
        (3.25, "3.3 s"),
        (42, "42 s"),
        (125, "2 min 5 s"),
        (7500, "2 h 5 min"),
        (7200, "2 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations(seconds: float, text: str) -> None:
    assert plain(formats.duration(seconds)) == text


@pytest.mark.parametrize(
    ("language", "value", "text"),
    [
        ("en", 9_999, "9,999"),
        ("en", 12_345, "12.3 k"),
        ("en", 12_345_678, "12.3 m"),
        ("de", 12_345, "12,3 Tsd."),
        ("ko", 123_456, "12.3 만"),
        ("ko", 250_000_000, "2.5 억"),
    ],
)
def test_short_numbers_keep_the_whole_one_on_hover(language: str, value: int, text: str) -> None:
    with translation.override(language):
        shown = formats.compact(value)
        assert text in plain(shown)
        assert plain(formats.number(value)) in plain(shown)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW - dt.timedelta(hours=1), "today 11:00"),
        (NOW - dt.timedelta(days=1), "yesterday 12:00"),
        (NOW + dt.timedelta(days=1), "tomorrow 12:00"),
        (NOW - dt.timedelta(days=2), "Mon 12:00"),
        (NOW - dt.timedelta(days=30), "2 Feb 12:00"),
        (NOW - dt.timedelta(days=400), "28 Jan 2025"),
    ],
)
def test_times_are_said_in_the_readers_zone_with_the_exact_utc(at: dt.datetime, text: str) -> None:
    with clock.frozen(NOW), timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        shown = formats.when(at)
    assert f">{text}<" in shown
    assert f'datetime="{at:%Y-%m-%dT%H:%M:%SZ}"' in shown
    assert f'title="{at:%Y-%m-%d %H:%M:%S} UTC"' in shown


def test_a_day_just_over_the_date_line_is_not_today() -> None:
    late = dt.datetime(2026, 3, 3, 23, 30, tzinfo=dt.UTC)
    with clock.frozen(NOW), timezone.override(zoneinfo.ZoneInfo("Europe/Madrid")):
        assert "today 00:30" in formats.when(late)
    with clock.frozen(NOW), timezone.override(dt.UTC):
        assert "yesterday 23:30" in formats.when(late)


def test_sizes() -> None:
    assert [plain(formats.size(n)) for n in (999, 1500, 3_200_000, 250e9)] == [
        "999 B",
        "1.5 kB",
        "3.2 MB",
        "250 GB",
    ]


def test_a_missing_static_file_is_an_error_and_a_changed_one_has_another_address() -> None:
    assert formats.asset("rapport.css").startswith("/static/rapport.css?v=")
    with pytest.raises(Exception, match="no static file"):
        formats.asset("nothing.css")


def test_pairs_of_a_mapping_that_has_a_key_called_items() -> None:
    mapping = {"items": "product_code", "values": "quantity"}
    assert formats.pairs(mapping) == [("items", "product_code"), ("values", "quantity")]
