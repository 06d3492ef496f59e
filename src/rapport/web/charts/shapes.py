"""Specs of charts without time: ranked bars, and how often each range of values occurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapport.web.charts.manner import NARROW_PX, frame, number_letters
from rapport.web.charts.palette import sentinel


def ranked(
    rows: Sequence[tuple[str, float, str, str, str]],
    *,
    width: int,
    colour: str,
    x_title: str,
    whole: float | None = None,
) -> dict[str, Any]:
    """Horizontal bars, largest first: (label, value, value in words, href, said); `whole` fills the width."""
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
    scale: dict[str, Any] = {"zero": True} if whole is None else {"domain": [0, whole]}
    x = {"field": "x", "type": "quantitative", "title": x_title, "axis": None, "scale": scale}
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
            "x": {
                "field": "a",
                "bin": {"binned": True},
                "type": "quantitative",
                "title": x_title,
                # By itself each bin has a tick, and their figures touch.
                "axis": {"tickCount": 4 if width <= NARROW_PX else 8, "labelOverlap": "greedy"},
            },
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


def crossed(
    cells: Sequence[tuple[int, int, float, str, str, str]],
    *,
    x_labels: Sequence[str],
    y_labels: Sequence[str],
    width: int,
    x_title: str,
    y_title: str,
) -> dict[str, Any]:
    """How many lie in each field of two scales in bands: (x, y, n, colour, href, said); the area of a mark is n."""
    values = [
        {"x": x_labels[x], "y": y_labels[y], "n": n, "colour": sentinel(colour), "href": href, "said": said}
        for x, y, n, colour, href, said in cells
    ]
    most = max((n for _x, _y, n, _c, _h, _s in cells), default=1)
    narrow = width <= NARROW_PX
    axis = {"ticks": False, "domain": False, "grid": True, "labelPadding": 6}
    x = {
        "field": "x", "type": "ordinal", "sort": list(x_labels), "title": x_title,
        "scale": {"domain": list(x_labels)}, "axis": axis | {"labelAngle": -40 if narrow else 0},
    }  # fmt: skip
    y = {
        "field": "y", "type": "ordinal", "sort": list(reversed(y_labels)), "title": y_title,
        "scale": {"domain": list(reversed(y_labels))}, "axis": axis,
    }  # fmt: skip
    area = 480.0 if narrow else 2400.0
    marks = {
        "mark": {"type": "circle", "opacity": 0.85},
        "encoding": {
            "x": x,
            "y": y,
            "size": {
                "field": "n", "type": "quantitative", "legend": None,
                "scale": {"domain": [0, most], "range": [12, area]},
            },
            "color": {"field": "colour", "type": "nominal", "scale": None},
            "href": {"field": "href"},
            "description": {"field": "said"},
        },
    }  # fmt: skip
    # A figure stands beside its mark, as far off as the mark is large.
    beside = {"expr": f"sqrt(datum.n / {most} * {area} / PI) + 3"}
    words = {
        "mark": {"type": "text", "dx": beside, "align": "left", "color": sentinel("ink"), "fontSize": 11},
        "encoding": {
            "x": x,
            "y": y,
            "text": {"field": "n", "type": "quantitative", "format": number_letters(most)},
        },
    }
    return {
        **frame(width),
        "height": (34 if narrow else 40) * len(y_labels) + 70,
        "data": {"values": values},
        "layer": [marks] if narrow else [marks, words],
    }


def _shortened(label: str, most: int) -> str:
    return label if len(label) <= most else label[: most - 1] + "…"
