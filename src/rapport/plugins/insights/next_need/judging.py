"""The back-test: when the first order after a cut came and what it held, against what was said before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import Backtest, Context, Curve, Metric, Point
from rapport.plugins.insights.next_need import choosing, foretelling, learned, reading, timing
from rapport.plugins.insights.next_need.foretelling import HIGH, LOW, Pick
from rapport.plugins.insights.next_need.learned import Learnt
from rapport.plugins.insights.next_need.reading import Flags, Floats, Ints

if TYPE_CHECKING:
    from rapport.plugins.insights.next_need.plugin import NextNeed

GROUPS = 10


def backtest(model: NextNeed, table: pa.Table, context: Context) -> Backtest:
    """Judge on everybody who orders again within the horizon."""
    split = (
        f"learnt from orders before {context.now:%Y-%m-%d}, judged on the first order in the "
        f"{context.horizon_days} days after it"
    )
    days = np.asarray(
        pc.fill_null(table.column("next_days").cast(pa.float64()), -1.0).to_numpy(zero_copy_only=False)
    )
    came = np.flatnonzero((days >= 0) & (days < context.horizon_days))
    if not len(came):
        return Backtest((), 0, split, "Nobody who had ordered before ordered again.")
    learnt = learned.from_bytes(model.fit(table, context))
    judged = table.take(pa.array(came))
    of_time, time_curve = _timing(learnt, table, judged, days[came], context.horizon_days)
    of_kind, kind_curves, n_kind = _categories(learnt, judged)
    note = (
        f"{n_kind} of the {len(came)} first orders say what they held. "
        + (
            "Weights were learnt"
            if learnt.has_weights
            else "Weights were guessed, for there was too little to learn"
        )
        + " from earlier cuts of the same log"
        + (
            ", where counting own purchases picked better, so that they are counted first"
            if learnt.weights.rule != choosing.RULES[0]
            else ""
        )
        + ". Who comes back at all is not judged here."
    )
    return Backtest((*of_kind, *of_time), len(came), split, note, (time_curve, *kind_curves))


def _timing(
    learnt: Learnt, table: pa.Table, judged: pa.Table, days: Floats, horizon: int
) -> tuple[list[Metric], Curve]:
    """Only orders within the horizon are seen, so what is said is held against that: shares of those within it."""
    order_days = reading.order_days(judged)
    where = timing.standing(learnt.orders, order_days, np.zeros(order_days.n, np.int64))
    low, high = (timing.days_left(learnt.orders, where, share) for share in (LOW, HIGH))
    # A day counts as half over when the interval is laid on whole days.
    said = timing.share_by(learnt.orders, where, high, horizon) - timing.share_by(
        learnt.orders, where, low, horizon
    )
    seen = ((days >= np.floor(low)) & (days <= np.ceil(high))).astype(np.float64)
    usual = _usual(table)
    everybody = (days >= usual[0]) & (days <= usual[2])
    middle = timing.days_left(learnt.orders, where, 0.5, horizon)
    off = np.abs(middle - days)
    own = np.abs(np.clip(np.exp(where.usual) - where.elapsed_days, 0, horizon) - days)
    all_off = np.abs(np.clip(usual[1], 0, horizon) - days)
    metrics = [
        Metric(
            "next orders within the stated interval",
            float(seen.mean()),
            "an interval that holds 80 % of everybody's pauses, from now on",
            float(everybody.mean()),
            low=_interval(seen)[0],
            high=_interval(seen)[1],
            meaning=f"Of the orders that came, {said.mean():.1%} were said to fall into the intervals.",
        ),
        Metric(
            "days by which the next order is missed",
            float(off.mean()),
            "the person's usual pause after the last order",
            float(own.mean()),
            "days",
            higher_is_better=False,
            low=_interval(off)[0],
            high=_interval(off)[1],
            meaning=_paired(off, own, "days", higher_is_better=False),
        ),
        Metric(
            "days by which the next order is missed, against everybody's pause",
            float(off.mean()),
            "everybody's usual pause, from now on",
            float(all_off.mean()),
            "days",
            higher_is_better=False,
            low=_interval(off)[0],
            high=_interval(off)[1],
            meaning=_paired(off, all_off, "days", higher_is_better=False),
        ),
    ]
    # An order of today counts from the day's middle on, as the present pause does.
    by_then = timing.share_by(learnt.orders, where, days, horizon)
    points = []
    for level in np.linspace(0.1, 0.9, 9):
        inside = (by_then <= level).astype(np.float64)
        less, more = _interval(inside)
        points.append(Point(float(level), float(inside.mean()), len(inside), max(less, 0.0), min(more, 1.0)))
    furthest = max(points, key=lambda p: abs(p.said - p.seen))
    meaning = (
        "By the day by which a share of the orders was said to have come, so many had; furthest off at "
        f"{furthest.said:.0%} said, {furthest.seen:.0%} seen."
    )
    return metrics, Curve("next_order_days", "share of next orders", tuple(points), meaning)


def _usual(table: pa.Table) -> Floats:
    """Ends and middle of everybody's pauses."""
    days = reading.order_days(table)
    same = days.unit[1:] == days.unit[:-1]
    pauses = (days.days_ago[:-1] - days.days_ago[1:])[same]
    if not len(pauses):
        return np.full(3, timing.USUAL_DAYS)
    return np.asarray(np.quantile(pauses, [LOW, 0.5, HIGH]), np.float64)


def _categories(learnt: Learnt, judged: pa.Table) -> tuple[list[Metric], list[Curve], int]:
    lists = reading.lists_of(judged, "next_category", pa.string())
    row = reading.rows_of(lists)
    place = reading.places(lists.flatten(), learnt.categories)
    picks = foretelling.picks(judged, learnt)
    known = np.intersect1d(row, picks.likeliest.rows)
    if not len(known):
        return [], [], 0
    c = len(learnt.categories)
    taken = np.zeros((judged.num_rows, c), np.bool_)
    taken[row[place >= 0], place[place >= 0]] = True
    lines = reading.bought(judged, learnt.categories)
    own = np.zeros((judged.num_rows, c))
    np.add.at(own, (lines.person, lines.category), 1.0)
    last = _last(lines, judged.num_rows, c)
    usual = learnt.known.share
    right = _taken(picks.likeliest, taken, known)
    rows = np.arange(judged.num_rows)
    naive = {
        "the category that everybody buys most": taken[rows, np.full(len(rows), usual.argmax())][known],
        "the category that the person bought most": taken[rows, (own + usual).argmax(axis=1)][known],
        "the category of the last order": taken[rows, (last + 0.001 * own + 0.001 * usual).argmax(axis=1)][
            known
        ],
    }
    metrics = [
        _share_taken("hit rate of the next category", right, name, theirs.astype(float))
        for name, theirs in naive.items()
    ]
    # Apart: those whose order held something they had bought, and something they had not.
    for name, pick, baseline, among in (
        ("something bought before", picks.repeat, (own + usual).argmax(axis=1), own > 0),
        ("something new", picks.new, np.where(own > 0, -1, usual).argmax(axis=1), own == 0),
    ):
        mine = np.intersect1d(known, np.intersect1d(pick.rows, np.flatnonzero((taken & among).any(axis=1))))
        if len(mine):
            of = "the one bought most" if pick is picks.repeat else "the one that everybody buys most"
            theirs = taken[rows, baseline][mine].astype(float)
            metrics.append(
                _share_taken(f"hit rate where it held {name}", _taken(pick, taken, mine), of, theirs)
            )
    curves = [
        _calibration(name, pick, taken, known)
        for name, pick in (
            ("next_category", picks.likeliest),
            ("next_repeat_category", picks.repeat),
            ("next_new_category", picks.new),
        )
    ]
    return metrics, [c for c in curves if c is not None], len(known)


def _last(lines: reading.Bought, n: int, c: int) -> Floats:
    """Row x category: 1 where the last order held it."""
    found = np.zeros((n, c))
    latest = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(latest, lines.person, lines.days_ago)
    mine = lines.days_ago == latest[lines.person]
    found[lines.person[mine], lines.category[mine]] = 1.0
    return found


def _taken(pick: Pick, taken: Flags, rows: Ints) -> Floats:
    at = np.searchsorted(pick.rows, rows)
    return taken[rows, pick.category[at]].astype(np.float64)


def _share_taken(name: str, ours: Floats, of: str, theirs: Floats) -> Metric:
    low, high = _interval(ours)
    return Metric(
        f"{name}, against {of}",
        float(ours.mean()),
        of,
        float(theirs.mean()),
        low=max(low, 0.0),
        high=min(high, 1.0),
        meaning=_paired(ours, theirs, "of the orders", higher_is_better=True),
    )


def _calibration(name: str, pick: Pick, taken: Flags, rows: Ints) -> Curve | None:
    rows = np.intersect1d(rows, pick.rows)
    if len(rows) < GROUPS * 3:
        return None
    said, seen = pick.chance[np.searchsorted(pick.rows, rows)], _taken(pick, taken, rows)
    points = []
    for part in np.array_split(np.argsort(said, kind="stable"), GROUPS):
        low, high = _interval(seen[part])
        points.append(
            Point(
                float(said[part].mean()), float(seen[part].mean()), len(part), max(low, 0.0), min(high, 1.0)
            )
        )
    meaning = f"Said of {said.mean():.1%} of the orders on average, and true of {seen.mean():.1%}."
    return Curve(name, "probability", tuple(points), meaning)


def _interval(values: Floats) -> tuple[float, float]:
    mean, half = float(values.mean()), 1.96 * float(values.std()) / max(len(values), 1) ** 0.5
    return mean - half, mean + half


def _paired(ours: Floats, theirs: Floats, unit: str, *, higher_is_better: bool) -> str:
    gain = ours - theirs if higher_is_better else theirs - ours
    low, high = _interval(gain)
    verdict = "better" if low > 0 else "worse" if high < 0 else "no different as far as these people show"
    size = (
        f"{gain.mean():+.1%} of the orders ({low:+.1%} to {high:+.1%})"
        if unit == "of the orders"
        else f"{gain.mean():+.1f} {unit} ({low:+.1f} to {high:+.1f})"
    )
    return f"Person by person the gain over the naive rule is {size}: {verdict}."
