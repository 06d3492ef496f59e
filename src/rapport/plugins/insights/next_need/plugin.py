"""What each person will need next, and when: the next order, what it will be of, and what is due again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.plugins.insights.next_need import foretelling, judging, learned, words
from rapport.plugins.insights.next_need.foretelling import LONGEST_DAYS, Pick, When
from rapport.plugins.insights.next_need.learned import Learnt
from rapport.plugins.insights.next_need.reading import Floats, Ints

CHANCE = "probability"


class NextNeed:
    """Five scores for everybody who ever ordered, as far as their orders say what was in them.

    next_order_days : days from now to the next order of somebody who orders again; the interval holds 80 %
    next_category : chance that the next order holds the category that is its label, the likeliest
    next_category_days : days from now until that category is bought
    next_repeat_category, next_new_category : likewise, of what the person has bought and has not
    """

    name = "next_need"
    version = "1"
    title = "Next need"
    meaning = (
        "When a person orders next, what of, and whether that is something they buy again or something new."
    )
    limits = (
        "It says when, for those who come back; whether somebody comes back is another model's. It knows the "
        "rhythm of past orders and nothing of what the person plans: who moved house or sold the car needs "
        "other things from one day to the next. The season of a category is known from a year of orders on."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ()
    gives = (
        Gives("score", "next_order_days", "days", 0, LONGEST_DAYS, meaning="Days until the next order."),
        Gives("score", "next_category", CHANCE, 0, 1, meaning="What the next order is likeliest to hold."),
        Gives("score", "next_category_days", "days", 0, LONGEST_DAYS, meaning="Days until that is bought."),
        Gives(
            "score",
            "next_repeat_category",
            CHANCE,
            0,
            1,
            meaning="What is likeliest of the things bought before.",
        ),
        Gives(
            "score",
            "next_new_category",
            CHANCE,
            0,
            1,
            meaning="What is likeliest of the things never bought.",
        ),
    )
    parameters: Mapping[str, Any] = {"categories": 300}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.next_need", "next_need")

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Pauses and weights, learnt from earlier cuts of the same rows; see `timing` and `choosing`."""
        return learned.as_bytes(
            learned.learn(table, context.horizon_days, int(context.parameters["categories"]), context.rng())
        )

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002  the contract's
        if table.num_rows == 0:
            return SCORED.empty_table()
        learnt = learned.from_bytes(model)
        person = table.column("person").to_numpy(zero_copy_only=False).astype(np.int64)
        when, picks = foretelling.when(table, learnt), foretelling.picks(table, learnt)
        reason = words.order(when.n, when.usual_days, when.elapsed_days)
        nothing = pa.repeat("", len(person))
        parts = [
            _rows(person, "next_order_days", when.middle, "days", nothing, reason, (when.low, when.high))
        ]
        for name, pick in (
            ("next_category", picks.likeliest),
            ("next_repeat_category", picks.repeat),
            ("next_new_category", picks.new),
        ):
            label, why = _told(learnt, pick)
            parts.append(_rows(person[pick.rows], name, pick.chance, CHANCE, label, why))
            if name == "next_category":
                days = _days_of(table, learnt, pick, when)
                middle, ends = days[1], (days[0], days[2])
                parts.append(_rows(person[pick.rows], "next_category_days", middle, "days", label, why, ends))
        return pa.concat_tables(parts).combine_chunks()

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Whether the next order came when it was said to, and held what was said, beside naive rules."""
        return judging.backtest(self, table, context)


def _told(learnt: Learnt, pick: Pick) -> tuple[Any, Any]:
    names = pa.array(learnt.categories, pa.string())
    label = names.take(pa.array(pick.category))
    why = words.category(
        label,
        pick.n,
        pick.usual_days,
        pick.since_days + 0.5,
        names.take(pa.array(pick.after)),
        pick.follows,
        pick.seasonal,
    )
    return label, why


def _days_of(table: pa.Table, learnt: Learnt, pick: Pick, when: When) -> tuple[Floats, Floats, Floats]:
    """Low, middle and high: by the category's own pauses where it was bought, else with the next order."""
    again = pick.n > 0
    days = tuple(column[pick.rows].copy() for column in (when.low, when.middle, when.high))
    if again.any():
        own = foretelling.when_again(table, learnt, pick.rows[again], pick.category[again])
        for column, mine in zip(days, (own.low, own.middle, own.high), strict=True):
            column[again] = mine
    return days[0], days[1], days[2]


def _rows(
    person: Ints,
    name: str,
    value: Floats,
    unit: str,
    label: Any,
    reason: Any,
    ends: tuple[Floats, Floats] | None = None,
) -> pa.Table:
    n = len(person)
    nothing = pa.nulls(n, pa.float64())
    return pa.table(
        [
            pa.array(person),
            pa.repeat(name, n),
            pa.array(value),
            pa.repeat(unit, n),
            nothing if ends is None else pa.array(ends[0]),
            nothing if ends is None else pa.array(ends[1]),
            label,
            reason,
        ],
        schema=SCORED,
    )


plugin = NextNeed()
