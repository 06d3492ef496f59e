"""Charts: a title that states the finding, axes with units, figures and downloads one click away."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import translation
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from rapport.staff.rules import Right
from rapport.web.charts import diagonal, manner, palette, render, shapes, spec
from rapport.web.charts.spec import Gap, Point, Series
from rapport.web.components.formats import NONE, day_text, number

__all__ = [
    "Agreement",
    "Chart",
    "Gap",
    "Point",
    "Series",
    "agreement",
    "crossed",
    "distribution",
    "over_time",
    "ranked",
    "series",
]

Said = Callable[[float | None], str]
GAPS_TOLD = 10  # in the words for those who do not see the drawing


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    href: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    cells: list[Any]  # the row's head in words, then Cells
    href: str = ""


@dataclass(frozen=True, slots=True)
class Swatch:
    label: str
    swatch: str


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart as `components/chart.html` shows it."""

    key: str
    title: str
    note: str
    alt: str
    wide: SafeString
    narrow: SafeString
    legend: list[Swatch]
    columns: list[str]
    lines: list[Line]
    names_its_lines: bool = False  # the wide drawing does, so only the narrow one needs a legend


def series(*labels: tuple[str, str], colours: Sequence[str] = palette.SERIES) -> list[Series]:
    """Series in the palette's fixed order from (key, label) pairs."""
    return [Series(key, label, colours[i % len(colours)]) for i, (key, label) in enumerate(labels)]


def over_time(
    kind: str,
    title: str,
    points: Sequence[Point],
    shown: Sequence[Series],
    *,
    y_title: str,
    right: Right,
    said: Said = number,
    gaps: Sequence[Gap] = (),
    note: str = "",
    full_width: bool = False,
    x_title: str = "",
    as_percent: bool = False,
) -> Chart:
    """Lines or stacked bars over days (`kind` is `lines` or `bars`)."""
    language = _language()
    points = [dataclasses.replace(p, href=_local(p.href)) for p in points]
    labels = {s.key: s.label for s in shown}
    worded = [_worded(p, labels.get(p.series, ""), said) for p in points]
    draw: dict[str, Any] = {"y_title": y_title, "language": language, "gaps": gaps, "as_percent": as_percent}
    by_day: dict[dt.date, dict[str, Point]] = {}
    for p in points:
        by_day.setdefault(p.x, {})[p.series] = p
    days = sorted(by_day)
    columns = [x_title or _("Day"), *(s.label or y_title for s in shown)]
    rows: list[list[Any]] = []
    lines: list[Line] = []
    for day in days:
        found = [by_day[day].get(s.key) for s in shown]
        rows.append([day.isoformat(), *(p.y if p else None for p in found)])
        cells = [Cell(said(p.y if p else None), p.href if p and p.y is not None else "") for p in found]
        lines.append(Line([day_text(day), *cells]))
    drawing = render.Drawing(
        wide=spec.over_time(
            kind, worded, shown, width=manner.FULL_PX if full_width else manner.WIDE_PX, **draw
        ),
        narrow=spec.over_time(kind, worded, shown, width=manner.NARROW_PX, **draw),
        language=language,
        title=title,
        alt=_alt_over_time(title, points, shown, said, gaps),
        right=right.value,
        columns=columns,
        rows=rows,
    )
    legend = [Swatch(s.label, _swatch(s.colour)) for s in shown] if len(shown) > 1 else []
    return _chart(drawing, note, legend, lines, names_its_lines=kind == "lines")


def ranked(
    title: str,
    rows: Sequence[tuple[str, float, str]],
    *,
    label_title: str,
    value_title: str,
    right: Right,
    said: Said = number,
    note: str = "",
    colour: str = "series-1",
    full_width: bool = False,
    is_scale: bool = False,
    whole: float | None = None,
) -> Chart:
    """Horizontal bars in the order given: (label, value, href); of a scale that order is its own.

    A bar of the `whole` would fill the width; without one the longest does.
    """
    rows = [(label, v, _local(href)) for label, v, href in rows]
    drawn = [(label, v, said(v), href, f"{label}: {said(v)}") for label, v, href in rows]
    width = manner.FULL_PX if full_width else manner.WIDE_PX
    joint = ": " if is_scale else " "
    first = ", ".join(f"{label}{joint}{said(v)}" for label, v, _href in (rows if is_scale else rows[:5]))
    alt = _("%(title)s. Bars: %(first)s.") if is_scale else _("%(title)s. Bars, largest first: %(first)s.")
    drawing = render.Drawing(
        wide=shapes.ranked(drawn, width=width, colour=colour, x_title=value_title, whole=whole),
        narrow=shapes.ranked(drawn, width=manner.NARROW_PX, colour=colour, x_title=value_title, whole=whole),
        language=_language(),
        title=title,
        alt=alt % {"title": title, "first": first},
        right=right.value,
        columns=[label_title, value_title],
        rows=[[label, v] for label, v, _href in rows],
    )
    lines = [Line([label, Cell(said(v), href)], href) for label, v, href in rows]
    return _chart(drawing, note, [], lines)


def distribution(
    title: str,
    bins: Sequence[tuple[float, float, float, str]],
    *,
    x_title: str,
    y_title: str,
    right: Right,
    said: Said = number,
    note: str = "",
) -> Chart:
    """How often each range of values occurs: (from, to, n, href)."""
    bins = [(a, b, n, _local(href)) for a, b, n, href in bins]
    ranges = [_("%(low)s to %(high)s") % {"low": said(a), "high": said(b)} for a, b, _n, _h in bins]
    drawn = [(a, b, n, h, f"{r}: {number(n)}") for (a, b, n, h), r in zip(bins, ranges, strict=True)]
    most = max(range(len(bins)), key=lambda i: bins[i][2], default=0)
    words = {"x_title": x_title, "y_title": y_title, "colour": "series-1"}
    drawing = render.Drawing(
        wide=shapes.distribution(drawn, width=manner.WIDE_PX, **words),
        narrow=shapes.distribution(drawn, width=manner.NARROW_PX, **words),
        language=_language(),
        title=title,
        alt=_("%(title)s. Most frequent: %(range)s, %(n)s.")
        % {
            "title": title,
            "range": ranges[most] if bins else NONE,
            "n": number(bins[most][2]) if bins else NONE,
        },
        right=right.value,
        columns=[x_title, y_title],
        rows=[[r, n] for (_a, _b, n, _h), r in zip(bins, ranges, strict=True)],
    )
    lines = [Line([r, Cell(number(n), h)], h) for (_a, _b, n, h), r in zip(bins, ranges, strict=True)]
    return _chart(drawing, note, [], lines)


def crossed(
    title: str,
    cells: Sequence[tuple[int, int, int, str, str]],
    *,
    x_labels: Sequence[str],
    y_labels: Sequence[str],
    x_title: str,
    y_title: str,
    right: Right,
    alt: str,
    note: str = "",
    legend: Sequence[tuple[str, str]] = (),
) -> Chart:
    """How many lie in each field of two scales in bands: (x, y, n, colour, href); `legend` pairs label and colour."""
    found = {(x, y): (n, _local(href)) for x, y, n, _c, href in cells}
    drawn = [
        (x, y, n, c, _local(h), f"{x_title} {x_labels[x]}, {y_title} {y_labels[y]}: {number(n)}")
        for x, y, n, c, h in cells
        if n
    ]
    words: dict[str, Any] = {
        "x_labels": x_labels,
        "y_labels": y_labels,
        "x_title": x_title,
        "y_title": y_title,
    }
    drawing = render.Drawing(
        wide=shapes.crossed(drawn, width=manner.FULL_PX, **words),
        narrow=shapes.crossed(drawn, width=manner.NARROW_PX, **words),
        language=_language(),
        title=title,
        alt=alt,
        right=right.value,
        columns=[f"{x_title} / {y_title}", *y_labels],
        rows=[
            [label, *(found.get((x, y), (0, ""))[0] for y in range(len(y_labels)))]
            for x, label in enumerate(x_labels)
        ],
    )
    lines = []
    for x, label in enumerate(x_labels):
        row = [found.get((x, y), (0, "")) for y in range(len(y_labels))]
        lines.append(Line([label, *(Cell(number(n), href if n else "") for n, href in row)]))
    return _chart(drawing, note, [Swatch(label, _swatch(colour)) for label, colour in legend], lines)


@dataclass(frozen=True, slots=True)
class Agreement:
    """A group of people: what was said of them, what was seen with its interval, and how many they are."""

    said: float
    seen: float
    n: int
    low: float | None = None
    high: float | None = None


def agreement(
    title: str,
    groups: Sequence[Agreement],
    *,
    x_title: str,
    y_title: str,
    right: Right,
    said: Said = number,
    note: str = "",
    as_percent: bool = False,
) -> Chart:
    """What was said beside what was seen, group by group, and the line on which they agree."""
    seen_words = [_spanned(g.seen, g.low, g.high, said) for g in groups]
    drawn: list[diagonal.Agreement] = [
        (g.said, g.seen, g.low, g.high, f"{x_title} {said(g.said)}, {y_title} {words} ({number(g.n)})")
        for g, words in zip(groups, seen_words, strict=True)
    ]
    wording = {"x_title": x_title, "y_title": y_title, "colour": "series-1"}
    listed = "; ".join(f"{said(g.said)}: {words}" for g, words in zip(groups, seen_words, strict=True))
    drawing = render.Drawing(
        wide=diagonal.diagonal(drawn, width=manner.WIDE_PX, as_percent=as_percent, **wording),
        narrow=diagonal.diagonal(drawn, width=manner.NARROW_PX, as_percent=as_percent, **wording),
        language=_language(),
        title=title,
        alt=_("%(title)s. Said, then seen: %(listed)s.") % {"title": title, "listed": listed},
        right=right.value,
        columns=[x_title, y_title, _("Low"), _("High"), _("How many")],
        rows=[[g.said, g.seen, g.low, g.high, g.n] for g in groups],
    )
    lines = [
        Line([said(g.said), Cell(said(g.seen)), Cell(said(g.low)), Cell(said(g.high)), Cell(number(g.n))])
        for g in groups
    ]
    return _chart(drawing, note, [], lines)


def _chart(
    drawing: render.Drawing,
    note: str,
    legend: list[Swatch],
    lines: list[Line],
    *,
    names_its_lines: bool = False,
) -> Chart:
    return Chart(
        key=render.keep(drawing),
        title=drawing.title,
        note=note,
        alt=drawing.alt,
        wide=render.inline(drawing),
        narrow=render.inline(drawing, narrow=True),
        legend=legend,
        columns=drawing.columns,
        lines=lines,
        names_its_lines=names_its_lines,
    )


def _spanned(value: float | None, low: float | None, high: float | None, said: Said) -> str:
    if low is None or high is None:
        return said(value)
    return _("%(low)s to %(high)s, likely %(likely)s") % {
        "low": said(low),
        "high": said(high),
        "likely": said(value),
    }


def _worded(point: Point, label: str, said: Said) -> Point:
    figure = _spanned(point.y, point.low, point.high, said)
    words = f"{day_text(point.x)}, {label}: {figure}" if label else f"{day_text(point.x)}: {figure}"
    return dataclasses.replace(point, said=words)


def _local(href: str) -> str:
    """A link within these screens, or none: what a chart shows may have come from outside."""
    return href if href.startswith("/") and not href.startswith(("//", "/\\")) else ""


def _alt_over_time(
    title: str, points: Sequence[Point], shown: Sequence[Series], said: Said, gaps: Sequence[Gap]
) -> str:
    sentences = [f"{title}."]
    for one in shown:
        seen = [p for p in points if p.series == one.key and p.y is not None]
        if not seen:
            continue
        low, high = min(seen, key=lambda p: p.y or 0), max(seen, key=lambda p: p.y or 0)
        last = max(seen, key=lambda p: p.x)
        sentences.append(
            _("%(name)s: lowest %(low)s on %(low_day)s, highest %(high)s on %(high_day)s, last %(last)s.")
            % {
                "name": one.label or _("Figures"),
                "low": said(low.y),
                "low_day": day_text(low.x),
                "high": said(high.y),
                "high_day": day_text(high.x),
                "last": said(last.y),
            }
        )
    told = {
        _("No coverage from %(first)s to %(last)s: %(reason)s.")
        % {"first": day_text(_day(g.first)), "last": day_text(_day(g.last)), "reason": g.reason}: None
        for g in gaps
    }
    sentences += list(told)[-GAPS_TOLD:]
    if len(told) > GAPS_TOLD:
        sentences.append(_("And %(n)s gaps before that.") % {"n": number(len(told) - GAPS_TOLD)})
    return " ".join(sentences)


def _day(at: dt.date) -> dt.date:
    return at.date() if isinstance(at, dt.datetime) else at


def _swatch(colour: str) -> str:
    return colour.replace("series-", "s")


def _language() -> str:
    return (translation.get_language() or "en").split("-")[0]
