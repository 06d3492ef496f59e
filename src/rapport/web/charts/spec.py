"""Vega-Lite specs of charts over days: lines or stacked bars, gaps drawn as gaps."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rapport.web.charts.manner import HEIGHT_PX, NARROW_PX, frame, nice_top, number_letters
from rapport.web.charts.palette import sentinel

SEEN_FROM = 200  # a gap is drawn no narrower than this part of the axis
_DAY_LETTERS = {"de": "%-d. %b", "ko": "%b %-d일"}
_MONTH_LETTERS = {"ko": "%Y년 %b"}


@dataclass(frozen=True, slots=True)
class Series:
    """One line, or one colour of the bars."""

    key: str
    label: str
    colour: str  # a name of the palette


@dataclass(frozen=True, slots=True)
class Point:
    """One mark. `y` None is a gap: nothing was seen, which is not the same as none."""

    x: dt.date
    y: float | None
    series: str = ""
    low: float | None = None
    high: float | None = None
    href: str = ""
    said: str = ""  # the mark in words


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch that a source did not cover: whole days, or from moment to moment where the reader is."""

    first: dt.date
    last: dt.date
    reason: str

    def edges(self) -> tuple[dt.datetime, dt.datetime]:
        """Where it begins and ends on an axis of days."""
        first, last = (
            at.replace(tzinfo=None) if isinstance(at, dt.datetime) else dt.datetime.combine(at, dt.time.min)
            for at in (self.first, self.last)
        )
        return first, last if isinstance(self.last, dt.datetime) else last + dt.timedelta(days=1)


def over_time(
    kind: str,
    points: Sequence[Point],
    series: Sequence[Series],
    *,
    width: int,
    y_title: str,
    language: str,
    gaps: Sequence[Gap] = (),
    as_percent: bool = False,
) -> dict[str, Any]:
    """Lines or stacked bars over days; `kind` is `lines` or `bars`; `as_percent` takes ratios."""
    place = {one.key: at for at, one in enumerate(series)}
    values = [_value(p) | {"place": place.get(p.series, 0)} for p in points]
    colour = _colours(series)
    bar_px = _bar_px(points, width) if kind == "bars" else 0.0
    x = _time_axis(points, language, width, bar_px / 2)
    top, bottom = _range(kind, points)
    y: dict[str, Any] = {
        "field": "y",
        "type": "quantitative",
        "title": y_title,
        "scale": {"domain": [bottom, top], "nice": False},
        "axis": {"tickCount": 4, "format": ".0%" if as_percent else number_letters(top)},
    }
    if top < 5 and all(p.y is None or float(p.y).is_integer() for p in points):
        # There is no half of what is counted.
        y["axis"]["values"] = list(range(int(bottom), int(top) + 1))
    layers: list[dict[str, Any]] = []
    if gaps:
        layers.append(_gap_layer(gaps, x, points))
    if kind == "bars":
        layers.append(_bars(values, x, y, colour, bar_px))
    else:
        layers += _lines(values, x, y, colour)
        if len(series) > 1 and width > NARROW_PX:
            layers.append(_end_labels(points, series, x, y, top - bottom))
    return {**frame(width), "layer": layers}


def _value(point: Point) -> dict[str, Any]:
    value: dict[str, Any] = {
        "x": point.x.isoformat(),
        "y": point.y,
        "series": point.series,
        "href": point.href,
        "said": point.said,
    }
    if point.low is not None:
        value |= {"low": point.low, "high": point.high}
    return value


def _colours(series: Sequence[Series]) -> dict[str, Any]:
    return {
        "field": "series",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": [s.key for s in series], "range": [sentinel(s.colour) for s in series]},
    }


def _time_axis(points: Sequence[Point], language: str, width: int, padding_px: float) -> dict[str, Any]:
    days = [p.x for p in points]
    span_days = (max(days) - min(days)).days if days else 0
    letters = (
        _DAY_LETTERS.get(language, "%-d %b") if span_days < 200 else _MONTH_LETTERS.get(language, "%b %Y")
    )
    return {
        "field": "x",
        "type": "temporal",
        "title": None,
        "scale": {"type": "utc", "padding": padding_px},
        "axis": {
            "format": letters,
            "tickCount": 3 if width <= NARROW_PX else 6,
            "labelOverlap": True,
            "grid": False,
        },
    }


def _range(kind: str, points: Sequence[Point]) -> tuple[float, float]:
    if kind == "bars":
        sums: dict[dt.date, float] = {}
        for p in points:
            sums[p.x] = sums.get(p.x, 0.0) + (p.y or 0.0)
        return nice_top(max(sums.values(), default=0)), min(0.0, min(sums.values(), default=0))
    seen = [v for p in points for v in (p.y, p.high, p.low) if v is not None]
    lowest = min(seen, default=0)
    return nice_top(max(seen, default=0)), -nice_top(-lowest) if lowest < 0 else 0.0


def _bar_px(points: Sequence[Point], width: int) -> float:
    days = sorted({p.x for p in points})
    if len(days) < 2:
        return 24
    step_days = min((b - a).days for a, b in itertools.pairwise(days))
    n_steps = (days[-1] - days[0]).days / step_days + 1
    return max(1.0, min(24.0, (width - 60) / n_steps * 0.8))


def _bars(values: list[Any], x: Any, y: Any, colour: Any, bar_px: float) -> dict[str, Any]:
    return {
        "data": {"values": values},
        "mark": {"type": "bar", "width": bar_px},
        "encoding": {
            "x": x,
            "y": {**y, "stack": "zero"},
            "color": colour,
            "order": {"field": "place"},
            "href": {"field": "href"},
            "description": {"field": "said"},
        },
    }


def _lines(values: list[Any], x: Any, y: Any, colour: Any) -> list[dict[str, Any]]:
    layers: list[dict[str, Any]] = []
    if any("low" in value for value in values):
        layers.append(
            {
                "data": {"values": [v for v in values if "low" in v]},
                "mark": {"type": "area", "opacity": 0.18},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": colour,
                },
            }
        )
    encoding = {"x": x, "y": y, "color": colour}
    layers.append(
        {
            "data": {"values": values},
            "mark": {"type": "line", "strokeWidth": 2, "invalid": "break-paths-show-path-domains"},
            "encoding": encoding,
        }
    )
    # A lone value between two gaps has no line: its point must be seen.
    layers.append(
        {
            "data": {
                "values": [
                    v | {"alone": _is_alone(values, i)} for i, v in enumerate(values) if v["y"] is not None
                ]
            },
            "mark": {"type": "point", "filled": True, "size": 40},
            "encoding": {
                **encoding,
                "opacity": {"condition": {"test": "datum.alone", "value": 1}, "value": 0},
                "href": {"field": "href"},
                "description": {"field": "said"},
            },
        }
    )
    return layers


def _is_alone(values: list[Any], i: int) -> bool:
    same = [v for v in values if v["series"] == values[i]["series"]]
    at = same.index(values[i])
    before = same[at - 1]["y"] if at > 0 else None
    after = same[at + 1]["y"] if at + 1 < len(same) else None
    return before is None and after is None


def _end_labels(
    points: Sequence[Point], series: Sequence[Series], x: Any, y: Any, span: float
) -> dict[str, Any]:
    """Each line's name at its end, moved apart where two would cover each other."""
    last = {p.series: p for p in points if p.y is not None}
    end = max(p.x for p in points)
    apart = span * 15 / (HEIGHT_PX - 45)
    labels: list[dict[str, Any]] = []
    for one in sorted((s for s in series if s.key in last), key=lambda s: last[s.key].y or 0.0):
        height = last[one.key].y or 0.0
        if labels:
            height = max(height, labels[-1]["y"] + apart)
        labels.append({"x": end.isoformat(), "y": height, "series": one.key, "label": one.label})
    return {
        "data": {"values": labels},
        "mark": {"type": "text", "align": "left", "dx": 6, "clip": False},
        "encoding": {"x": x, "y": y, "color": _colours(series), "text": {"field": "label"}},
    }


def _gap_layer(gaps: Sequence[Gap], x: Any, points: Sequence[Point]) -> dict[str, Any]:
    days = [p.x for p in points]
    least = (max(days) - min(days)) / SEEN_FROM if days else dt.timedelta()
    values = []
    for gap in gaps:
        first, last = gap.edges()
        values.append(
            {"x": f"{first:%FT%T}Z", "x2": f"{max(last, first + least):%FT%T}Z", "said": gap.reason}
        )
    return {
        "data": {"values": values},
        "mark": {"type": "rect", "color": sentinel("line"), "opacity": 0.5},
        "encoding": {"x": x, "x2": {"field": "x2", "type": "temporal"}, "description": {"field": "said"}},
    }
