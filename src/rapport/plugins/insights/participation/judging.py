"""What was said of rates beside the posts that followed."""

from __future__ import annotations

import numpy as np

from rapport.insights.contract import Backtest, Context, Curve, Metric, Point
from rapport.kit import chances
from rapport.plugins.insights.participation.places import Floats, Places
from rapport.plugins.insights.participation.rates import Rate, by_rule

GROUPS = 8  # of a calibration curve


def judged(seen: Places, rate: Rate, context: Context) -> Backtest:
    """Rates as they were at the cut; each person and network is one case."""
    weeks = context.horizon_days / 7
    split = (
        f"rates of posts before {context.now:%Y-%m-%d}, judged on the {context.horizon_days} days after it"
    )
    n = len(seen)
    if not n or not seen.n_next.sum():
        return Backtest((), seen.n_persons, split, "Nobody posted after the cut.")
    expected, naive = rate.value * weeks, seen.n / seen.weeks * weeks
    came = seen.n_next > 0
    metrics = [
        Metric(
            "deviance of the posts that came, a person and network",
            _deviance(seen.n_next, expected),
            "posts so far, divided by the weeks",
            _deviance(seen.n_next, np.maximum(naive, 0.5 / seen.weeks * weeks)),
            "deviance",
            higher_is_better=False,
            meaning="How far expected and actual numbers of posts lie apart; 0 is perfect.",
        )
    ]
    if not came.all():
        chance = chances.auc(expected, came)
        latest = chances.auc(naive, came).value
        metrics.append(
            Metric(
                "ranking of who posts again (AUC)", chance.value, "who posted most so far", latest,
                "probability", low=chance.low, high=chance.high,
                meaning="How often one who posted again ranks above one who did not; 0.5 is chance.",
            )
        )  # fmt: skip
    leaders = rate.level == 2
    if leaders.any():
        by_count = by_rule(seen.n) == 2
        metrics.append(
            Metric(
                "posts that came from those called leaders",
                float(seen.n_next[leaders].sum() / seen.n_next.sum()),
                "from one in a hundred, those who posted most",
                float(seen.n_next[by_count].sum() / seen.n_next.sum()),
                meaning=f"{leaders.sum():,} of {n:,} accounts are called leaders, {by_count.sum():,} by the rule.",
            )
        )
    return Backtest(tuple(metrics), seen.n_persons, split, curves=(_curve(expected, seen.n_next),))


def _deviance(n: Floats, expected: Floats) -> float:
    """Mean Poisson deviance."""
    expected = np.maximum(expected, 1e-9)
    ratio = np.where(n > 0, n / expected, 1.0)
    return float(2 * (n * np.log(ratio) - (n - expected)).mean())


def _curve(expected: Floats, n: Floats) -> Curve:
    order = np.argsort(expected, kind="stable")
    groups = [part for part in np.array_split(order, min(GROUPS, len(order))) if len(part)]
    points = []
    for part in groups:
        mean, error = float(n[part].mean()), float(n[part].std() / np.sqrt(len(part)))
        points.append(
            Point(
                float(expected[part].mean()), mean, len(part),
                max(0.0, mean - chances.Z * error), mean + chances.Z * error,
            )
        )  # fmt: skip
    said, seen = float(expected.sum()), float(n.sum())
    return Curve(
        "participation", "posts", tuple(points), f"{said:,.0f} posts were expected and {seen:,.0f} came."
    )
