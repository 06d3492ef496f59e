"""How figures are written, in one place: money, shares, intervals, durations, times."""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import math
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils import formats, timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from rapport.kit import clock
from rapport.kit import money as kit_money
from rapport.staff.rules import Role

register = template.Library()

ROLE_LABELS: dict[str, Any] = {
    Role.OWNER: gettext_lazy("Owner"),
    Role.MARKETER: gettext_lazy("Marketer"),
    Role.ANSWERS: gettext_lazy("Answers"),
    Role.ANALYST: gettext_lazy("Analyst"),
    Role.NONE: gettext_lazy("No access yet"),
}

NBSP = "\u00a0"
NONE = "–"

# Where a number is shortened, by language: (from, divide by, sign). Korean counts in ten thousands.
_SHORT = {
    "en": ((1e9, 1e9, "bn"), (1e6, 1e6, "m"), (1e3, 1e3, "k")),
    "de": ((1e9, 1e9, "Mrd."), (1e6, 1e6, "Mio."), (1e3, 1e3, "Tsd.")),
    "fr": ((1e9, 1e9, "Md"), (1e6, 1e6, "M"), (1e3, 1e3, "k")),
    "es": ((1e6, 1e6, "M"), (1e3, 1e3, "mil")),
    "ko": ((1e8, 1e8, "억"), (1e4, 1e4, "만")),
}


@register.filter
def pairs(mapping: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """Names and values of a mapping; `.items` in a template would be the value of a key called items."""
    return list(mapping.items())


@register.filter
def number(value: float | None, decimals: int = 0) -> str:
    """A number with the reader's separators: 12,345 or 12.345."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return NONE
    places = int(decimals)
    # Django cuts decimals off where it should round.
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    return formats.number_format(rounded, decimal_pos=places, use_l10n=True, force_grouping=True)


@register.filter
def money(minor: int | None, currency: str = "") -> str:
    """Minor units with their currency: 84.50 EUR."""
    if minor is None:
        return NONE
    places = kit_money.exponent(currency)
    amount = kit_money.Money(int(minor), currency).amount
    text = formats.number_format(amount, decimal_pos=places, use_l10n=True, force_grouping=True)
    return f"{text}{NBSP}{currency}" if currency else text


@register.filter
def whole_money(minor: int | None, currency: str = "") -> str:
    """Money rounded to whole units, for charts and cards: 12,300 EUR."""
    if minor is None:
        return NONE
    whole = round(kit_money.Money(int(minor), currency).amount)
    return f"{number(whole)}{NBSP}{currency}"


@register.filter
def compact(value: float | None) -> SafeString | str:
    """A large number in short, with the whole of it on hover: 12.3 k."""
    if value is None:
        return NONE
    short = short_number(value)
    full = number(value)
    return full if short == full else format_html('<span title="{}">{}</span>', full, short)


def short_number(value: float) -> str:
    """A number in at most four characters and its sign, in the reader's language."""
    language = (translation.get_language() or "en").split("-")[0]
    if abs(value) < 10_000:
        return number(value)
    for least, divisor, sign in _SHORT.get(language, _SHORT["en"]):
        if abs(value) >= least:
            scaled = value / divisor
            return f"{number(scaled, 1 if abs(scaled) < 100 else 0)}{NBSP}{sign}"
    return number(value)


@register.filter
def percent(ratio: float | None, decimals: int = 0) -> str:
    """A ratio as a percentage: 61 %."""
    if ratio is None or not math.isfinite(ratio):
        return NONE
    return f"{number(ratio * 100, decimals)}{NBSP}%"


@register.simple_tag
def share(part: int, whole: int) -> str:
    """A percentage with its count: 61 % (732 of 1,204)."""
    if not whole:
        return _("none of none")
    return _("%(percent)s (%(part)s of %(whole)s)") % {
        "percent": percent(part / whole),
        "part": number(part),
        "whole": number(whole),
    }


@register.simple_tag
def interval(low: float, high: float, likely: float, unit: str = "", decimals: int = 0) -> str:
    """An estimate with its interval: 31 to 38 %, likely 34. The unit `%` takes ratios."""
    factor = 100 if unit == "%" else 1
    values = {
        "low": number(low * factor, decimals),
        "high": number(high * factor, decimals),
        "likely": number(likely * factor, decimals),
        "unit": f"{NBSP}{unit}" if unit else "",
    }
    return _("%(low)s to %(high)s%(unit)s, likely %(likely)s") % values


@register.filter
def duration(seconds: float | None) -> str:
    """A length of time in its two largest units, on one line: 2 h 5 min."""
    return _duration(seconds).replace(" ", NBSP)


def _duration(seconds: float | None) -> str:
    if seconds is None or not math.isfinite(seconds):
        return NONE
    if seconds < 1:
        return _("%(n)s ms") % {"n": number(seconds * 1000)}
    if seconds < 10:
        return _("%(n)s s") % {"n": number(seconds, 1)}
    whole = round(seconds)
    for large, small, large_text, small_text in (
        (86_400, 3_600, _("%(n)s d"), _("%(n)s h")),
        (3_600, 60, _("%(n)s h"), _("%(n)s min")),
        (60, 1, _("%(n)s min"), _("%(n)s s")),
    ):
        if whole >= large:
            rest = whole % large // small
            first = large_text % {"n": number(whole // large)}
            return f"{first} {small_text % {'n': rest}}" if rest else first
    return _("%(n)s s") % {"n": whole}


@register.filter
def size(n_bytes: float | None) -> str:
    """A size in bytes: 3.2 MB."""
    if n_bytes is None:
        return NONE
    value, unit = float(n_bytes), "B"
    for step in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, step
    return f"{number(value, 0 if unit == 'B' or value >= 100 else 1)}{NBSP}{unit}"


def _date_text(value: dt.date, letters: str) -> str:
    return formats.date_format(value, letters)


def day_text(value: dt.date) -> str:
    """A date in short; the year only where it is not this one."""
    if value.year == timezone.localtime(clock.now()).year:
        return _date_text(value, pgettext("date letters of Django: day and month", "j M"))
    return _date_text(value, pgettext("date letters of Django: day, month, year", "j M Y"))


def when_text(value: dt.datetime) -> str:
    """A moment as people say it: today 09:12, yesterday 09:12, Tue 09:12, 3 Mar 09:12, 3 Mar 2025."""
    local = timezone.localtime(value)
    today = timezone.localtime(clock.now()).date()
    clock_text = f"{local:%H:%M}"
    days = (today - local.date()).days
    if days == 0:
        return _("today %(time)s") % {"time": clock_text}
    if days == 1:
        return _("yesterday %(time)s") % {"time": clock_text}
    if days == -1:
        return _("tomorrow %(time)s") % {"time": clock_text}
    if 1 < days < 7:
        return f"{_date_text(local.date(), 'D')} {clock_text}"
    if local.year == today.year:
        return f"{day_text(local.date())} {clock_text}"
    return day_text(local.date())


@register.filter
def when(value: dt.datetime | dt.date | None) -> SafeString | str:
    """A moment in the reader's zone; the exact UTC stands in the element and on hover."""
    if value is None:
        return NONE
    if not isinstance(value, dt.datetime):
        return format_html('<time datetime="{}">{}</time>', value.isoformat(), day_text(value))
    exact = value.astimezone(dt.UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.strftime("%Y-%m-%dT%H:%M:%SZ"),
        exact.strftime("%Y-%m-%d %H:%M:%S UTC"),
        when_text(value),
    )


@register.filter
def ago(value: dt.datetime | None) -> SafeString | str:
    """How long since a moment: 5 min ago."""
    if value is None:
        return NONE
    passed = max(0.0, (clock.now() - value).total_seconds())
    exact = value.astimezone(dt.UTC)
    text = _("just now") if passed < 10 else _("%(duration)s ago") % {"duration": duration(passed)}
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.strftime("%Y-%m-%dT%H:%M:%SZ"),
        exact.strftime("%Y-%m-%d %H:%M:%S UTC"),
        text,
    )


@register.filter
def people(n: int) -> str:
    """A count of people in words: 1 person, 41 people."""
    return ngettext("%(n)s person", "%(n)s people", n) % {"n": number(n)}


@register.simple_tag
def icon(name: str) -> SafeString:
    """One of our own icons; it always stands beside a word, so it says nothing aloud."""
    return format_html(
        '<svg class="icon" aria-hidden="true" focusable="false"><use href="{}#{}"></use></svg>',
        asset("icons.svg"),
        name,
    )


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file, with what it holds in it: a new version is fetched at once."""
    return f"{static(path)}?v={_digest(path)}"


@functools.cache
def _digest(path: str) -> str:
    found: Any = finders.find(path)
    if not found:
        raise template.TemplateSyntaxError(f"there is no static file {path!r}")
    with open(found, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()[:10]


@register.filter
def role_label(role: str) -> str:
    """A role in words."""
    return str(ROLE_LABELS.get(role, role))


@register.filter
def item(mapping: Mapping[str, Any], key: str) -> Any:
    """The value under a key that only the template knows; empty where there is none."""
    found = mapping.get(key)
    return "" if found is None else found
