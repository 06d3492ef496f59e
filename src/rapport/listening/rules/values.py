"""How the text of a column is read as a time or a number, decided from the column as a whole."""

from __future__ import annotations

from dataclasses import dataclass

DAY_FIRST, MONTH_FIRST = "day/month", "month/day"
POINT, COMMA = "point", "comma"

# Times in the one form that a cast takes: `2015-02-24 11:35:52` and shorter, and with a zone.
_CLOCK = r"\d{4}[-/]\d{1,2}[-/]\d{1,2}([ T]\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?)?"
PLAIN_TIME = _CLOCK
ZONED_TIME = _CLOCK + r"(Z|[+-]\d{2}(:\d{2})?)"
HALF_DAY_FORMATS = ("%Y-%m-%d %I:%M %p", "%Y-%m-%d %I:%M:%S %p")
# Other forms, with their zone and without.
ZONED_FORMATS = (
    "%a %b %d %H:%M:%S %z %Y",
    "%a, %d %b %Y %H:%M:%S %z",
    "%a, %d %b %Y %H:%M:%S %Z",
    "%d/%b/%Y:%H:%M:%S %z",
)
PLAIN_FORMATS = (
    "%d %b %Y %H:%M:%S",
    "%d %b %Y %H:%M",
    "%d %b %Y",
    "%d %B %Y",
    "%d-%b-%Y",
    "%d-%b-%Y %H:%M:%S",
    "%b %d, %Y",
    "%b %d, %Y %H:%M:%S",
    "%b %d, %Y %I:%M %p",
    "%B %d, %Y",
)
# `24/02/2015`, and with dots or hyphens; groups: first, second, year.
SLASHED = r"^(\d{1,2})[/.\-](\d{1,2})[/.\-](\d{4}|\d{2})\b"


@dataclass(frozen=True, slots=True)
class Dates:
    """What a column's slashed dates look like: counts over all its values."""

    n: int = 0
    first_over_12: int = 0
    second_over_12: int = 0
    dotted: int = 0
    halves: int = 0  # with AM or PM
    late_day_first: int = 0  # in the future, were the day first
    late_month_first: int = 0

    def __add__(self, other: Dates) -> Dates:
        return Dates(
            self.n + other.n,
            self.first_over_12 + other.first_over_12,
            self.second_over_12 + other.second_over_12,
            self.dotted + other.dotted,
            self.halves + other.halves,
            self.late_day_first + other.late_day_first,
            self.late_month_first + other.late_month_first,
        )

    @property
    def is_decided(self) -> bool:
        """Whether a day over 12 tells the order beyond doubt."""
        return self.n == 0 or bool(self.first_over_12 or self.second_over_12)


def date_order(dates: Dates) -> tuple[str, str]:
    """Which part is the day, and a sentence on why; the sentence is empty where there is no such date."""
    if dates.n == 0:
        return DAY_FIRST, ""
    if dates.first_over_12 != dates.second_over_12:
        order = DAY_FIRST if dates.first_over_12 > dates.second_over_12 else MONTH_FIRST
        sure = min(dates.first_over_12, dates.second_over_12) == 0
        why = "a day over 12 says so" if sure else "most days over 12 say so, and the others are refused"
        return order, f"read as {order}: {why}"
    if dates.late_day_first != dates.late_month_first:
        order = MONTH_FIRST if dates.late_day_first else DAY_FIRST
        return order, f"read as {order}: the other way some would lie in the future"
    if dates.dotted == dates.n:
        return DAY_FIRST, f"read as {DAY_FIRST}, as dates with dots usually are"
    if dates.halves:
        return MONTH_FIRST, f"read as {MONTH_FIRST}, as times with AM and PM usually are"
    return (
        DAY_FIRST,
        f"ambiguous, read as {DAY_FIRST}: no day is over 12; say date_order=month if it is the other way",
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What a column's numbers look like: counts over all its values."""

    with_comma: int = 0
    point_decimals: int = 0  # a point and then other than three digits
    comma_decimals: int = 0  # a comma and then other than three digits

    def __add__(self, other: Figures) -> Figures:
        return Figures(
            self.with_comma + other.with_comma,
            self.point_decimals + other.point_decimals,
            self.comma_decimals + other.comma_decimals,
        )


def decimal_mark(numbers: Figures) -> tuple[str, str]:
    """Which mark comes before the decimals, and a sentence where that had to be found out."""
    if numbers.comma_decimals > numbers.point_decimals:
        return COMMA, "numbers read with a decimal comma"
    if numbers.comma_decimals:
        return POINT, "numbers read with a decimal point; those with a decimal comma are refused"
    if numbers.with_comma and not numbers.point_decimals:
        return POINT, "commas in numbers read as thousands: none is followed by other than three digits"
    return POINT, ""


# What is wrong with a row, by code; {field} is the field and {value} what stood there.
MESSAGES = {
    "missing": "{field} is empty.",
    "bad_time": "{field} is {value}, which is no time we can read; write it like 2015-02-24 11:35.",
    "bad_date": "{field} is {value}, which is no date we can read; write it like 2015-02-24.",
    "ancient": "{field} is {value}, before 1990; correct the year.",
    "future": "{field} is {value}, which is in the future; correct the year or the clock.",
    "bad_number": "{field} is {value}, which is not a number.",
    "bad_email": "{field} is {value}, which is not a mail address.",
    "bad_phone": "{field} is {value}, which is not a telephone number.",
    "bad_currency": "{field} is {value}; write the three letters of ISO 4217, such as EUR.",
    "scientific": "{field} is {value}: a spreadsheet has turned the number into powers of ten and lost digits.",
    "bad_json": "{field} is {value}, which is not a JSON object.",
    "too_long": "{field} is too long to keep: {value}.",
    "too_large": "The row's further columns take more than 32 KB together, which is more than an event keeps.",
    "too_much": "The amount is too large to be money.",
    "nul": "The row holds a NUL character, which no store keeps; remove it.",
    "no_identifier": "The row names nobody: {field} are all empty.",
    "bad_network": "{field} is {value}, which is no name of a network.",
    "bad_identifier": "{field} is {value}; write namespace:value, such as email:ana@example.org.",
    "bad_state": "{field} is {value}, which is none of granted, denied and withdrawn.",
    "bad_survey": "{field} is {value}; a survey has a name of letters and digits, at most 64.",
    "bad_purpose": "{field} is {value}; a purpose has a key of letters and digits, at most 32.",
    "not_object": "The line is not one JSON object.",
    "bad_utf8": "The row is not in UTF-8; save the file in that encoding.",
    "columns": "The row has {actual} columns where the first line names {expected}.",
    "open_quote": "A quote is opened here and never closed.",
}
