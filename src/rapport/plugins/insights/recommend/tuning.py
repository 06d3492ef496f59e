"""An inner back-test: part of what is known is held back, and decides what the model is made of.

What is held back is what came in the last stretch as long as the horizon; where hardly anybody bought both
before and in it, each person's last order; where orders have no time, a random tenth.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from rapport.plugins.insights.recommend import facts as counting
from rapport.plugins.insights.recommend import measuring, ranking, similar
from rapport.plugins.insights.recommend.facts import Facts
from rapport.plugins.insights.recommend.ranking import RULES, Ranking
from rapport.plugins.insights.recommend.reading import Bought, Catalogue, Flags, Floats, Ints, Singles, pairs
from rapport.plugins.insights.recommend.similar import Recipe
from rapport.plugins.insights.recommend.weighing import FEATURES, Choices, blocks

LEAST = 40  # people on whom a choice is made
MOST_JUDGED = 5_000
MOST_LEARNT = 50_000  # people whose purchases the trial models are made of
MOST_PRODUCTS = 1_700
RIDGES = (1.0, 4.0, 12.0)
DROPS = (0.3, 0.6)
EVENINGS = (0.0, 0.5)
KINDS = (0.0, 0.15, 0.4)


@dataclass(frozen=True, slots=True)
class Held:
    """What is known without the held-back part, and what that part holds."""

    known: Bought
    person: Ints  # rows that took something, and had something known; one entry per product taken
    product: Ints
    how: str


@dataclass(frozen=True, slots=True)
class Tuned:
    """What the inner back-test chose."""

    recipe: Recipe
    ranking: Ranking
    how: str


def hold_back(lines: Bought, horizon_days: float, rng: np.random.Generator) -> Held | None:
    """Divide the lines; None where too few people have anything on both sides."""
    if len(lines) == 0:
        return None
    span = float(lines.days_ago.max() - lines.days_ago.min())
    horizon = min(horizon_days, span / 3)
    newest = float(lines.days_ago.min())
    first, last = np.full(lines.n, -np.inf), np.full(lines.n, np.inf)
    np.maximum.at(first, lines.person, lines.days_ago)
    np.minimum.at(last, lines.person, lines.days_ago)
    several = int((first > last).sum())
    recent = lines.days_ago <= newest + horizon
    held = _held(lines, recent, newest + horizon, "what came in the last stretch")
    if held is not None and len(np.unique(held.person)) >= max(LEAST, several / 10):
        return held
    held = _held(lines, lines.days_ago <= last[lines.person], 0.0, "each person's last order")
    if held is not None and len(np.unique(held.person)) >= max(LEAST, lines.n / 20):
        return held
    return _held(lines, rng.random(len(lines)) < 0.1, 0.0, "a random tenth")


def _held(lines: Bought, apart: Flags, shift_days: float, how: str) -> Held | None:
    known = Bought(
        lines.n,
        lines.person[~apart],
        lines.product[~apart],
        np.maximum(lines.days_ago[~apart] - shift_days, 0.0),
    )
    has = np.bincount(known.person, minlength=lines.n) > 0
    took = apart & has[lines.person]
    many = int(lines.product.max(initial=0)) + 1
    person, product = np.divmod(np.unique(lines.person[took] * many + lines.product[took]), many)
    if len(np.unique(person)) < LEAST:
        return None
    return Held(known, person, product, how)


def tune(
    lines: Bought,
    products: Catalogue,
    country: Ints,
    country_codes: tuple[str, ...],
    horizon_days: float,
    rng: np.random.Generator,
) -> Tuned:
    """Choose the linear model's recipe, the weights of what speaks for a product, and the rule."""
    held = hold_back(lines, horizon_days, rng)
    if held is None:
        return Tuned(Recipe(), ranking.GUESSED, "nobody, for too few had ordered twice")
    rows = np.unique(held.person)
    if len(rows) > MOST_JUDGED:
        rows = np.sort(rng.choice(rows, MOST_JUDGED, replace=False))
    where = np.full(lines.n, -1, np.int64)
    where[rows] = np.arange(len(rows))
    asked = where[held.person] >= 0
    person, product = where[held.person[asked]], held.product[asked]
    recipe = _recipe(held, rows, person, product, len(products), rng)
    told = counting.facts(
        held.known, len(products), country, country_codes, recipe, MOST_PRODUCTS, MOST_LEARNT, rng
    )
    chosen = _ranking(told, products, held, rows, person, product, country)
    return Tuned(recipe, chosen, held.how)


def _recipe(
    held: Held, rows: Ints, person: Ints, product: Ints, n_products: int, rng: np.random.Generator
) -> Recipe:
    """The recipe whose first ten new products hold most of the new products taken."""
    both = pairs(held.known)
    kept = counting.kept_products(
        np.bincount(both.product, minlength=n_products).astype(float), MOST_PRODUCTS
    )
    place = np.full(n_products, -1, np.int64)
    place[kept] = np.arange(len(kept))
    x = similar.incidence(both, place, held.known.n)
    judged = x[rows]
    had = judged.toarray() > 0
    column = place[product]
    # Products outside the trial models say nothing about them.
    new = (column >= 0) & ~had[person, np.maximum(column, 0)]
    who = np.unique(person[new])
    if len(who) < LEAST or x.shape[1] < 12:
        return Recipe()
    at = np.searchsorted(who, person[new])
    judged, had = judged[who], had[who]
    others = np.diff(x.indptr) > 1
    x = x[others]
    if x.shape[0] > MOST_LEARNT:
        x = x[np.sort(rng.choice(x.shape[0], MOST_LEARNT, replace=False))]

    counted = {evening: similar.together(x, evening) for evening in EVENINGS}
    directions = similar.directions_of(counted[0.0])
    worth: dict[Recipe, float] = {}

    def better(*recipes: Recipe) -> Recipe:
        for recipe in recipes:
            if recipe not in worth:
                score = np.asarray(
                    judged @ similar.weights(counted[recipe.evening], recipe, directions).astype(np.float32)
                )
                score[had] = -np.inf
                worth[recipe] = _ndcg(score, at, column[new])
        return max(recipes, key=lambda r: worth[r])

    # One thing after the other: all together would take many times as long, and gain little.
    chosen = better(*(Recipe(ridge, DROPS[1], EVENINGS[1], KINDS[1]) for ridge in RIDGES))
    chosen = better(*(replace(chosen, evening=evening) for evening in EVENINGS))
    chosen = better(*(replace(chosen, drop=drop) for drop in DROPS))
    return better(*(replace(chosen, kind=kind) for kind in KINDS))


def _ndcg(score: Singles, person: Ints, column: Ints) -> float:
    top = similar.best(score, measuring.FIRST)
    order = np.argsort(-np.take_along_axis(score, top, axis=1), axis=1, kind="stable")
    said = np.take_along_axis(top, order, axis=1)
    return float(measuring.quality(said, person, column, score.shape[1]).ndcg.mean())


def _ranking(
    told: Facts, products: Catalogue, held: Held, rows: Ints, person: Ints, product: Ints, country: Ints
) -> Ranking:
    """Learn the weights on half of the people and judge every rule on the other, both ways round."""
    both = pairs(held.known)
    (choices,) = blocks(told, products, both, country, rows, size=max(len(rows), 1))
    many = len(products)
    key = person * many + product
    asked = choices.person * many + choices.product
    taken = np.isin(asked, key).astype(np.float64)
    if taken.sum() < LEAST:
        return ranking.GUESSED
    half = (rows % 2).astype(bool)
    score = np.zeros(len(asked))
    for side in (False, True):
        learnt = _half(choices, taken, half == side)
        score[half[choices.person] != side] = choices.features[half[choices.person] != side] @ learnt
    lively = ranking.lively(held.known)[rows]
    worth: dict[str, float] = {}
    best, best_score = RULES[0], score
    for rule in RULES:
        said = (
            score if rule == "learnt" else Ranking(rule, np.zeros(len(FEATURES)), np.zeros(3)).score(choices)
        )
        order = ranking.first(choices, said, measuring.FIRST)
        codes = np.where(order >= 0, choices.product[order], -1)
        worth[rule] = float(measuring.quality(codes, person, product, many).ndcg.mean())
        if worth[rule] > worth[best]:
            best, best_score = rule, said
    # Deeper than three, because what is shown is not always what stands first.
    top = ranking.first(choices, best_score, measuring.FIRST)
    top = top[top >= 0]
    likely = ranking.shares(choices.person, best_score, choices.n)
    certainty = ranking.calibrate(likely[top], lively[choices.person[top]], taken[top])
    everybody = ranking.learn(choices.features, choices.person, taken, choices.n)
    return Ranking(best, everybody, certainty)


def _half(choices: Choices, taken: Floats, of: Flags) -> Floats:
    mine = of[choices.person]
    place = np.cumsum(of) - 1
    return ranking.learn(choices.features[mine], place[choices.person[mine]], taken[mine], int(of.sum()))
