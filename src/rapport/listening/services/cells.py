"""Cells as values: the SQL that reads one cell, and what may be wrong with it. Nothing is coerced silently."""

from __future__ import annotations

from collections.abc import Callable

from rapport.events import rules as log_rules
from rapport.kit import clock, money
from rapport.listening.rules import fields, values
from rapport.listening.services.tables import literal

KEY_CHARS_MAX = 240  # with its namespace an identifier stays under 256
TEXT_BYTES_MAX = 8 * log_rules.MESSAGE_BYTES_MAX
PARTED = (fields.TIME, fields.DATE)
_SPACE = "' ' || chr(9) || chr(10) || chr(13) || chr(160)"
_EMAIL = r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]{2,}"
_POWERS = r"\d([.,]\d+)?[eE]\+\d+"
_ABSENT = r"NULL|null|\\N|NaN|nan|None|N/A|n/a|NA|-"


# One step from a cell to its value: SQL over the step before. Each step is computed once for a row.
Step = Callable[[str], str]
# What may be wrong with a value: a condition with $value for the value and $raw for the text, and a code.
Wrong = list[tuple[str, str]]

_UNREAD = "$raw IS NOT NULL AND $value IS NULL"


def clean(cell: str) -> str:
    """A cell without blanks, tabs and hard spaces around it."""
    return f"trim({cell}, {_SPACE})"


def only_blanks(cell: str) -> str:
    """The same where there are but blanks, many times as fast: few cells have any."""
    return f"CASE WHEN starts_with({cell}, ' ') OR ends_with({cell}, ' ') THEN trim({cell}) ELSE {cell} END"


def steps(form: str, is_text: bool, without_space: Step, order: str, mark: str) -> tuple[list[Step], int]:
    """How a cell becomes its value, and after which step it is the text that somebody wrote, or NULL."""
    if not is_text and form == fields.NUMBER:
        return [lambda cell: f"{cell}::DOUBLE", _finite], 0
    if not is_text and form == fields.TIME:
        return [lambda cell: f"try_cast({cell} AS TIMESTAMPTZ)"], 0
    first: Step = lambda cell: f"nullif({without_space(cell if is_text else f'{cell}::VARCHAR')}, '')"  # noqa: E731
    if form in (fields.TEXT, fields.JSON):
        return [first], 0
    further: dict[str, list[Step]] = {
        fields.KEY: [_key],
        fields.NUMBER: [lambda raw: _number(raw, mark), _finite],
        fields.TIME: [lambda raw: _time_text(raw, order), _time],
        fields.DATE: [lambda raw: _time_text(raw, order), _day, _likely_day],
        fields.EMAIL: [lambda raw: f"lower({raw})"],
        fields.PHONE: [
            lambda raw: f"regexp_replace(regexp_replace({raw}, '^00', '+'), '(^\\+)|\\D', '\\1', 'g')"
        ],
        fields.CURRENCY: [lambda raw: f"upper({raw})"],
    }
    return [first, _if_said, *further[form]], 1


def wrong(form: str) -> Wrong:
    """What may be wrong with a value of a form."""
    match form:
        case fields.NUMBER:
            return [(_UNREAD, "bad_number")]
        case fields.TIME:
            return [(_UNREAD, "bad_time")]
        case fields.DATE:
            return [(_UNREAD, "bad_date")]
        case fields.EMAIL:
            is_odd = f"NOT regexp_full_match($value, {literal(_EMAIL)}) OR strlen($value) > {KEY_CHARS_MAX}"
            return [(is_odd, "bad_email")]
        case fields.PHONE:
            return [("NOT regexp_full_match($value, '\\+?\\d{5,15}')", "bad_phone")]
        case fields.CURRENCY:
            return [("NOT regexp_full_match($value, '[A-Z]{3}')", "bad_currency")]
        case fields.JSON:
            return [
                (
                    "CASE WHEN json_valid($value) THEN json_type($value) <> 'OBJECT' ELSE $value IS NOT NULL END",
                    "bad_json",
                )
            ]
        case fields.KEY:
            powers = f"(contains($value, 'E+') OR contains($value, 'e+')) AND regexp_full_match($value, {literal(_POWERS)})"
            return [(powers, "scientific"), (f"strlen($value) > {KEY_CHARS_MAX}", "too_long")]
        case _:
            return [(f"strlen($value) > {TEXT_BYTES_MAX}", "too_long")]


def _if_said(text: str) -> str:
    """NULL where a text says that there is nothing."""
    return f"CASE WHEN strlen({text}) > 4 OR NOT regexp_full_match({text}, '{_ABSENT}') THEN {text} END"


def _key(raw: str) -> str:
    """A key; 17850.0 is what a spreadsheet makes of the number 17850."""
    whole = f"regexp_replace({raw}, '^(\\d+)\\.0+$', '\\1')"
    return f"CASE WHEN {raw} LIKE '%.0%' THEN {whole} ELSE {raw} END"


def _day(text: str) -> str:
    """A day from a time's text; a plain one needs no zone."""
    plain = f"try_cast(try_cast({text} AS TIMESTAMP) AS DATE)"
    return f"CASE WHEN regexp_full_match({text}, {literal(values.PLAIN_TIME)}) THEN {plain} ELSE ({_time(text)})::DATE END"


def _likely_day(day: str) -> str:
    """A day as text, if somebody can have been born on it or come to us."""
    today = literal(clock.now().date().isoformat())
    return f"CASE WHEN {day} BETWEEN DATE '1880-01-01' AND {today}::DATE THEN strftime({day}, '%Y-%m-%d') END"


def _finite(number: str) -> str:
    return f"CASE WHEN isfinite({number}) THEN {number} END"


def _number(raw: str, mark: str) -> str:
    """A number, also with a sign of money or thousands marked; nothing that could be read in two ways."""
    bare = f"regexp_replace({raw}, '^([-+]?)[€$£¥ ]*|[€$£¥% ]+$', '\\1', 'g')"
    if mark == values.COMMA:
        fits = f"regexp_full_match({bare}, '[-+]?(\\d{{1,3}}([. ]\\d{{3}})+|\\d+)?(,\\d*)?')"
        plain = f"replace(replace(replace({bare}, '.', ''), ' ', ''), ',', '.')"
        return f"CASE WHEN {fits} THEN try_cast({plain} AS DOUBLE) END"
    fits = f"regexp_full_match({bare}, '[-+]?(\\d{{1,3}}([, ]\\d{{3}})+|\\d+)?(\\.\\d*)?')"
    at_once = f"CASE WHEN NOT contains({raw}, '_') THEN try_cast({raw} AS DOUBLE) END"
    plain = f"replace(replace({bare}, ',', ''), ' ', '')"
    return f"coalesce({at_once}, CASE WHEN {fits} THEN try_cast({plain} AS DOUBLE) END)"


def _time_text(text: str, order: str) -> str:
    """A time's text in the one form `2015-02-24 11:35:52+08:00`, where it can be brought into it."""
    zoned = text
    for form, one_form in (
        (r"(:\d{2}),(\d+)", r"\1.\2"),
        (r" ?(Z|z|UTC|GMT)$", "Z"),
        (r" ?([+-]\d{2}):?(\d{2})$", r"\1:\2"),
        (r"([ T]\d{1,2}:\d{2})(Z|[+-]\d{2}(:\d{2})?)$", r"\1:00\2"),
    ):
        zoned = f"regexp_replace({zoned}, {literal(form)}, {literal(one_form)})"
    month, day = ("\\2", "\\1") if order == values.DAY_FIRST else ("\\1", "\\2")
    turned = text
    for year, century in (("\\d{4}", ""), ("[0-6]\\d", "20"), ("[7-9]\\d", "19")):
        parts = f"^(\\d{{1,2}})[/.\\-](\\d{{1,2}})[/.\\-]({year})\\b"
        turned = f"regexp_replace({turned}, {literal(parts)}, '{century}\\3-{month}-{day}')"
    return (
        f"CASE WHEN regexp_matches({text}, '^\\d{{4}}[-/]')"
        f" THEN CASE WHEN regexp_full_match({text}, {literal(values.PLAIN_TIME)}) THEN {text} ELSE {zoned} END"
        f" WHEN regexp_matches({text}, {literal(values.SLASHED)}) THEN {turned} ELSE {text} END"
    )


def _time(raw: str) -> str:
    """A time from such a text. Casts are tried only where they fit: one that fails takes long."""
    zone = "current_setting('TimeZone')"
    zoned, plain = (f"[{', '.join(map(literal, f))}]" for f in (values.ZONED_FORMATS, values.PLAIN_FORMATS))
    halves = f"[{', '.join(map(literal, values.HALF_DAY_FORMATS))}]"
    stamp, fits = f"try_cast({raw} AS TIMESTAMP)", "regexp_full_match"
    return (
        f"CASE WHEN {fits}({raw}, {literal(values.PLAIN_TIME)}) THEN timezone({zone}, {stamp})"
        f" WHEN {fits}({raw}, {literal(values.ZONED_TIME)})"
        f" THEN CASE WHEN {stamp} IS NOT NULL THEN try_cast({raw} AS TIMESTAMPTZ) END"
        f" WHEN {fits}({raw}, '\\d{{10}}(\\.\\d+)?') THEN to_timestamp(try_cast({raw} AS DOUBLE))"
        f" WHEN {fits}({raw}, '\\d{{13}}') THEN to_timestamp(try_cast({raw} AS DOUBLE) / 1e3)"
        f" WHEN {fits}({raw}, '\\d{{8}}') THEN timezone({zone}, try_strptime({raw}, '%Y%m%d'))"
        f" WHEN {fits}({raw}, '\\d{{14}}') THEN timezone({zone}, try_strptime({raw}, '%Y%m%d%H%M%S'))"
        f" WHEN {fits}({raw}, '(?i)\\d{{4}}-.*[ap]m') THEN timezone({zone}, try_strptime({raw}, {halves}))"
        f" WHEN regexp_matches({raw}, '[A-Za-z]{{3}}.*[0-9]|[0-9].*[A-Za-z]{{3}}')"
        f" THEN coalesce(try_strptime({raw}, {zoned}), timezone({zone}, try_strptime({raw}, {plain}))) END"
    )


def limits(moment: str, name: str) -> Wrong:
    """What may be wrong with when an event was."""
    latest = (clock.now() + log_rules.FUTURE_TOLERANCE).isoformat()
    return [
        (f"{moment} < '{log_rules.EARLIEST.isoformat()}'::TIMESTAMPTZ", f"ancient|{name}"),
        (f"{moment} > '{latest}'::TIMESTAMPTZ", f"future|{name}"),
    ]


def scale(currency: str) -> str:
    """SQL for how many minor units one major unit of a currency has."""
    unusual = " ".join(f"WHEN '{c}' THEN {10**e}" for c, e in sorted(money.UNUSUAL.items()))
    return f"(CASE {currency} {unusual} ELSE 100 END)"
