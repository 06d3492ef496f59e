"""What was learnt, as bytes and back, and how it is learnt."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.plugins.insights.next_need import choosing, reading, timing
from rapport.plugins.insights.next_need.choosing import Known, Weights
from rapport.plugins.insights.next_need.reading import Bought, Days, Floats, Ints
from rapport.plugins.insights.next_need.timing import Timing

CUTS = 4
LEAST = 40  # orders from which weights are learnt
MOST_CELLS = 1_000_000  # orders x categories learnt from


@dataclass(frozen=True, slots=True)
class Learnt:
    """Everything that scoring needs."""

    categories: tuple[str, ...]
    orders: Timing  # pauses between a person's orders
    repeats: Timing  # pauses between a person's orders of one category
    known: Known
    weights: Weights
    has_weights: bool  # learnt, and not guessed


def learn(table: pa.Table, horizon_days: int, most_categories: int, rng: np.random.Generator) -> Learnt:
    """Learn pauses from all orders, and weights from several earlier cuts of the same rows."""
    names = reading.categories(table, most_categories)
    days = reading.order_days(table)
    lines = reading.bought(table, names)
    of_pair, kinds = pairs(lines)
    weights = _weights(lines, len(names), horizon_days, rng) if names else None
    return Learnt(
        names,
        timing.learn(days, np.zeros(days.n, np.int64), 1),
        timing.learn(of_pair, kinds, max(len(names), 1)),
        choosing.known(lines, len(names)),
        weights or choosing.GUESS,
        weights is not None,
    )


def pairs(lines: Bought) -> tuple[Days, Ints]:
    """The days of each person and category that there is, ascending by both, and the category of each."""
    if len(lines.person) == 0:
        none = np.zeros(0, np.int64)
        return Days(0, none, none), none
    new = np.r_[True, (np.diff(lines.person) != 0) | (np.diff(lines.category) != 0)]
    unit = np.cumsum(new) - 1
    return Days(int(unit[-1]) + 1, unit, lines.days_ago), lines.category[new]


def _weights(lines: Bought, c: int, horizon_days: int, rng: np.random.Generator) -> Weights | None:
    span = int(lines.days_ago.max(initial=0))
    within = max(1, min(horizon_days, span // 3))
    seen: list[Any] = []
    taken: list[Floats] = []
    for k in range(1, CUTS + 1):
        at = k * within
        if at > 2 * span / 3:
            break
        before = choosing.earlier(lines, at)
        rows, took = choosing.came_next(lines, at, within, c)
        has = np.bincount(before.person, minlength=lines.n) > 0
        rows, took = rows[has[rows]], took[has[rows]]
        most = max(MOST_CELLS // c // CUTS, LEAST)
        if len(rows) > most:
            chosen = np.sort(rng.choice(len(rows), most, replace=False))
            rows, took = rows[chosen], took[chosen]
        if not len(rows):
            continue
        those = only(before, rows)
        seen.extend(s.x for s in choosing.sights(those, choosing.known(before, c)))
        taken.append(took)
    if sum(len(t) for t in taken) < LEAST:
        return None
    return choosing.learn(np.concatenate(seen), np.concatenate(taken))


def only(lines: Bought, rows: Ints) -> Bought:
    """The lines of these rows (ascending), numbered anew."""
    where = np.full(lines.n, -1, np.int64)
    where[rows] = np.arange(len(rows))
    mine = where[lines.person] >= 0
    return Bought(len(rows), where[lines.person[mine]], lines.category[mine], lines.days_ago[mine])


def as_bytes(learnt: Learnt) -> bytes:
    """The same bytes for the same content."""
    words = {
        "categories": learnt.categories,
        "has_weights": learnt.has_weights,
        "rule": learnt.weights.rule,
    }
    arrays = {
        "words": np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8),
        **{
            f"orders_{k}": np.asarray(getattr(learnt.orders, k))
            for k in ("usual", "kappa", "knots", "lasting")
        },
        **{
            f"repeats_{k}": np.asarray(getattr(learnt.repeats, k))
            for k in ("usual", "kappa", "knots", "lasting")
        },
        **{
            f"known_{k}": getattr(learnt.known, k)
            for k in ("share", "is_known", "season", "follows", "usual")
        },
        "weights": learnt.weights.of,
        "certainty": learnt.weights.certainty,
    }
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def from_bytes(content: bytes) -> Learnt:
    """What `as_bytes` wrote."""
    with np.load(io.BytesIO(content), allow_pickle=False) as found:
        a = {name: found[name] for name in found.files}
    words = json.loads(a["words"].tobytes())

    def pauses(of: str) -> Timing:
        return Timing(a[f"{of}_usual"], float(a[f"{of}_kappa"]), a[f"{of}_knots"], a[f"{of}_lasting"])

    return Learnt(
        tuple(words["categories"]),
        pauses("orders"),
        pauses("repeats"),
        Known(*(a[f"known_{k}"] for k in ("share", "is_known", "season", "follows", "usual"))),
        Weights(a["weights"], a["certainty"], words["rule"]),
        words["has_weights"],
    )
