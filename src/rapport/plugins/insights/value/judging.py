"""How good a forecast was: beside naive rules on the same people, each figure with its interval."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from rapport.insights.contract import Backtest, Context, Curve, Metric, Point
from rapport.kit import chances
from rapport.plugins.insights.value.forecasting import Asked, Forecast, Interval
from rapport.plugins.insights.value.histories import Flags, Floats
from rapport.plugins.insights.value.model import Model
from rapport.plugins.insights.value.reading import Buyers, numbers

RESAMPLES = 300
RESAMPLED_MOST = 20_000  # people; of more, fewer samples are drawn, one at a time
GROUPS = 10
SAME = "the same rate as before"


def split(context: Context) -> str:
    return f"learnt from orders before {context.now:%Y-%m-%d}, judged on the {context.horizon_days} days after it"


def judged(
    model: Model, people: Buyers, said: Forecast, table: pa.Table, what: Asked, context: Context
) -> Backtest:
    """Metrics and calibration of what was said of these people."""
    bought, spent = numbers(table, "n_next"), np.maximum(numbers(table, "spent_next_minor"), 0.0)
    before = _as_before(people, what)
    days = what.horizon_days
    metrics = [
        _total("orders in all, off by", said.orders.expected, before, bought, context),
        _mean_error(
            "orders per person, off by (expected number)", "orders", said.orders.expected, before, SAME, bought,
            "The mean difference, person by person, between the expected and the real number of orders.", context,
        ),
        _mean_error(
            "orders per person, off by (whole number)", "orders", said.whole, np.zeros(len(bought)),
            "nobody orders again", bought,
            "The same for the whole numbers that add up to the expected total; an expectation of 0.3 is never "
            "exactly right, none or one can be.", context,
        ),
    ]  # fmt: skip
    again = bought > 0
    if again.any() and not again.all():
        metrics.append(_ranking(said.orders.expected, people.spans.last.astype(np.float64), again))
    metrics.append(_held(said.orders, bought, what, "orders within their interval"))
    notes = [f"Learnt as {model.trials[0][0] if model.trials else model.buying.family.title}."]
    if len(model.trials) > 1:
        notes.append(f"Chosen from {len(model.trials)} that were tried on the time before the cut.")
    notes.append(f"Its totals are multiplied by {model.lift:.3f}, learnt before the cut as well.")
    if model.factors:
        notes.append(f"Beside the history it heeds: {', '.join(f.kind for f in model.factors)}.")
    curves = [
        _curve("expected_orders_90d", "orders", said.orders.expected, bought, f"orders in {days} days"),
        _curve_again(said, bought, days),
    ]
    for currency in np.unique(people.currency):
        mine = people.currency == currency
        if spent[mine].sum() <= 0:
            continue
        called = f" ({currency})" if currency else ""
        spend = Interval(said.spend.expected[mine], said.spend.low[mine], said.spend.high[mine])
        rate = before[mine] * people.mean_paid[mine]
        metrics += [
            _total(f"spend in all, off by{called}", spend.expected, rate, spent[mine], context),
            _mean_error(
                f"spend per person, off by{called}", f"minor {currency}".strip(), spend.expected, rate, SAME,
                spent[mine], "The mean difference, person by person, between expected and real spend.", context,
            ),
            _held(spend, spent[mine], what, f"spend within its interval{called}"),
        ]  # fmt: skip
        curves.append(
            _curve("expected_spend_90d_minor", f"minor {currency}".strip(), spend.expected, spent[mine],
                   f"spend in {days} days{called}")
        )  # fmt: skip
    if bought.sum() == 0:
        notes.append("Nobody ordered in the time judged.")
    return Backtest(tuple(metrics), len(bought), split(context), " ".join(notes), tuple(curves))


def _as_before(people: Buyers, what: Asked) -> Floats:
    """Orders in the horizon if each goes on at the own rate of repeat orders so far; a week is the least age."""
    known = np.maximum(what.now - people.spans.first, 7)
    rate: Floats = (people.spans.n_days - 1) / known * what.horizon_days
    return rate


def _total(name: str, said: Floats, naive: Floats, seen: Floats, context: Context) -> Metric:
    total = float(seen.sum())
    scale = max(total, 1e-9)

    def off(weight: Floats) -> Floats:
        sums = weight @ np.stack([said, seen], axis=1)
        found: Floats = np.abs(sums[:, 0] / np.maximum(sums[:, 1], 1e-9) - 1)
        return found

    low, high = _between(off, len(seen), context)
    more, less = ("too many", "too few") if "orders" in name else ("too much", "too little")
    return Metric(
        name,
        min(abs(float(said.sum()) - total) / scale, 1e6),
        SAME,
        min(abs(float(naive.sum()) - total) / scale, 1e6),
        "ratio",
        higher_is_better=False,
        low=low,
        high=high,
        meaning=f"Forecast {said.sum():,.0f} and seen {total:,.0f}: {more if said.sum() > total else less}.",
    )


def _mean_error(
    name: str,
    unit: str,
    said: Floats,
    naive: Floats,
    baseline: str,
    seen: Floats,
    meaning: str,
    context: Context,
) -> Metric:
    lost = np.abs(said - seen)
    low, high = _between(lambda weight: weight @ lost / weight.sum(axis=1), len(seen), context)
    return Metric(
        name,
        float(lost.mean()),
        baseline,
        float(np.abs(naive - seen).mean()),
        unit,
        higher_is_better=False,
        low=low,
        high=high,
        meaning=meaning,
    )


def _ranking(said: Floats, last: Floats, again: Flags) -> Metric:
    value, n_again, n_not = chances.auc(said, again).value, int(again.sum()), int((~again).sum())
    # Hanley and McNeil 1982: the standard error of the area under the curve.
    q1, q2 = value / (2 - value), 2 * value**2 / (1 + value)
    variance = value * (1 - value) + (n_again - 1) * (q1 - value**2) + (n_not - 1) * (q2 - value**2)
    error = 1.96 * float(np.sqrt(max(variance, 0.0) / (n_again * n_not)))
    return Metric(
        "ranking of who orders again (AUC)",
        value,
        "the last to order first",
        chances.auc(last, again).value,
        "probability",
        low=max(0.0, value - error),
        high=min(1.0, value + error),
        meaning="How often one who ordered again ranks above one who did not; 0.5 is chance.",
    )


def _held(said: Interval, seen: Floats, what: Asked, name: str) -> Metric:
    inside = (seen >= said.low - 1e-9) & (seen <= said.high + 1e-9)
    found = chances.share(int(inside.sum()), len(seen))
    return Metric(
        name,
        found.value,
        "the share the intervals state",
        what.interval_ratio,
        "ratio",
        low=found.low,
        high=found.high,
        meaning=f"Intervals are meant to hold {what.interval_ratio:.0%}, and more where nothing at all is so likely.",
    )


def _curve(name: str, unit: str, said: Floats, seen: Floats, of: str) -> Curve:
    points = _points(said, seen)
    total = float(seen.sum())
    if total <= 0:
        return Curve(name, unit, points, f"Nothing of the {of} that were forecast was seen.")
    ratio = float(said.sum()) / total
    overall = (
        "about right in all" if abs(ratio - 1) < 0.02
        else f"{abs(ratio - 1):.0%} too {'high' if ratio > 1 else 'low'} in all"
    )  # fmt: skip
    top = points[-1]
    best = f"for the tenth with most, {top.said:,.1f} each were expected and {top.seen:,.1f} seen"
    return Curve(name, unit, points, f"Forecasts of {of} were {overall}; {best}.")


def _curve_again(said: Forecast, bought: Floats, days: int) -> Curve:
    """Whether nobody-or-somebody is told right: the chance of at least one order."""
    points = _points(said.again, (bought > 0).astype(np.float64))
    gap = float(np.average([abs(p.said - p.seen) for p in points], weights=[p.n for p in points]))
    return Curve(
        "alive",
        "probability",
        points,
        f"Nobody sees who has left; by the chance of an order within {days} days that follows from it, groups "
        f"were off by {gap:.0%} on average.",
    )


def _points(said: Floats, seen: Floats) -> tuple[Point, ...]:
    """Groups of about as many people, by what was said of them; people of whom the same was said stay together."""
    order = np.argsort(said, kind="stable")
    n = len(order)
    cuts = {0, n}
    for i in range(1, min(GROUPS, n)):
        at = i * n // GROUPS
        while 0 < at < n and said[order[at]] == said[order[at - 1]]:
            at += 1
        cuts.add(at)
    points = []
    edges = sorted(cuts)
    for begin, end in itertools.pairwise(edges):
        mine = order[begin:end]
        if len(mine) == 0:
            continue
        mean = float(seen[mine].mean())
        error = 1.96 * float(seen[mine].std()) / np.sqrt(len(mine))
        points.append(Point(float(said[mine].mean()), mean, len(mine), max(0.0, mean - error), mean + error))
    return tuple(points)


def _between(figure: Callable[[Floats], Floats], n: int, context: Context) -> tuple[float, float]:
    """A 95 % interval by resampling people; few people are resampled, the figure's own length is kept."""
    rng = context.rng()
    weight = rng.poisson(1.0, (RESAMPLES, n)).astype(np.float64) if n <= RESAMPLED_MOST else None
    if weight is None:
        found = np.concatenate(
            [figure(rng.poisson(1.0, (1, n)).astype(np.float64)) for _ in range(RESAMPLES // 5)]
        )
    else:
        weight[weight.sum(axis=1) == 0] = 1.0
        found = figure(weight)
    low, high = np.quantile(np.minimum(found, 1e6), [0.025, 0.975])
    return float(low), float(high)
