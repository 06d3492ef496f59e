"""Figures of models as links: from a bar of a chart to the people behind it, and back to words."""

from __future__ import annotations

import math
from collections.abc import Mapping

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.kit.errors import Invalid
from rapport.people import selectors as people
from rapport.web.components import formats, words

BEST_MAX = 100_000  # people with the most of a figure, as many as an address may ask for


def people_url(figures: people.Within) -> str:
    """The list of the people whose figure lies there."""
    return f"{reverse('people')}?{urlencode(kept(figures))}"


def asked_for(query: Mapping[str, str]) -> people.Within | None:
    """The figures that an address names, if any. Raises Invalid for an end that is no number."""
    name = query.get("score", "").strip()
    if not name:
        return None
    best = _number(query.get("best", ""))
    return people.Within(
        name,
        _number(query.get("from", "")),
        _number(query.get("below", "")),
        query.get("label") or None,
        query.get("of", "") if best else "",
        int(min(best or 0, BEST_MAX)),
    )


def kept(figures: people.Within | None) -> dict[str, str]:
    """What an address to further people of the same figures carries."""
    if figures is None:
        return {}
    return {
        key: value
        for key, value in (
            ("score", figures.name),
            ("from", "" if figures.low is None else repr(figures.low)),
            ("below", "" if figures.high is None else repr(figures.high)),
            ("label", figures.label or ""),
            ("of", figures.best_of),
            ("best", str(figures.best) if figures.best_of else ""),
        )
        if value
    }


def sentence(figures: people.Within, unit: str = "") -> str:
    """`Risk of leaving: 50 % to below 60 %`, and among whom."""
    if figures.best_of:
        return _("%(which)s, among the %(n)s with the highest “%(of)s”") % {
            "which": _range(figures, unit),
            "n": formats.people(figures.best),
            "of": words.score(figures.best_of),
        }
    return _range(figures, unit)


def _range(figures: people.Within, unit: str) -> str:
    name = words.score(figures.name)
    if figures.label:
        return _("%(score)s: %(what)s") % {"score": name, "what": figures.label}
    low, high = (None if v is None else said(v, unit) for v in (figures.low, figures.high))
    if low is not None and high is not None:
        return _("%(score)s: %(low)s to below %(high)s") % {"score": name, "low": low, "high": high}
    if low is not None:
        return _("%(score)s: %(low)s or more") % {"score": name, "low": low}
    if high is not None:
        return _("%(score)s: below %(high)s") % {"score": name, "high": high}
    return _("%(score)s: any") % {"score": name}


def said(value: float | None, unit: str) -> str:
    """A figure of a unit in words."""
    if value is None:
        return formats.NONE
    if unit.startswith("minor"):
        return formats.money(round(value), unit.removeprefix("minor").strip())
    if unit in words.RATIO_UNITS:
        return formats.percent(value, 0 if value == 0 or value >= 0.1 else 1)
    return formats.number(value, 0 if abs(value) >= 10 or value == int(value) else 1)


def _number(text: str) -> float | None:
    if not text.strip():
        return None
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise Invalid(
            _("“%(text)s” is no number") % {"text": text[:40]},
            _("Give the ends of the range as numbers, such as 0.5."),
        )
    return value
