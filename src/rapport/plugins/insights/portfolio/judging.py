"""How good the figures were on the time after a cut, beside naive rules; intervals by drawing people anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from rapport.insights.contract import Backtest, Context, Curve, Metric, Point
from rapport.plugins.insights.portfolio import helping, likeness
from rapport.plugins.insights.portfolio.helping import Help, Matters

Floats = NDArray[np.float64]

DRAWS = 200
TOP = 0.2  # of people
GROUPS = 8  # of a curve
MATTERS_LEAST = 50
DRAWN_MOST = 20_000  # people drawn anew each time; of more, an interval is narrowed by the root


@dataclass(frozen=True, slots=True)
class Judged:
    """Columns over people: what was said, and what came."""

    currency: pa.StringArray
    value: Floats
    ceiling: Floats
    cost: Floats
    saving: Floats
    recency_days: Floats
    next_value: Floats  # what they were worth afterwards, as if it went on for a year
    next_cost: Floats  # within the horizon


def judged(people: Judged, pending: Matters, help_: Help, context: Context, split: str) -> Backtest:
    """Figures over the people of the currency that most of them buy in: money of two is not compared."""
    encoded = people.currency.dictionary_encode()
    place = encoded.indices.to_numpy(zero_copy_only=False)
    main = encoded.dictionary.to_pylist()[int(np.bincount(place).argmax())]
    mine = likeness.there(people.currency, main)
    one = Judged(
        people.currency.filter(pa.array(mine)),
        *(
            getattr(people, name)[mine]
            for name in ("value", "ceiling", "cost", "saving", "recency_days", "next_value", "next_cost")
        ),
    )
    rng = context.rng()
    metrics = [
        m
        for m in (_saving(one, rng), _cost(one, rng), _ceiling(one, rng), _help(pending, help_, context))
        if m
    ]
    curves = [c for c in (_ceiling_curve(one, main), _cost_curve(one, main, context)) if c]
    note = "" if metrics else "Nothing came afterwards that could be told apart."
    if len(pending) < MATTERS_LEAST:
        note = f"{note} What an answer helps is not judged: {len(pending)} contacts have a known end.".strip()
    return Backtest(tuple(metrics), int(mine.sum()), split, note, tuple(curves))


def _drawn(figure: Callable[[Any], float], n: int, rng: np.random.Generator) -> tuple[float, float]:
    """The 95 % interval of a figure over people drawn anew."""
    many = min(n, DRAWN_MOST)
    drawn = np.array([figure(rng.integers(0, n, many)) for _ in range(DRAWS)])
    drawn = drawn[np.isfinite(drawn)]
    if not len(drawn):
        return float("nan"), float("nan")
    middle = drawn.mean()
    low, high = np.quantile(middle + (drawn - middle) * np.sqrt(many / n), [0.025, 0.975]).tolist()
    return low, high


def _share_of_top(rank: Floats, amount: Floats, tie: Floats) -> float:
    """Of an amount, the share of the TOP with the highest rank."""
    n = max(1, round(TOP * len(rank)))
    order = np.lexsort((tie, -rank))
    total = amount.sum()
    return float(amount[order[:n]].sum() / total) if total > 0 else float("nan")


def _saving(p: Judged, rng: np.random.Generator) -> Metric | None:
    if p.next_value.sum() <= 0 or len(p.value) < 5:
        return None
    tie = rng.random(len(p.value))
    value = _share_of_top(p.saving, p.next_value, tie)
    low, high = _drawn(lambda at: _share_of_top(p.saving[at], p.next_value[at], tie[at]), len(tie), rng)
    return Metric(
        "later worth among those where answering saves most",
        value,
        "the last to buy first",
        _share_of_top(-p.recency_days, p.next_value, tie),
        low=min(low, value),
        high=max(high, value),
        meaning="Share of all that was spent afterwards by the fifth of people told to be most worth answering.",
    )


def _cost(p: Judged, rng: np.random.Generator) -> Metric | None:
    if p.next_cost.sum() <= 0 or len(p.value) < 5:
        return None
    tie = rng.random(len(p.value))
    value = _share_of_top(p.cost, p.next_cost, tie)
    low, high = _drawn(lambda at: _share_of_top(p.cost[at], p.next_cost[at], tie[at]), len(tie), rng)
    return Metric(
        "later cost among those who were dear to serve",
        value,
        "as many people picked at random",
        TOP,
        low=min(low, value),
        high=max(high, value),
        meaning="Share of what serving cost afterwards that went to the fifth of people who cost most before.",
    )


def _pinball(said: Floats, seen: Floats) -> Floats:
    """The loss that a quantile of people's worth makes least (Koenker and Bassett 1978)."""
    short = seen - said
    loss: Floats = np.where(short >= 0, likeness.QUANTILE * short, (likeness.QUANTILE - 1) * short)
    return loss


def _ceiling(p: Judged, rng: np.random.Generator) -> Metric | None:
    if p.next_value.sum() <= 0:
        return None
    one = np.full(len(p.value), np.quantile(p.value, likeness.QUANTILE))
    loss, naive = _pinball(p.ceiling, p.next_value), _pinball(one, p.next_value)
    if naive.mean() <= 0:
        return None
    beside = loss / naive.mean()
    low, high = _drawn(lambda at: float(beside[at].mean()), len(beside), rng)
    return Metric(
        "miss of the ceiling",
        float(beside.mean()),
        "one ceiling for everybody",
        1.0,
        unit="times",
        higher_is_better=False,
        low=min(low, float(beside.mean())),
        high=max(high, float(beside.mean())),
        meaning="How far later worth lay off the ceiling told, beside the same ceiling for all; less is better.",
    )


def _help(pending: Matters, help_: Help, context: Context) -> Metric | None:
    n = len(pending)
    if n < MATTERS_LEAST or pending.returned.all() or not pending.returned.any():
        return None
    came = pending.returned.astype(float)
    said = helping.foretold(pending, help_, context.parameters["half_life_hours"])
    miss = (said - came) ** 2
    naive = (came.mean() - came) ** 2
    low, high = _drawn(lambda at: float(miss[at].mean()), n, context.rng())
    return Metric(
        "miss in who orders again after a contact (Brier)",
        float(miss.mean()),
        "the same share for everybody",
        float(naive.mean()),
        unit="probability",
        higher_is_better=False,
        low=low,
        high=high,
        meaning=f"Judged on {n} contacts, by what was known of the person and of the answer; 0 is perfect.",
    )


def _groups(said: Floats) -> list[NDArray[np.int64]]:
    order = np.argsort(said, kind="stable")
    return [part for part in np.array_split(order, GROUPS) if len(part) >= 5]


def _points(said: Floats, seen: Floats) -> tuple[Point, ...]:
    found = []
    for part in _groups(said):
        mean, error = float(seen[part].mean()), float(seen[part].std() / np.sqrt(len(part)))
        found.append(
            Point(float(said[part].mean()), mean, len(part), mean - 1.96 * error, mean + 1.96 * error)
        )
    return tuple(found)


def _ceiling_curve(p: Judged, currency: str) -> Curve | None:
    if p.next_value.sum() <= 0 or len(p.value) < 5 * GROUPS:
        return None
    below = float((p.next_value <= p.ceiling).mean())
    return Curve(
        "potential_minor",
        f"minor {currency}".strip(),
        _points(p.ceiling, p.next_value),
        f"Afterwards {below:.0%} of people stayed at or below the ceiling told, which is meant for "
        f"{likeness.QUANTILE:.0%} and more; the curve shows their mean worth a year.",
    )


def _cost_curve(p: Judged, currency: str, context: Context) -> Curve | None:
    if p.next_cost.sum() <= 0 or len(p.value) < 5 * GROUPS:
        return None
    yearly = p.next_cost * 365 / max(context.horizon_days, 1)
    return Curve(
        "cost_to_serve_minor",
        f"minor {currency}".strip(),
        _points(p.cost, yearly),
        "Cost of a year before the cut beside the cost afterwards, as if it went on for a year.",
    )
