"""The back-test: what people took in the time after a cut, against what was put first before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from rapport.insights.contract import Backtest, Context, Curve, Metric, Point
from rapport.plugins.insights.recommend import learned, measuring, ranking, reading
from rapport.plugins.insights.recommend.measuring import FIRST, Quality
from rapport.plugins.insights.recommend.narrowing import SHOWN
from rapport.plugins.insights.recommend.ranking import Ranking
from rapport.plugins.insights.recommend.reading import Floats, Ints
from rapport.plugins.insights.recommend.weighing import FEATURES, blocks

if TYPE_CHECKING:
    from rapport.plugins.insights.recommend.learned import Learnt
    from rapport.plugins.insights.recommend.plugin import Recommend

OWN = "own purchases by number, then what everybody buys most"
ALL = "what everybody buys most"
OTHERS = "what everybody buys most, of what the person has not had"
GROUPS = 10  # of the calibration curve


def backtest(model: Recommend, table: pa.Table, context: Context) -> Backtest:
    """Judge on everybody who had ordered something and orders again within the horizon."""
    split = (
        f"learnt from orders before {context.now:%Y-%m-%d}, judged on the products ordered in the "
        f"{context.horizon_days} days after it"
    )
    content = model.fit(table, context)
    learnt = learned.from_bytes(content)
    lines = reading.bought(table, learnt.products)
    person, product = reading.named(table, "next_product", learnt.products)
    rows = np.intersect1d(person, lines.person)
    if not len(rows):
        return Backtest((), 0, split, "Nobody who had ordered before ordered again.")
    inside = np.isin(person, rows)
    person, product = np.searchsorted(rows, person[inside]), product[inside]
    judged = table.take(pa.array(rows))
    many = len(learnt.products)
    said = np.concatenate([p for _, p in model.places(learnt, judged, FIRST)])
    quality = measuring.quality(said, person, product, many)
    naive = {
        OWN: measuring.quality(_own_first(learnt, judged), person, product, many),
        **_popular(learnt, judged, person, product),
    }
    metrics = [
        _metric(name, what, getattr(quality, field), of, getattr(baseline, field))
        for of, baseline in naive.items()
        for name, field, what in (
            ("nDCG@10", "ndcg", "how high in the first ten the products taken stand; 1 is all on top"),
            ("recall@10", "recall", "the share of the products taken that are among the first ten"),
            ("hit rate@10", "any_taken", "the share of people who took one of the first ten"),
        )
    ]
    scored = model.score(content, judged, context)
    return Backtest(
        tuple(metrics),
        len(rows),
        split,
        _note(learnt, quality, naive[OWN]),
        _curves(scored, rows, table, learnt, person, product),
    )


def _own_first(learnt: Learnt, table: pa.Table) -> Ints:
    lines = reading.bought(table, learnt.products)
    rule = Ranking("own, then most bought", np.zeros(len(FEATURES)), np.zeros(3))
    nowhere = np.full(table.num_rows, -1, np.int64)
    found = []
    for choices in blocks(learnt.facts, learnt.products, reading.pairs(lines), nowhere):
        order = ranking.first(choices, rule.score(choices), FIRST)
        found.append(np.where(order >= 0, choices.product[order], -1))
    return np.concatenate(found)


def _popular(learnt: Learnt, table: pa.Table, person: Ints, product: Ints) -> dict[str, Quality]:
    """What everybody buys most, with or without what each person had: whichever foretells better."""
    many, n = len(learnt.products), table.num_rows
    both = reading.pairs(reading.bought(table, learnt.products))
    order = np.argsort(-learnt.facts.orders, kind="stable")
    everybody = np.tile(np.resize(np.append(order, np.full(FIRST, -1)), max(many, FIRST))[:FIRST], (n, 1))
    # As many as anybody had, and ten more: in there are the ten that each has not had.
    looked = order[: FIRST + int(np.bincount(both.person, minlength=n).max(initial=0))]
    had = np.zeros((n, many), np.bool_) if n * many < 2e7 else None
    found = {ALL: measuring.quality(everybody, person, product, many)}
    if had is not None:
        had[both.person, both.product] = True
        rank = np.cumsum(~had[:, looked], axis=1) * ~had[:, looked]
        said = np.full((n, FIRST), -1, np.int64)
        row, column = np.nonzero((rank > 0) & (rank <= FIRST))
        said[row, rank[row, column] - 1] = looked[column]
        found[OTHERS] = measuring.quality(said, person, product, many)
    best = max(found, key=lambda name: float(found[name].ndcg.mean()))
    return {best: found[best]}


def _metric(name: str, what: str, ours: Floats, of: str, theirs: Floats) -> Metric:
    low, high = measuring.interval(ours)
    gain = ours - theirs
    less, more = measuring.interval(gain)
    verdict = (
        "above it" if less > 0 else "below it" if more < 0 else "no different as far as these people show"
    )
    return Metric(
        f"{name} against {'own purchases' if of == OWN else 'the most bought'}",
        float(ours.mean()),
        of,
        float(theirs.mean()),
        low=max(low, 0.0),
        high=min(high, 1.0),
        meaning=(
            f"It is {what}; person by person the difference is {gain.mean():+.4f} "
            f"({less:+.4f} to {more:+.4f}), {verdict}."
        ),
    )


def _note(learnt: Learnt, quality: Quality, own: Quality) -> str:
    recipe = learnt.recipe
    rule = {
        "learnt": "weights learnt from what people took next",
        "goes together": "what goes together, without repeats",
        "own, then most bought": "own purchases by number, then the most bought",
    }[learnt.ranking.rule]
    less, more = measuring.interval(quality.recall - own.recall)
    against = "above" if less > 0 else "below" if more < 0 else "level with"
    return (
        f"Put in order by {rule}; tried on {learnt.how} before the cut (ridge {recipe.ridge:g}, drop-out "
        f"{recipe.drop:g}, evening {recipe.evening:g}, kind {recipe.kind:g}). Recall of the first ten is {against} "
        f"that of {OWN}."
    )


def _curves(
    scored: pa.Table, rows: Ints, table: pa.Table, learnt: Learnt, person: Ints, product: Ints
) -> tuple[Curve, ...]:
    """What the strength said beside the share that was taken, in groups of equal size."""
    ids = np.asarray(table.column("person").to_numpy(zero_copy_only=False), np.int64)[rows]
    order = np.argsort(ids)
    row = order[np.searchsorted(ids[order], scored.column("person").to_numpy())]
    place = learnt.products.places(scored.column("label").combine_chunks())
    said = np.asarray(scored.column("value").to_numpy(), np.float64)
    key = person * max(len(learnt.products), 1) + product
    seen = np.isin(row * max(len(learnt.products), 1) + place, key[product >= 0]).astype(np.float64)
    if len(said) < GROUPS * SHOWN:
        return ()
    points = []
    for part in np.array_split(np.argsort(said, kind="stable"), GROUPS):
        low, high = measuring.interval(seen[part])
        points.append(
            Point(
                float(said[part].mean()), float(seen[part].mean()), len(part), max(low, 0.0), min(high, 1.0)
            )
        )
    return (
        Curve(
            "recommendation_1",
            "probability",
            tuple(points),
            f"Of the products recommended to people who ordered again, {seen.mean():.1%} were taken; "
            f"{said.mean():.1%} was said.",
        ),
    )
