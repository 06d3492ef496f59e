"""Figures of a back-test as a reader sees them, beside the rule they are compared with."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _

from rapport.insights.contract import Metric
from rapport.web.components import formats, words

PLAIN_UNITS = ("", "none", "probability")


@dataclass(frozen=True, slots=True)
class Measured:
    """One figure of a back-test beside the naive rule, in words."""

    name: str
    value: str  # with its interval, where it has one
    baseline_value: str
    rule: str
    meaning: str
    is_better: bool

    @property
    def baseline(self) -> str:
        """What it is compared with, as part of a sentence."""
        return _("against %(value)s: %(rule)s") % {"value": self.baseline_value, "rule": self.rule}

    @property
    def rival(self) -> str:
        """What it is compared with, under a heading that says so."""
        return _("%(value)s: %(rule)s") % {"value": self.baseline_value, "rule": self.rule}


def measured(metric: Metric) -> Measured:
    """A figure in words, in its own unit."""
    return Measured(
        words.plain(metric.name),
        shown(metric.value, metric.low, metric.high, metric.unit),
        _value(metric.baseline_value, metric.unit),
        metric.baseline,
        metric.meaning,
        metric.is_better,
    )


def shown(value: float, low: float | None, high: float | None, unit: str = "ratio") -> str:
    """A figure with its interval, where it has one."""
    if low is None or high is None:
        return _value(value, unit)
    return _("%(low)s to %(high)s, likely %(likely)s") % {
        "low": _value(low, unit),
        "high": _value(high, unit),
        "likely": _value(value, unit),
    }


def _value(value: float, unit: str) -> str:
    if unit == "ratio":
        return formats.percent(value, 1)
    if unit.startswith("minor"):
        return formats.money(round(value), unit.removeprefix("minor").strip())
    return formats.number(value, 2) + (f"{formats.NBSP}{unit}" if unit not in PLAIN_UNITS else "")
