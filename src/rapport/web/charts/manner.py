"""How every chart is drawn: sizes, quiet axes, short figures."""

from __future__ import annotations

import math
from typing import Any

from rapport.web.charts.palette import sentinel

WIDE_PX, FULL_PX, NARROW_PX = 480, 980, 300
HEIGHT_PX = 190


def nice_top(highest: float) -> float:
    """The top of an axis that begins at zero: a short figure times a power of ten."""
    if highest <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(highest))
    return next(step * power for step in (1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= highest)


def number_letters(top: float) -> str:
    """The letters of d3-format for an axis that ends there."""
    if top < 5:
        return "~g"
    return ",d" if top < 10_000 else "~s"


def frame(width: int) -> dict[str, Any]:
    """What every spec begins with."""
    return {
        "width": width,
        "height": HEIGHT_PX,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": {"left": 12, "top": 4, "right": 10, "bottom": 2},  # a wider font must still fit
        "background": None,
        "config": _CONFIG,
    }


_CONFIG: dict[str, Any] = {
    "font": "sans-serif",
    "view": {"stroke": None},
    "axis": {
        "labelFontSize": 12,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "labelColor": sentinel("ink-2"),
        "titleColor": sentinel("ink-2"),
        "gridColor": sentinel("line"),
        "domainColor": sentinel("line-strong"),
        "tickColor": sentinel("line-strong"),
        "tickSize": 4,
    },
    "axisY": {
        "titleAngle": 0,
        "titleAlign": "left",
        "titleAnchor": "start",
        "titleBaseline": "bottom",
        "titleX": 0,
        "titleY": -8,
        "domain": False,
        "ticks": False,
        "labelPadding": 6,
    },
    "text": {"fontSize": 12, "color": sentinel("ink")},
}
