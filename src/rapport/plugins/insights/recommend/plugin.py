"""Three products that suit a person next: what they buy again, and what goes with what they bought."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.plugins.insights.recommend import facts as counting
from rapport.plugins.insights.recommend import judging, learned, narrowing, ranking, reading, tuning, words
from rapport.plugins.insights.recommend.learned import Learnt
from rapport.plugins.insights.recommend.reading import Floats, Ints, Pairs
from rapport.plugins.insights.recommend.weighing import Choices, blocks

_arrow: Any = pc
UNIT = "probability"
NAMES = tuple(f"recommendation_{k}" for k in range(1, narrowing.SHOWN + 1))


class Recommend:
    """Up to three scores per person: the label is the product's code, the value the chance that it is bought.

    The chance is that of an order within the horizon, as the inner back-test found it for choices that were
    put as high for people who had ordered as much.
    """

    name = "recommend"
    version = "1"
    title = "Recommendations"
    meaning = "Up to three products that suit a person next, no two of a kind, each with its reason."
    limits = (
        "It knows what was ordered, and not what was looked at, what is in stock or what it earns. Of people "
        "without an order it knows at most the country. A product that nobody has bought yet is never "
        "recommended. That many who bought one thing took another does not show that being told of it would "
        "make anybody take it: only an experiment does."
    )
    purpose = "personalisation"
    after: tuple[str, ...] = ()
    gives = tuple(
        Gives(
            "score",
            name,
            UNIT,
            0,
            1,
            meaning=f"The {nth} product to offer, and the chance that it is bought.",
        )
        for name, nth in zip(NAMES, ("first", "second", "third"), strict=True)
    )
    parameters: Mapping[str, Any] = {"products": 10_000, "people": 300_000}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.recommend", "recommend")

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Count, try, and keep what did best on a part held back; see `tuning`."""
        rng = context.rng()
        products = reading.catalogue(table)
        lines = reading.bought(table, products)
        codes, country = _countries(table)
        tuned = tuning.tune(lines, products, country, codes, context.horizon_days, rng)
        told = counting.facts(
            lines,
            len(products),
            country,
            codes,
            tuned.recipe,
            int(context.parameters["products"]),
            int(context.parameters["people"]),
            rng,
        )
        return learned.as_bytes(Learnt(products, told, tuned.ranking, tuned.recipe, tuned.how))

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002  the contract's
        learnt = learned.from_bytes(model)
        if table.num_rows == 0 or len(learnt.products) == 0:
            return SCORED.empty_table()
        person = table.column("person").to_numpy(zero_copy_only=False).astype(np.int64)
        lines = reading.bought(table, learnt.products)
        lively = ranking.lively(lines)
        both, country = reading.pairs(lines), _places(table, learnt.facts.country_codes)
        refunded = reading.named(table, "refunded", learnt.products)
        like = narrowing.kinds(learnt.products, learnt.facts)
        threads = os.cpu_count() or 1

        def scored(thread: int) -> list[pa.Table]:
            parts = []
            for choices in blocks(learnt.facts, learnt.products, both, country, part=(thread, threads)):
                order, likely = _ordered(learnt, choices, refunded, narrowing.LOOKED_AT)
                picked = narrowing.three(choices, order, like)
                parts.append(_rows(learnt, choices, picked, likely, both, person, country, lively))
            return parts

        with ThreadPoolExecutor(threads) as pool:
            dealt = list(pool.map(scored, range(threads)))
        parts = [part for row in zip_longest(*dealt) for part in row if part is not None]
        return pa.concat_tables(parts).combine_chunks()

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Whether people take what is put first, beside their own usual purchases and what everybody buys."""
        return judging.backtest(self, table, context)

    def ranked(self, model: bytes, table: pa.Table, k: int = 10) -> pa.Table:
        """The k products put first for each row, before they are narrowed to three of different kinds.

        Columns person, place (from 1) and product_code; one row per person and place.
        """
        learnt = learned.from_bytes(model)
        person = table.column("person").to_numpy(zero_copy_only=False).astype(np.int64)
        rows, places, codes = [], [], []
        for first, product in self.places(learnt, table, k):
            row, place = np.nonzero(product >= 0)
            rows.append(person[row + first])
            places.append(place + 1)
            codes.append(product[row, place])
        return pa.table(
            {
                "person": pa.array(np.concatenate([np.zeros(0, np.int64), *rows])),
                "place": pa.array(np.concatenate([np.zeros(0, np.int64), *places])),
                "product_code": learnt.products.codes.take(
                    pa.array(np.concatenate([np.zeros(0, np.int64), *codes]))
                ),
            }
        )

    def places(self, learnt: Learnt, table: pa.Table, k: int) -> Iterator[tuple[int, Ints]]:
        """Block by block: its first row, and rows x k places in the catalogue, -1 where there are no more."""
        lines = reading.bought(table, learnt.products)
        both, country = reading.pairs(lines), _places(table, learnt.facts.country_codes)
        refunded = reading.named(table, "refunded", learnt.products)
        for choices in blocks(learnt.facts, learnt.products, both, country):
            order, _ = _ordered(learnt, choices, refunded, k)
            product = choices.product if len(choices.product) else np.array([-1])
            yield choices.first, np.where(order >= 0, product[order], -1)


def _ordered(learnt: Learnt, choices: Choices, refunded: tuple[Ints, Ints], k: int) -> tuple[Ints, Floats]:
    """Rows x k entries, best first, and the log share of every entry in its person's choices."""
    score = learnt.ranking.score(choices)
    likely = ranking.shares(choices.person, score, choices.n)
    out = narrowing.left_out(choices, learnt.products, learnt.facts, refunded)
    order = ranking.first(choices, np.where(out, -np.inf, score), k)
    if len(out):
        order[out[order] & (order >= 0)] = -1
    return order, likely


def _rows(
    learnt: Learnt,
    choices: Choices,
    picked: Ints,
    likely: Floats,
    both: Pairs,
    person: Ints,
    country: Ints,
    lively: Floats,
) -> pa.Table:
    a, b = np.searchsorted(both.person, [choices.first, choices.first + choices.n])
    own = Pairs(
        both.person[a:b] - choices.first,
        both.product[a:b],
        both.n[a:b],
        both.last_days_ago[a:b],
        both.first_days_ago[a:b],
    )
    row, place = np.nonzero(picked >= 0)
    entries = picked[row, place]
    here = country[choices.first : choices.first + choices.n]
    value = ranking.probability(learnt.ranking.certainty, likely[entries], lively[row + choices.first])
    n = len(row)
    return pa.table(
        [
            pa.array(person[row + choices.first]),
            pa.array(NAMES).take(pa.array(place)),
            pa.array(value),
            pa.repeat(UNIT, n),
            pa.nulls(n, pa.float64()),
            pa.nulls(n, pa.float64()),
            learnt.products.codes.take(pa.array(choices.product[entries])),
            words.reasons(choices, entries, own, learnt.facts, learnt.products, here),
        ],
        schema=SCORED,
    )


def _countries(table: pa.Table) -> tuple[tuple[str, ...], Ints]:
    """The most frequent countries, and each row's place among them."""
    column = reading.countries(table)
    counted = [c for c in _arrow.value_counts(column).to_pylist() if c["values"]]
    counted.sort(key=lambda c: (-c["counts"], c["values"]))
    codes = tuple(c["values"] for c in counted[: counting.MOST_COUNTRIES])
    return codes, _places(table, codes)


def _places(table: pa.Table, codes: tuple[str, ...]) -> Ints:
    found = _arrow.index_in(reading.countries(table), value_set=pa.array(codes, pa.string()))
    return np.asarray(_arrow.fill_null(found, -1).to_numpy(zero_copy_only=False), np.int64)


plugin = Recommend()
