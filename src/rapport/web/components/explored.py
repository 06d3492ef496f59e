"""Answers to questions as the screens show them: what was found in a sentence, a chart that fits, a table."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.explore.rules import catalogue, periods
from rapport.explore.rules.answers import Answer, Number
from rapport.explore.rules.periods import Span
from rapport.explore.rules.question import Asked, Figures, Question, document
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.components import exploring, formats

SERIES_MOST = 6
CURRENCIES_MOST = 3
HEAT_STEPS = 5
OTHER = "other"
BEFORE = "before"
NOW = "now"


@dataclass(frozen=True, slots=True)
class Cell:
    """One number in a table: how it reads, what is behind it, and how deep it is coloured."""

    text: str
    href: str = ""
    note: str = ""
    heat: int = 0


@dataclass(frozen=True, slots=True)
class TableRow:
    head: str
    cells: list[Cell]
    is_total: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table behind a chart, or instead of one."""

    title: str
    head: str
    columns: list[str]
    rows: list[TableRow]
    is_heat: bool = False
    n_words: int = 0  # of the first columns after the head: words, and no numbers


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer on screen."""

    finding: str = ""
    charts: list[charts.Chart] = field(default_factory=list)
    cards: list[tuple[str, Cell, str]] = field(default_factory=list)  # label, value, note
    tables: list[Table] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    is_empty: bool = False


Key = tuple[int, tuple[str, ...] | None, dt.date | None, bool, str]


def behind_url(
    question: Question,
    measure: int,
    *,
    groups: Sequence[str] | None = None,
    bucket: dt.date | None = None,
    is_before: bool = False,
    currency: str = "",
) -> str:
    """Where the events and people behind one number are."""
    asked: list[tuple[str, str]] = [("q", written(question)), ("m", str(measure))]
    if groups is not None:
        asked += [("g", value) for value in groups]
    if bucket:
        asked.append(("b", bucket.isoformat()))
    if is_before:
        asked.append(("side", BEFORE))
    if currency:
        asked.append(("c", currency))
    return f"{reverse('explore_behind')}?{urlencode(asked)}"


def written(question: Question) -> str:
    """A question as an address carries it."""
    return json.dumps(document(question), ensure_ascii=False, separators=(",", ":"))


class Figured:
    """The numbers of an answer about figures, found by what they are of."""

    def __init__(self, answer: Answer, full_width: bool = True) -> None:
        self.full_width = full_width
        assert isinstance(answer.question, Figures)
        self.answer = answer
        self.question = answer.question
        self.numbers: dict[Key, Number] = {}
        for row in answer.rows:
            assert isinstance(row, Number)
            self.numbers[row.measure, row.groups, row.bucket, row.is_before, row.currency] = row
        self.groups = list(dict.fromkeys(n.groups for n in self.numbers.values() if n.groups is not None))
        self.now, self.earlier = self._buckets()

    def _buckets(self) -> tuple[list[dt.date], list[dt.date]]:
        answer, grain = self.answer, self.question.grain
        if not grain:
            return [], []
        if answer.first_day and answer.last_day:
            now = periods.buckets(Span(answer.first_day, answer.last_day), grain)
        else:
            seen = [n.bucket for n in self.numbers.values() if n.bucket]
            now = periods.buckets(Span(min(seen), max(seen)), grain) if seen else []
        before = periods.buckets(Span(*answer.before), grain) if answer.before else []
        return now, before

    def shown(self) -> list[tuple[int, Asked, catalogue.Measure, str]]:
        """Each measure in each of its currencies, the largest first."""
        found = []
        for at, asked in enumerate(self.question.measures):
            measured = catalogue.measure(asked.measure)
            sizes: dict[str, int] = {}
            for n in self.numbers.values():
                if n.measure == at and n.groups is None and n.bucket is None:
                    sizes[n.currency] = max(sizes.get(n.currency, 0), abs(n.top or 0))
            currencies = sorted(sizes, key=lambda c: (-sizes[c], c)) or [""]
            found += [(at, asked, measured, c) for c in currencies[:CURRENCIES_MOST]]
        return found

    def number(
        self,
        at: int,
        currency: str,
        groups: tuple[str, ...] | None = None,
        bucket: dt.date | None = None,
        is_before: bool = False,
    ) -> Number | None:
        return self.numbers.get((at, groups, bucket, is_before, currency))

    def value(self, at: int, currency: str, **of: Any) -> float | None:
        """A figure; what was counted and is not there is zero, what is divided by nothing is nothing."""
        measured = catalogue.measure(self.question.measures[at].measure)
        number = self.number(at, currency, **of)
        if number is None:
            return None if measured.over else 0
        if number.is_hidden:
            return None
        return number.value(measured) if number.top is not None or measured.over else 0

    def cell(self, at: int, currency: str, *, heat: int = 0, with_currency: bool = False, **of: Any) -> Cell:
        """A figure as a cell that leads to what is behind it; its column names the currency."""
        measured = catalogue.measure(self.question.measures[at].measure)
        number = self.number(at, currency, **of)
        if number is not None and number.is_hidden:
            return Cell(_("fewer than 5"))
        value = self.value(at, currency, **of)
        text = exploring.said(measured, currency)(value)
        if not with_currency:
            text = text.removesuffix(f"{formats.NBSP}{currency}")
        if number is None or value is None:
            return Cell(text)
        note = ""
        if measured.unit == "ratio" and number.over:
            note = _("%(part)s of %(whole)s") % {
                "part": formats.number(number.top),
                "whole": formats.number(number.over),
            }
        href = behind_url(
            self.question,
            at,
            groups=of.get("groups"),
            bucket=of.get("bucket"),
            is_before=of.get("is_before", False),
            currency=currency,
        )
        return Cell(text, href, note, heat)

    def label(self, groups: Sequence[str]) -> str:
        names = zip(self.question.by, groups, strict=True)
        return " · ".join(exploring.group(name, value) for name, value in names)

    def in_order(self) -> list[tuple[str, ...]]:
        """The groups, largest first, or in the order that their values have of their own."""
        if self.question.by and self.question.by[0] in exploring.ORDERED:
            return sorted(self.groups)
        return self.groups


def shown(answer: Answer, *, full_width: bool = True) -> Shown:
    """An answer about figures on screen."""
    figured = Figured(answer, full_width)
    question = figured.question
    measures = figured.shown()
    if not any(n.top or n.over or n.is_hidden for n in figured.numbers.values()):
        return Shown(is_empty=True, notes=notes(answer))
    drawn: list[charts.Chart] = []
    tables: list[Table] = []
    cards: list[tuple[str, Cell, str]] = []
    if question.grain:
        drawn = [_over_time(figured, *one) for one in measures]
        tables = _time_tables(figured, measures)
    elif len(question.by) == 2:
        tables = [_crossed(figured, *one) for one in measures]
    elif question.by:
        drawn = [_ranked(figured, *one) for one in measures]
        tables = [_group_table(figured, measures)]
    else:
        cards = [
            (
                exploring.measure(asked),
                figured.cell(at, currency, with_currency=True),
                _changed(figured, at, currency),
            )
            for at, asked, _measured, currency in measures
        ]
    return Shown(
        finding=_finding(figured, *measures[0]) if measures else "",
        charts=[c for c in drawn if c],
        cards=cards,
        tables=tables,
        notes=notes(answer),
    )


def notes(answer: Answer) -> list[str]:
    """What must be known to read an answer rightly."""
    question = answer.question
    said = []
    if isinstance(question, Figures):
        if answer.n_groups > question.most:
            said.append(
                _("The %(shown)s largest of %(all)s groups are shown; totals are of all.")
                % {"shown": formats.number(question.most), "all": formats.number(answer.n_groups)}
            )
        if len({n.currency for n in answer.rows if isinstance(n, Number) and n.currency}) > 1:
            said.append(_("Each currency stands for itself; amounts in different ones are never added."))
        names = [*question.by, *(c.dimension for c in question.where)]
        if any(catalogue.split(n)[0].is_line for n in names):
            said.append(
                _(
                    "An order with several categories or products counts in each; its amounts are those of its lines."
                )
            )
    if answer.reads_people:
        text = _("People are told apart under the purpose “analytics”.")
        if answer.n_left_out:
            text += " " + _("%(n)s identifiers of people who refuse it are left out.") % {
                "n": formats.number(answer.n_left_out)
            }
        said.append(text)
    if answer.hides_few:
        said.append(_("What is about fewer than five people is not shown."))
    zone = answer.zone.replace("_", " ")
    said.append(_("Days begin at midnight in %(zone)s.") % {"zone": zone})
    return said


def _finding(figured: Figured, at: int, asked: Asked, measured: catalogue.Measure, currency: str) -> str:
    total = figured.value(at, currency)
    return _("%(measure)s %(period)s: %(total)s%(change)s") % {
        "measure": exploring.measure(asked),
        "period": exploring.period(figured.question.period),
        "total": exploring.said(measured, currency)(total),
        "change": _changed(figured, at, currency, joint=", "),
    }


def _changed(figured: Figured, at: int, currency: str, *, joint: str = "", **of: Any) -> str:
    """How a figure compares with the period before, in words."""
    if not figured.question.compare:
        return ""
    measured = catalogue.measure(figured.question.measures[at].measure)
    now, before = figured.value(at, currency, **of), figured.value(at, currency, is_before=True, **of)
    if now is None or before is None:
        return ""
    text = difference(measured, now, before)
    if not before and measured.unit not in ("ratio", "nps"):
        return joint + _("none before")
    said = exploring.said(measured, currency)(before)
    return joint + _("%(difference)s against %(before)s before") % {"difference": text, "before": said}


def difference(measured: catalogue.Measure, now: float, before: float) -> str:
    """By how much: in percent, or in points of a share."""
    if measured.unit in ("ratio", "nps"):
        points = (now - before) * (100 if measured.unit == "ratio" else 1)
        return _("%(sign)s%(n)s points") % {"sign": _sign(points), "n": formats.number(abs(points), 1)}
    if not before:
        return _("new") if now else formats.NONE
    ratio = (now - before) / abs(before)
    return f"{_sign(ratio)}{formats.percent(abs(ratio), 0 if abs(ratio) >= 0.1 else 1)}"


def _sign(value: float) -> str:
    return "+" if value > 0 else "−" if value < 0 else "±"


def _over_time(figured: Figured, at: int, asked: Asked, measured: catalogue.Measure, currency: str) -> Any:
    question, grain = figured.question, figured.question.grain
    say = exploring.said(measured, currency)
    points: list[charts.Point] = []

    def point(x: dt.date, series: str, **of: Any) -> None:
        value = figured.value(at, currency, **of)
        there = figured.number(at, currency, **of) is not None
        href = (
            behind_url(
                question,
                at,
                groups=of.get("groups"),
                bucket=of["bucket"],
                currency=currency,
                is_before=of.get("is_before", False),
            )
            if there and value is not None
            else ""
        )
        points.append(charts.Point(x, exploring.drawn(measured, currency, value), series, href=href))

    kind = "lines"
    if question.by:
        chosen = figured.groups[:SERIES_MOST]
        adds_up = not measured.over and not measured.is_distinct and not figured.answer.hides_few
        kind = "bars" if adds_up and not question.compare else "lines"
        if kind == "bars" and figured.answer.n_groups > SERIES_MOST:
            chosen = chosen[: SERIES_MOST - 1]
        series = [(str(i), figured.label(g)) for i, g in enumerate(chosen)]
        for x in figured.now:
            for i, g in enumerate(chosen):
                point(x, str(i), groups=g, bucket=x)
        if kind == "bars" and figured.answer.n_groups > len(chosen):
            series.append((OTHER, _("Other")))
            for x in figured.now:
                all_ = figured.value(at, currency, bucket=x) or 0
                rest = all_ - sum(figured.value(at, currency, groups=g, bucket=x) or 0 for g in chosen)
                points.append(charts.Point(x, exploring.drawn(measured, currency, rest), OTHER))
        # A line through groups of a share says nothing where a bar would stack it.
        if any(p.y is not None and p.y < 0 for p in points):
            kind = "lines"
    elif question.compare:
        series = [(NOW, _("now")), (BEFORE, _("before"))]
        for i, x in enumerate(figured.now):
            point(x, NOW, bucket=x)
            if i < len(figured.earlier):
                point(x, BEFORE, bucket=figured.earlier[i], is_before=True)
    else:
        series = [("", "")]
        kind = "lines" if measured.over else "bars"
        for x in figured.now:
            point(x, "", bucket=x)
    scale = 10 ** -_places(currency) if measured.is_money else 1
    return charts.over_time(
        kind,
        _time_title(figured, at, asked, measured, currency),
        points,
        charts.series(*series),
        y_title=exploring.axis(asked, currency),
        x_title=str({"day": _("Day"), "week": _("Week from"), "month": _("Month")}[grain]),
        right=Right.SEE_EXPLORE,
        said=lambda v: say(None if v is None else v / scale),
        as_percent=measured.unit == "ratio",
        full_width=figured.full_width,
        note=_("Dates of the period before are moved onto those of this one.")
        if question.compare and not question.by
        else "",
    )


def _time_title(figured: Figured, at: int, asked: Asked, measured: catalogue.Measure, currency: str) -> str:
    title = _finding(figured, at, asked, measured, currency)
    question = figured.question
    if question.by and figured.groups:
        first = figured.groups[0]
        value = figured.value(at, currency, groups=first)
        if value is not None:
            title += (
                _("; most of it %(group)s") % {"group": figured.label(first)} if not measured.over else ""
            )
        return title
    seen = [(figured.value(at, currency, bucket=x), x) for x in figured.now]
    values = [(v, x) for v, x in seen if v is not None]
    if len(values) > 1 and not question.compare:
        high, day = max(values, key=lambda pair: pair[0])
        title += _("; highest %(bucket)s with %(value)s") % {
            "bucket": exploring.bucket(day, question.grain),
            "value": exploring.said(measured, currency)(high),
        }
    return title


def _ranked(figured: Figured, at: int, asked: Asked, measured: catalogue.Measure, currency: str) -> Any:
    say = exploring.said(measured, currency)
    bars = []
    for g in figured.in_order():
        value = figured.value(at, currency, groups=g)
        if value is None:
            continue
        drawn = exploring.drawn(measured, currency, value) or 0.0
        bars.append((figured.label(g), drawn, behind_url(figured.question, at, groups=g, currency=currency)))
    scale = 10 ** -_places(currency) if measured.is_money else 1
    is_scale = figured.question.by[0] in exploring.ORDERED
    if not is_scale:
        bars.sort(key=lambda bar: -bar[1])
    return charts.ranked(
        _ranked_title(figured, at, asked, measured, currency),
        bars,
        label_title=exploring.dimension(figured.question.by[0]),
        value_title=exploring.axis(asked, currency),
        right=Right.SEE_EXPLORE,
        said=lambda v: say(None if v is None else v / scale),
        full_width=figured.full_width,
        is_scale=is_scale,
    )


def _ranked_title(figured: Figured, at: int, asked: Asked, measured: catalogue.Measure, currency: str) -> str:
    valued = [(figured.value(at, currency, groups=g), g) for g in figured.groups]
    known = [(v, g) for v, g in valued if v is not None]
    if not known:
        return _finding(figured, at, asked, measured, currency)
    high, first = max(known, key=lambda pair: pair[0])
    total = figured.value(at, currency)
    words = {
        "measure": exploring.measure(asked),
        "group": figured.label(first),
        "value": exploring.said(measured, currency)(high),
    }
    if total and not measured.over and not measured.is_distinct and 0 < high <= total:
        return _("%(measure)s: %(group)s leads with %(value)s, %(share)s of all") % {
            **words,
            "share": formats.percent(high / total),
        }
    return _("%(measure)s: %(group)s is highest with %(value)s") % words


def _columns(figured: Figured, measures: Sequence[Any]) -> list[str]:
    columns = []
    for _at, asked, _measured, currency in measures:
        columns.append(exploring.axis(asked, currency))
        if figured.question.compare:
            columns += [_("Before"), _("Change")]
    return columns


def _cells(
    figured: Figured, measures: Sequence[Any], *, earlier: dt.date | None = None, **of: Any
) -> list[Cell]:
    cells = []
    for at, _asked, measured, currency in measures:
        cells.append(figured.cell(at, currency, **of))
        if figured.question.compare:
            there = {**of, "bucket": earlier} if "bucket" in of else of
            if "bucket" in of and earlier is None:
                cells += [Cell(formats.NONE), Cell(formats.NONE)]
                continue
            cells.append(figured.cell(at, currency, is_before=True, **there))
            now = figured.value(at, currency, **of)
            before = figured.value(at, currency, is_before=True, **there)
            text = formats.NONE if now is None or before is None else difference(measured, now, before)
            cells.append(Cell(text))
    return cells


def _time_tables(figured: Figured, measures: Sequence[Any]) -> list[Table]:
    question = figured.question
    head = {"day": _("Day"), "week": _("Week"), "month": _("Month")}[question.grain]
    if not question.by:
        rows = [
            TableRow(
                exploring.bucket(x, question.grain),
                _cells(
                    figured,
                    measures,
                    bucket=x,
                    earlier=figured.earlier[i] if i < len(figured.earlier) else None,
                ),
            )
            for i, x in enumerate(figured.now)
        ]
        rows.reverse()
        rows.append(TableRow(_("Together"), _cells(figured, measures), is_total=True))
        return [Table("", head, _columns(figured, measures), rows)]
    tables = []
    for at, asked, _measured, currency in measures:
        columns = [_("All"), *(figured.label(g) for g in figured.groups)]
        rows = [
            TableRow(
                exploring.bucket(x, question.grain),
                [
                    figured.cell(at, currency, bucket=x),
                    *(figured.cell(at, currency, groups=g, bucket=x) for g in figured.groups),
                ],
            )
            for x in reversed(figured.now)
        ]
        total = [figured.cell(at, currency), *(figured.cell(at, currency, groups=g) for g in figured.groups)]
        rows.append(TableRow(_("Together"), total, is_total=True))
        tables.append(Table(exploring.axis(asked, currency), head, columns, rows))
    if question.compare:
        tables.append(_group_table(figured, measures))
    return tables


def _group_table(figured: Figured, measures: Sequence[Any]) -> Table:
    head = " · ".join(_upper(exploring.dimension(name)) for name in figured.question.by)
    rows = [TableRow(figured.label(g), _cells(figured, measures, groups=g)) for g in figured.in_order()]
    rows.append(TableRow(_("All"), _cells(figured, measures), is_total=True))
    return Table("", head, _columns(figured, measures), rows)


def _crossed(figured: Figured, at: int, asked: Asked, _measured: catalogue.Measure, currency: str) -> Table:
    """Two dimensions crossed: the deeper the colour, the more."""
    down, across = figured.question.by
    heads = _axis_values(figured, down, 0)
    columns = _axis_values(figured, across, 1)
    values = [figured.value(at, currency, groups=g) for g in figured.groups]
    most = max((v for v in values if v is not None), default=0)
    rows = []
    for head in heads:
        cells = []
        for column in columns:
            pair = (head, column)
            if figured.number(at, currency, groups=pair) is None:
                cells.append(Cell(formats.NONE))
                continue
            heat = depth(figured.value(at, currency, groups=pair), most)
            cells.append(figured.cell(at, currency, groups=pair, heat=heat))
        rows.append(TableRow(exploring.group(down, head), cells))
    return Table(
        exploring.axis(asked, currency),
        _upper(exploring.dimension(down)),
        [exploring.group(across, c) for c in columns],
        rows,
        is_heat=True,
    )


def _axis_values(figured: Figured, name: str, at: int) -> list[str]:
    values = list(dict.fromkeys(g[at] for g in figured.groups))
    return sorted(values) if name in exploring.ORDERED else values


def depth(value: float | None, most: float) -> int:
    """How deep a cell is coloured: 0 to 5."""
    if not value or most <= 0 or value < 0:
        return 0
    return min(HEAT_STEPS, 1 + int(HEAT_STEPS * value / most * 0.999))


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]


def _places(currency: str) -> int:
    from rapport.kit import money

    return money.exponent(currency)
