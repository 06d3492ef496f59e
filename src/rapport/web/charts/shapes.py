"""Specs of charts without time: ranked bars, and how often each range of values occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapport.web.charts.manner import NARROW_PX, frame, number_letters
from rapport.web.charts.palette import sentinel


def ranked(
    rows: Sequence[tuple[str, float, str, str, str]], *, width: int, colour: str, x_title: str
) -> dict[str, Any]:
    """Horizontal bars, largest first: (label, value, value in words, href, said)."""
    values = [
        {
            "label": _shortened(label, 16 if width <= NARROW_PX else 26),
            "x": v,
            "text": t,
            "href": h,
            "said": s,
        }
        for label, v, t, h, s in rows
    ]
    y = {
        "field": "label",
        "type": "nominal",
        "sort": None,
        "title": None,
        "axis": {"ticks": False, "domain": False, "labelPadding": 8},
    }
    x = {"field": "x", "type": "quantitative", "title": x_title, "axis": None, "scale": {"zero": True}}
    bar = {
        "mark": {"type": "bar", "color": sentinel(colour), "height": 16, "cornerRadiusEnd": 2},
        "encoding": {"x": x, "y": y, "href": {"field": "href"}, "description": {"field": "said"}},
    }
    text = {
        "mark": {"type": "text", "align": "left", "dx": 6, "color": sentinel("ink")},
        "encoding": {"x": x, "y": y, "text": {"field": "text"}},
    }
    return {
        **frame(width),
        "height": 26 * len(rows) + 8,
        "data": {"values": values},
        "layer": [bar, text],
    }


def distribution(
    bins: Sequence[tuple[float, float, float, str, str]],
    *,
    width: int,
    colour: str,
    x_title: str,
    y_title: str,
) -> dict[str, Any]:
    """How often each range of values occurs: (from, to, n, href, said)."""
    letters = number_letters(max((n for _a, _b, n, _h, _s in bins), default=0))
    values = [{"a": a, "b": b, "y": n, "href": h, "said": s} for a, b, n, h, s in bins]
    return {
        **frame(width),
        "data": {"values": values},
        "mark": {"type": "bar", "color": sentinel(colour), "binSpacing": 1},
        "encoding": {
            "x": {"field": "a", "bin": {"binned": True}, "type": "quantitative", "title": x_title},
            "x2": {"field": "b"},
            "y": {
                "field": "y",
                "type": "quantitative",
                "title": y_title,
                "axis": {"tickCount": 4, "format": letters},
            },
            "href": {"field": "href"},
            "description": {"field": "said"},
        },
    }


def _shortened(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
