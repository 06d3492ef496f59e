"""Answers about who came back, steps and ways as the screens show them."""

from __future__ import annotations

import csv
import datetime as dt
import io
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from rapport.explore.rules import answers
from rapport.explore.rules.answers import Answer, Reached, Returned, Walked
from rapport.explore.rules.question import Cohorts, Figures, Funnel, Paths
from rapport.staff.rules import Right
from rapport.web import charts
from rapport.web.charts import render
from rapport.web.components import explored, exploring, formats
from rapport.web.components.explored import Cell, Shown, Table, TableRow, depth, notes, written

SHARE_MOST = 1.0


def shown(answer: Answer, *, full_width: bool = True) -> Shown:
    """Any answer on screen; drawn half as wide for a card."""
    if isinstance(answer.question, Figures):
        return explored.shown(answer, full_width=full_width)
    if isinstance(answer.question, Cohorts):
        return _cohorts(answer, answer.question, full_width)
    if isinstance(answer.question, Funnel):
        return _funnel(answer, answer.question, full_width)
    return _paths(answer, answer.question, full_width)


def _people_url(question: Cohorts | Funnel, **of: str) -> str:
    return f"{reverse('explore_people')}?{urlencode({'q': written(question), **of})}"


def _cohorts(answer: Answer, question: Cohorts, full_width: bool) -> Shown:
    rows = [r for r in answer.rows if isinstance(r, Returned)]
    by_cohort: dict[dt.date, dict[int, int | None]] = {}
    for r in rows:
        by_cohort.setdefault(r.cohort, {})[r.step] = r.n
    if not by_cohort:
        return Shown(is_empty=True, notes=notes(answer))
    # A unit that is not over yet has not had its time: it is left empty, not low.
    last = answer.as_of.date()
    steps = min(question.n, max(_units(c, last, question.unit) for c in by_cohort))
    table = []
    shares: dict[int, list[tuple[int, int]]] = {}
    for cohort, found in sorted(by_cohort.items(), reverse=True):
        size = found.get(0)
        url = _people_url(question, cohort=cohort.isoformat(), step="0")
        cells = [Cell(_("fewer than 5")) if size is None else Cell(formats.number(size), url)]
        for step in range(1, steps + 1):
            if step > _units(cohort, last, question.unit) or size is None:
                cells.append(Cell(""))
                continue
            n = found.get(step, 0) or 0
            share = n / size
            is_over = step < _units(cohort, last, question.unit)
            if is_over:
                shares.setdefault(step, []).append((n, size))
            href = _people_url(question, cohort=cohort.isoformat(), step=str(step)) if n else ""
            note = formats.number(n) if is_over else _("%(n)s so far") % {"n": formats.number(n)}
            cells.append(Cell(formats.percent(share), href, note, depth(share, SHARE_MOST * 0.6)))
        table.append(TableRow(exploring.bucket(cohort, question.unit), cells))
    unit = _("month") if question.unit == "month" else _("week")
    columns = [_("Began"), *(_("%(unit)s %(n)s") % {"unit": unit, "n": n} for n in range(1, steps + 1))]
    heads = {"month": _("Month of the first"), "week": _("Week of the first")}
    chart = _retention(question, shares, full_width)
    return Shown(
        finding=chart.title if chart else "",
        charts=[chart] if chart else [],
        tables=[Table("", heads[question.unit], columns, table, is_heat=True)],
        notes=notes(answer),
    )


def _retention(
    question: Cohorts, shares: dict[int, list[tuple[int, int]]], full_width: bool
) -> charts.Chart | None:
    """The share of everybody who came back in each unit after they began, over all cohorts."""
    bars = []
    for step, found in sorted(shares.items()):
        whole = sum(size for _n, size in found)
        if whole:
            bars.append((step, sum(n for n, _size in found) / whole))
    if not bars:
        return None
    unit = _("month") if question.unit == "month" else _("week")
    template = (
        _("%(share)s come back in the month after they began")
        if question.unit == "month"
        else _("%(share)s come back in the week after they began")
    )
    return charts.ranked(
        template % {"share": formats.percent(bars[0][1], 0 if bars[0][1] >= 0.1 else 1)},
        [(_("%(unit)s %(n)s") % {"unit": unit, "n": step}, share, "") for step, share in bars],
        label_title=unit,
        value_title=_("Share who came back, of those who had the time"),
        right=Right.SEE_EXPLORE,
        said=lambda v: formats.percent(v, 0 if v is not None and v >= 0.1 else 1),
        full_width=full_width,
        is_scale=True,
    )


def _units(first: dt.date, last: dt.date, unit: str) -> int:
    """How many units lie between a cohort and now; the last of them is still running."""
    if unit == "month":
        return 12 * (last.year - first.year) + last.month - first.month
    return (last - first).days // 7


def _funnel(answer: Answer, question: Funnel, full_width: bool) -> Shown:
    rows = [r for r in answer.rows if isinstance(r, Reached)]
    found: dict[str | None, dict[int, Reached]] = {}
    for r in rows:
        found.setdefault(r.group, {})[r.step] = r
    all_ = found.get(None, {})
    if 0 not in all_ or all_[0].n == 0:
        return Shown(is_empty=True, notes=notes(answer))
    counts = [all_[k].n if k in all_ else 0 for k in range(len(question.steps))]
    begun, last = counts[0], counts[-1]
    names = [exploring.step(s) for s in question.steps]
    bars = []
    for k, name in enumerate(names):
        n = counts[k]
        if n is not None:
            bars.append((f"{k + 1}. {name}", float(n), _people_url(question, step=str(k))))
    title = exploring.sentence(question)
    if begun and last is not None:
        title = _("%(share)s go all the way: %(last)s of %(first)s people") % {
            "share": formats.percent(last / begun, 0 if last / begun >= 0.1 else 1),
            "last": formats.number(last),
            "first": formats.number(begun),
        }
    chart = charts.ranked(
        title,
        bars,
        label_title=_("Step"),
        value_title=_("People"),
        right=Right.SEE_EXPLORE,
        full_width=full_width,
        is_scale=True,
        note=_("People, each once: their best attempt, within %(days)s days from its first step.")
        % {"days": f"{question.within_days:g}"},
    )
    tables = [_steps_table(question, names, counts, all_)]
    groups = [g for g in found if g is not None]
    if groups:
        tables.append(_by_table(question, names, found, groups))
    return Shown(finding=title, charts=[chart] if bars else [], tables=tables, notes=notes(answer))


def _steps_table(
    question: Funnel, names: list[str], counts: list[int | None], all_: dict[int, Reached]
) -> Table:
    rows = []
    begun = counts[0]
    for k, name in enumerate(names):
        here = all_.get(k)
        n, previous = counts[k], counts[k - 1] if k else None
        # Where one of two is hidden, what lies between them would tell it.
        lost = None if n is None or previous is None else previous - n
        url = _people_url(question, step=str(k)) if n else ""
        left_url = _people_url(question, step=str(k - 1), left="1") if lost else ""
        rows.append(
            TableRow(
                f"{k + 1}. {name}",
                [
                    Cell(_("fewer than 5") if n is None else formats.number(n), url),
                    Cell(formats.percent(n / begun) if begun and n is not None else formats.NONE),
                    Cell(formats.percent(n / previous) if previous and n is not None else formats.NONE),
                    Cell(formats.NONE if lost is None else formats.number(lost), left_url),
                    Cell(
                        formats.duration(here.middle_s)
                        if k and here and here.middle_s is not None
                        else formats.NONE
                    ),
                ],
            )
        )
    columns = [
        _("People"),
        _("Of the first"),
        _("Of the step before"),
        _("Went no further"),
        _("Half took less than"),
    ]
    return Table("", _("Step"), columns, rows)


def _by_table(
    question: Funnel, names: list[str], found: dict[str | None, dict[int, Reached]], groups: list[str]
) -> Table:
    rows = []
    for group in groups:
        begun = found[group][0].n if 0 in found[group] else 0
        cells = []
        for k in range(len(names)):
            here = found[group].get(k)
            n = here.n if here else 0
            if n is None or begun is None:
                cells.append(Cell(_("fewer than 5")))
                continue
            href = _people_url(question, step=str(k), group=group) if n else ""
            note = formats.percent(n / begun) if k and begun else ""
            heat = depth(n / begun, 1.0) if k and begun else 0
            cells.append(Cell(formats.number(n), href, note, heat))
        rows.append(TableRow(exploring.group(question.by, group), cells))
    head = exploring.dimension(question.by)
    return Table(
        "", head[:1].upper() + head[1:], [f"{k + 1}. {n}" for k, n in enumerate(names)], rows, is_heat=True
    )


def _paths(answer: Answer, question: Paths, full_width: bool) -> Shown:
    rows = [r for r in answer.rows if isinstance(r, Walked)]
    if not rows:
        return Shown(is_empty=True, notes=notes(answer))
    nothing = _("nothing more") if question.direction == "after" else _("nothing before")
    total = answer.n_all or sum(r.n for r in rows)
    nexts: dict[str, int] = {}
    for r in rows:
        nexts[r.places[1]] = nexts.get(r.places[1], 0) + r.n
    first = max(nexts, key=lambda place: nexts[place])
    named = {
        place: exploring.place(question, place) if place else nothing for r in rows for place in r.places
    }
    template = (
        _("After “%(what)s”, most often: %(next)s (%(share)s)")
        if question.direction == "after"
        else _("Before “%(what)s”, most often: %(next)s (%(share)s)")
    )
    title = template % {
        "what": exploring.step(question.around),
        "next": named[first],
        "share": formats.percent(nexts[first] / total) if total else formats.NONE,
    }
    chart = charts.ranked(
        title,
        [(named[p], float(n), "") for p, n in sorted(nexts.items(), key=lambda one: -one[1])],
        label_title=_("Next") if question.direction == "after" else _("Before that"),
        value_title=_("How often"),
        right=Right.SEE_EXPLORE,
        full_width=full_width,
        note=_("Of the ways listed below, %(listed)s of %(all)s times.")
        % {"listed": formats.number(sum(r.n for r in rows)), "all": formats.number(total)},
    )
    n_steps = max(len(r.places) for r in rows) - 1
    table = []
    for r in rows:
        ended = not r.places[1]
        cells = []
        for place in r.places[2:]:
            cells.append(Cell("" if ended else named[place] if place else nothing))
            ended = ended or not place
        url = f"{reverse('explore_people')}?{urlencode([('q', written(question)), *(('place', p) for p in r.places)])}"
        cells.append(Cell(formats.number(r.n), url))
        cells.append(Cell(formats.percent(r.n / total, 0 if r.n / total >= 0.1 else 1)))
        table.append(TableRow(named[r.places[1]], cells))
    then = _("Then") if question.direction == "after" else _("Before that")
    columns = [*([then] * (n_steps - 1)), _("Times"), _("Share")]
    head = (_("After “%(what)s”") if question.direction == "after" else _("Before “%(what)s”")) % {
        "what": exploring.step(question.around)
    }
    return Shown(
        finding=title,
        charts=[chart],
        tables=[Table("", head, columns, table, n_words=n_steps - 1)],
        notes=[
            *notes(answer),
            _("A way ends after 30 minutes without anything; the same thing twice in a row is told once."),
        ],
    )


def as_csv(answer: Answer) -> str:
    """Every number of an answer, one a row, in whole parts: money in minor units, a share as one number over another."""
    document = answers.as_json(answer)
    out = io.StringIO()
    writer = csv.writer(out)
    question = answer.question
    by = question.by if isinstance(question, Figures) else ()
    wide = {"groups": len(by), "places": question.steps + 1 if isinstance(question, Paths) else 0}
    heads: list[str] = []
    for column in document["columns"]:
        names = list(by) if column == "groups" else [f"place_{i}" for i in range(wide.get(column, 0))]
        heads += names if column in wide else [column]
    writer.writerow(heads)
    for row in document["rows"]:
        cells: list[Any] = []
        for column, value in zip(document["columns"], row, strict=True):
            if column in wide:
                cells += [*(value or []), *([""] * (wide[column] - len(value or [])))]
            elif column == "measure" and isinstance(question, Figures):
                cells.append(question.measures[value].measure)
            else:
                cells.append("" if value is None else value)
        writer.writerow([render.disarmed(c) for c in cells])
    return out.getvalue()
