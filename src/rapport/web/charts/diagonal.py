"""Spec of a calibration: what was said across, what was seen up, and the line on which the two agree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rapport.web.charts.manner import NARROW_PX, frame
from rapport.web.charts.palette import sentinel

Agreement = tuple[float, float, float | None, float | None, str]  # said, seen, low and high of seen, in words


def diagonal(
    points: Sequence[Agreement], *, width: int, colour: str, x_title: str, y_title: str, as_percent: bool
) -> dict[str, Any]:
    """Points with their intervals beside the diagonal; both axes go over the same range."""
    numbers = [v for said, seen, low, high, _w in points for v in (said, seen, low, high) if v is not None]
    bottom, top = min(0.0, *numbers), max(numbers)
    top = top if top > bottom else bottom + 1
    scale = {"domain": [bottom, top], "nice": False, "zero": False}
    axis = {"tickCount": 5, "format": ".0%" if as_percent else "~s", "grid": True}
    x = {"field": "x", "type": "quantitative", "title": x_title, "scale": scale, "axis": axis}
    y = {"field": "y", "type": "quantitative", "title": y_title, "scale": scale, "axis": axis}
    values = [
        {"x": said, "y": seen, "low": seen if low is None else low, "high": seen if high is None else high,
         "said": words}
        for said, seen, low, high, words in points
    ]  # fmt: skip
    agree = {
        "data": {"values": [{"x": bottom, "y": bottom}, {"x": top, "y": top}]},
        "mark": {"type": "line", "color": sentinel("line-strong"), "strokeDash": [4, 4], "strokeWidth": 1},
        "encoding": {"x": x, "y": y},
    }
    spans = {
        "mark": {"type": "rule", "color": sentinel(colour), "strokeWidth": 1.5},
        "encoding": {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}},
    }
    marks = {
        "mark": {"type": "circle", "color": sentinel(colour), "size": 60, "opacity": 1},
        "encoding": {"x": x, "y": y, "description": {"field": "said"}},
    }
    return {
        **frame(width),
        "height": 220 if width <= NARROW_PX else 260,
        "data": {"values": values},
        "layer": [agree, spans, marks],
    }
