"""What was said beside what was seen: the calibration curve."""

from __future__ import annotations

import numpy as np

from rapport.insights.contract import Curve, Point
from rapport.kit import chances
from rapport.plugins.insights.churn.histories import Floats

GROUPS = 10


def curve(name: str, chance: Floats, happened: Floats, of_what: str) -> Curve:
    """What was said beside what was seen, in up to ten groups as equal as ties allow."""
    edges = np.unique(np.quantile(chance, np.linspace(0, 1, GROUPS + 1)[1:-1]))
    group = np.searchsorted(edges, chance, side="left")
    points = []
    for g in np.unique(group):
        inside = group == g
        n, k = int(inside.sum()), float(happened[inside].sum())
        seen = chances.share(k, n)
        points.append(Point(float(chance[inside].mean()), seen.value, n, seen.low, seen.high))
    inside_n = sum(p.low <= p.said <= p.high for p in points if p.low is not None and p.high is not None)
    gap = sum(p.n * abs(p.said - p.seen) for p in points) / len(chance)
    meaning = (
        f"Of {of_what}, said {chance.mean():.0%} on the whole and seen {happened.mean():.0%};"
        f" in {inside_n} of {len(points)} groups what was said lies within the margin of what was seen,"
        f" and on average they are {100 * gap:.1f} points apart."
    )
    return Curve(name, "probability", tuple(points), meaning)
