"""Times and numbers: how the column as a whole decides, and what each text is read as."""

from __future__ import annotations

import duckdb
import pytest

from rapport.kit import clock
from rapport.listening.rules import values
from rapport.listening.rules.values import DAY_FIRST, MONTH_FIRST, Dates, Figures
from rapport.listening.services import cells
from rapport.listening.services.tables import literal


def sql_of(text: str, form: str, *, order: str = DAY_FIRST, mark: str = values.POINT) -> str:
    steps, _ = cells.steps(form, True, cells.clean, order, mark)
    sql = literal(text)
    for step in steps:
        sql = f"({step(sql)})"
    return sql


def time_of(text: str, order: str = DAY_FIRST, zone: str = "UTC") -> str | None:
    with duckdb.connect() as con:
        con.execute(f"SET TimeZone = '{zone}'")
        (us,) = con.execute(f"SELECT epoch_us({sql_of(text, 'time', order=order)})").fetchall()[0]
    return None if us is None else clock.from_us(us).replace(tzinfo=None).isoformat(" ")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2015-02-24 11:35:52 -0800", "2015-02-24 19:35:52"),
        ("2015-02-24T11:35:52Z", "2015-02-24 11:35:52"),
        ("2015-02-24T11:35:52.123+05:30", "2015-02-24 06:05:52.123000"),
        ("2015-02-24 11:35:52,123", "2015-02-24 11:35:52.123000"),
        ("2015-02-24 11:35 UTC", "2015-02-24 11:35:00"),
        ("2015-02-24 11:35:52+02", "2015-02-24 09:35:52"),
        ("2015-02-24", "2015-02-24 00:00:00"),
        ("2015/2/4 1:05", "2015-02-04 01:05:00"),
        ("24/02/2015 11:35", "2015-02-24 11:35:00"),
        ("24.2.15", "2015-02-24 00:00:00"),
        ("24-02-1999 11:35:52", "1999-02-24 11:35:52"),
        ("3/2/85", "1985-02-03 00:00:00"),
        ("24/02/2015 01:05 PM", "2015-02-24 13:05:00"),
        ("20150224", "2015-02-24 00:00:00"),
        ("20150224113552", "2015-02-24 11:35:52"),
        ("1424777752", "2015-02-24 11:35:52"),
        ("1424777752123", "2015-02-24 11:35:52.123000"),
        ("Tue Feb 24 11:35:52 +0000 2015", "2015-02-24 11:35:52"),
        ("Tue, 24 Feb 2015 11:35:52 +0100", "2015-02-24 10:35:52"),
        ("24 Feb 2015 11:35", "2015-02-24 11:35:00"),
        ("24-Feb-2015", "2015-02-24 00:00:00"),
        ("Feb 24, 2015", "2015-02-24 00:00:00"),
        ("2015-02-30", None),
        ("31/02/2015", None),
        ("2015-02-24 25:00", None),
        ("yesterday", None),
        ("infinity", None),
        ("epoch", None),
        ("12", None),
        ("2015-02-24 11:35:52 Atlantis/Capital", None),
    ],
)
def test_a_time_is_read_or_not(text: str, utc: str | None) -> None:
    assert time_of(text) == utc


def test_the_order_and_the_zone_are_minded() -> None:
    assert time_of("03/02/2015", MONTH_FIRST) == "2015-03-02 00:00:00"
    assert time_of("03/02/2015", DAY_FIRST) == "2015-02-03 00:00:00"
    assert time_of("2015-07-01 12:00", zone="Europe/Berlin") == "2015-07-01 10:00:00"
    assert time_of("2015-07-01 12:00Z", zone="Europe/Berlin") == "2015-07-01 12:00:00"


@pytest.mark.parametrize(
    ("dates", "order", "says"),
    [
        (Dates(), DAY_FIRST, ""),
        (Dates(n=9, first_over_12=2), DAY_FIRST, "a day over 12 says so"),
        (Dates(n=9, second_over_12=2), MONTH_FIRST, "a day over 12 says so"),
        (Dates(n=9, first_over_12=1, second_over_12=5), MONTH_FIRST, "the others are refused"),
        (Dates(n=9, late_day_first=3), MONTH_FIRST, "in the future"),
        (Dates(n=9, late_month_first=3), DAY_FIRST, "in the future"),
        (Dates(n=9, dotted=9), DAY_FIRST, "with dots"),
        (Dates(n=9, halves=4), MONTH_FIRST, "AM and PM"),
        (Dates(n=9), DAY_FIRST, "ambiguous"),
    ],
)
def test_a_column_of_dates_tells_its_order(dates: Dates, order: str, says: str) -> None:
    found, why = values.date_order(dates)
    assert found == order
    assert says in why
    assert bool(says) == bool(why)


@pytest.mark.parametrize(
    ("figures", "mark", "says"),
    [
        (Figures(), values.POINT, ""),
        (Figures(point_decimals=9), values.POINT, ""),
        (Figures(with_comma=9, comma_decimals=7), values.COMMA, "decimal comma"),
        (Figures(with_comma=9, comma_decimals=1, point_decimals=7), values.POINT, "refused"),
        (Figures(with_comma=9), values.POINT, "thousands"),
    ],
)
def test_a_column_of_numbers_tells_its_mark(figures: Figures, mark: str, says: str) -> None:
    found, why = values.decimal_mark(figures)
    assert found == mark
    assert says in why
    assert bool(says) == bool(why)


@pytest.mark.parametrize(
    ("text", "mark", "number"),
    [
        ("12.5", values.POINT, 12.5),
        ("-3", values.POINT, -3.0),
        ("1,234.50", values.POINT, 1234.5),
        ("£1,234", values.POINT, 1234.0),
        ("12 €", values.POINT, 12.0),
        ("1e3", values.POINT, 1000.0),
        ("12,5", values.POINT, None),
        ("1_000", values.POINT, None),
        ("nan", values.POINT, None),
        ("inf", values.POINT, None),
        ("twelve", values.POINT, None),
        ("1.2.3", values.POINT, None),
        ("12,5", values.COMMA, 12.5),
        ("1.234,50 €", values.COMMA, 1234.5),
        ("1 234,5", values.COMMA, 1234.5),
        ("12.5", values.COMMA, None),
        ("7", values.COMMA, 7.0),
    ],
)
def test_a_number_is_read_or_not(text: str, mark: str, number: float | None) -> None:
    with duckdb.connect() as con:
        assert con.execute(f"SELECT {sql_of(text, 'number', mark=mark)}").fetchall() == [(number,)]


@pytest.mark.parametrize(
    ("form", "text", "value"),
    [
        ("key", "17850.0", "17850"),
        ("key", "A-1.05", "A-1.05"),
        ("email", "Ana@Example.ORG", "ana@example.org"),
        ("phone", "+44 (0)20 7946-0018", "+4402079460018"),
        ("phone", "0044 20 79460018", "+442079460018"),
        ("currency", "eur", "EUR"),
        ("date", "1984-05-06", "1984-05-06"),
        ("date", "2084-05-06", None),
        ("date", "1784-05-06", None),
    ],
)
def test_other_forms_have_one_spelling(form: str, text: str, value: str | None) -> None:
    with duckdb.connect() as con:
        con.execute("SET TimeZone = 'UTC'")
        assert con.execute(f"SELECT {sql_of(text, form)}").fetchall() == [(value,)]
