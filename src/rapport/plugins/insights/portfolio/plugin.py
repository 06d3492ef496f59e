"""What people are worth against what serving them takes, and where a minute of answering saves the most."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.plugins.insights.portfolio import helping, judging, likeness, words
from rapport.plugins.insights.portfolio.helping import Help
from rapport.plugins.insights.portfolio.likeness import Likeness

Floats = NDArray[np.float64]

TIERS = ("A", "B", "C")
SHARES = (0.5, 0.8)  # of all worth, up to which a tier reaches
DAYS_LEAST = 90.0  # over which the spending of somebody new is spread
RISK_MOST = 4.0  # times the mean risk, beyond which it is taken for a slip of the other model
# Whoever is twice as likely to be dissatisfied is not twice as likely to leave for it: by how much of the
# ratio's logarithm. On the synthetic market the whole of it puts much money behind little.
RISK_TELLS = 0.5


@dataclass(frozen=True, slots=True)
class Worth:
    """Columns over people, in minor units of their own currency."""

    currency: pa.StringArray
    value: Floats  # what is at stake: what another model expects, else a margin on last year's spending
    cost: Floats  # of serving them in the last year
    minutes: Floats  # of it
    risk: Floats  # of being dissatisfied, beside the mean; 1 where nothing is known
    most: Floats  # probability of leaving, or of being dissatisfied if that is more, above which no answer can help


class Portfolio:
    """Four scores for everybody who ever ordered, complained or wrote.

    potential_minor : how far below the ceiling of people with like behaviour; 0 or more
    cost_to_serve_minor : minutes of staff, refunds and returns of the last 365 days; 0 or more
    effort_saving_minor : expected to be saved by a minute of answering them, for an answer as long as one to
        a message takes; 0 or more
    service_tier : worth less cost to serve; its label says whether they are of those who make up the first
        half of all worth (A), the next three tenths (B), or the rest (C)
    """

    name = "portfolio"
    version = "2"
    title = "Worth against effort"
    meaning = (
        "What each person could be worth at most, what serving them took in the last year, and what a minute "
        "of answering them is expected to save."
    )
    limits = (
        "What an answer saves is learnt from contacts that were answered and others that were not: where the "
        "firm chose whom to answer, that choice is in it, and where it answered nearly all, an assumption "
        "stands in its place. The ceiling says what others reached, not that this person wants to. Minutes "
        "and rates are the firm's own figures, and only as good as these. The cost of a minute and of a "
        "return is known in the firm's currency alone: for whoever buys in another one, only what is lost "
        "of money given back is counted."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ("value", "churn")
    gives = (
        Gives("score", "potential_minor", "minor", 0, 1e15, meaning="What they could be worth beyond today."),
        Gives("score", "cost_to_serve_minor", "minor", 0, 1e15, meaning="Cost of serving them in a year."),
        Gives(
            "score",
            "effort_saving_minor",
            "minor/minute",
            0,
            1e15,
            meaning="Expected to be saved by a minute of answering them.",
        ),
        Gives("score", "service_tier", "minor", -1e15, 1e15, TIERS, "Worth less the cost of serving them."),
    )
    parameters: Mapping[str, Any] = {
        "complaint_minutes": 15.0,
        "message_minutes": 8.0,
        "question_minutes": 5.0,
        "survey_minutes": 1.0,
        "refund_minutes": 10.0,
        "currency": "",  # of the firm, in which the next two are; empty: of each person
        "minute_rate_minor": 60.0,
        "return_cost_minor": 500.0,
        "refund_loss_ratio": 0.2,
        "half_life_hours": 48.0,
        "margin_ratio": 0.3,  # of what is spent, where no other model says what somebody is worth
        "answered_days": 30,  # an answer that comes later is none
        "returned_days": 90,  # within which an order after a contact counts as having stayed
    }
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.portfolio", "portfolio")

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Groups of people with like behaviour, what an answer helps, where the tiers part."""
        told = context.parameters
        currency = texts(table, "currency")
        cuts = likeness.size_cuts(currency, numbers(table, "order_minor"))
        risk = numbers(table, "dissatisfaction", np.nan)
        spoke = np.isfinite(risk) & (matters_a_year(table) > 0)
        help_ = helping.learn(
            helping.matters_of(table.column("matters"), told["returned_days"]),
            told["half_life_hours"],
            context.rng(),
        )
        model: dict[str, Any] = {
            "cuts": cuts,
            "help": help_.as_json(),
            "mean_risk": float(risk[spoke].mean()) if spoke.any() else 0.0,
        }
        worth = self._worth(model, table, context)
        model["ceilings"] = likeness.ceilings(self._like(model, table), worth.value)
        model["tiers"] = tiers_of(currency, worth.value - worth.cost)
        return json.dumps(model).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        if table.num_rows == 0:
            return SCORED.empty_table()
        learnt = json.loads(model)
        worth = self._worth(learnt, table, context)
        return pa.concat_tables(
            [
                self._potential(learnt, table, worth),
                self._cost(table, worth, context),
                self._saving(learnt, table, worth, context),
                self._tier(learnt, table, worth),
            ]
        )

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Whether the dear stay dear, the ceiling holds, and the worth saving is where the money comes from."""
        learnt = json.loads(self.fit(table, context))
        split = f"told before {context.now:%Y-%m-%d}, judged on the {context.horizon_days} days after it"
        if table.num_rows == 0:
            return Backtest((), 0, split, "There is nobody to judge it on.")
        worth = self._worth(learnt, table, context)
        top, _, _ = likeness.looked_up(self._like(learnt, table), learnt["ceilings"])
        return judging.judged(
            judging.Judged(
                currency=worth.currency,
                value=worth.value,
                ceiling=np.maximum(top, worth.value),
                cost=worth.cost,
                saving=self._per_minute(Help(**learnt["help"]).likely, worth, context),
                recency_days=numbers(table, "recency_days", np.inf),
                next_value=self._yearly(numbers(table, "next_spent_minor"), context.horizon_days, context),
                next_cost=cost_of(table, context, "next_")[0],
            ),
            helping.matters_of(table.column("pending"), context.parameters["returned_days"]),
            Help(**learnt["help"]),
            context,
            split,
        )

    def _like(self, model: Mapping[str, Any], table: pa.Table) -> Likeness:
        return likeness.likeness(
            texts(table, "currency"),
            texts(table, "category"),
            numbers(table, "order_minor"),
            numbers(table, "tenure_days"),
            model["cuts"],
        )

    def _worth(self, model: Mapping[str, Any], table: pa.Table, context: Context) -> Worth:
        currency = texts(table, "currency")
        known_days = np.clip(numbers(table, "tenure_days"), DAYS_LEAST, 365.0)
        own = self._yearly(numbers(table, "spent_minor"), known_days, context)
        said = numbers(table, "clv_minor", np.nan)
        arrow: Any = pc
        same = arrow.equal(texts(table, "clv_currency"), currency).to_numpy(zero_copy_only=False)
        value = np.where(np.isfinite(said) & same, said, own)
        cost, minutes = cost_of(table, context)
        risk = numbers(table, "dissatisfaction", np.nan)
        mean = model["mean_risk"]
        beside = (
            np.clip(risk / mean, 1 / RISK_MOST, RISK_MOST) ** RISK_TELLS if mean > 0 else np.ones(len(risk))
        )
        # Silence does not show what an open complaint will do, so the risk of silence alone is no ceiling.
        leaving = np.maximum(numbers(table, "churn_risk", 1.0), np.nan_to_num(risk))
        return Worth(
            currency=currency,
            value=np.maximum(value, 0.0),
            cost=cost,
            minutes=minutes,
            risk=np.where(np.isfinite(risk), beside, 1.0),
            most=np.clip(leaving, 0.0, 1.0),
        )

    def _yearly(self, spent: Floats, days: Floats | float, context: Context) -> Floats:
        """What the firm keeps of spending, as if it went on for a year."""
        yearly: Floats = np.clip(spent, 0.0, 1e14) * context.parameters["margin_ratio"] * 365.0 / days
        return yearly

    def _per_minute(self, help_: float, worth: Worth, context: Context) -> Floats:
        saved: Floats = worth.value * np.minimum(help_ * worth.risk, worth.most)
        minutes = max(float(context.parameters["message_minutes"]), 1e-9)
        return saved / minutes

    def _potential(self, model: Mapping[str, Any], table: pa.Table, worth: Worth) -> pa.Table:
        like = self._like(model, table)
        top, level, many = likeness.looked_up(like, model["ceilings"])
        beyond = np.maximum(top - worth.value, 0.0)
        alike = words.joined("buy in orders of ", sized(like), " size")
        narrow = words.joined("mostly buy ", like.category, " in orders of ", sized(like), " size")
        known = words.joined(" and are known ", pa.array(likeness.KNOWN).take(pa.array(like.tenure)))
        who = words.chosen(
            level == 0,
            words.joined(narrow, known),
            words.chosen(level == 1, words.joined(alike, known), alike),
        )
        who = words.chosen(level >= 3, "buy at all", who)
        theirs, own = words.money(top, worth.currency), words.money(worth.value, worth.currency)
        below = words.joined(
            "One in five of the ", words.whole(many), " people who ", who, " is worth ", theirs,
            " or more; this one is worth ", own, " today.",
        )  # fmt: skip
        above = words.joined(
            "Worth ", own, " today, which is as much as one in five of the ", words.whole(many),
            " people who ", who, " reaches: no more than that is expected.",
        )  # fmt: skip
        nobody = "There is nobody like them to compare with yet."
        reason = words.chosen(many == 0, nobody, words.chosen(beyond > 0, below, above))
        return rows(table, "potential_minor", beyond, words.unit(worth.currency), reason=reason)

    def _cost(self, table: pa.Table, worth: Worth, context: Context) -> pa.Table:
        what = words.listed(
            words.counted(numbers(table, "n_complaints"), "complaint", "complaints"),
            words.counted(numbers(table, "n_messages"), "message", "messages"),
            words.counted(numbers(table, "n_questions"), "question in public", "questions in public"),
            words.counted(numbers(table, "n_surveys"), "answered survey", "answered surveys"),
            words.counted(numbers(table, "n_refunds"), "refund", "refunds"),
        )
        rate = np.where(is_priced(worth.currency, context), context.parameters["minute_rate_minor"], 0.0)
        spent = worth.cost - worth.minutes * rate
        goods = words.chosen(
            spent > 0,
            words.joined(" and ", words.money(spent, worth.currency), " for goods that came back"),
            "",
        )
        reason = words.chosen(
            worth.cost > 0,
            words.joined(
                "In the last year ",
                what,
                ": ",
                words.tenths(worth.minutes),
                " minutes of service",
                goods,
                ".",
            ),
            words.chosen(
                worth.minutes > 0,
                words.joined("In the last year ", what, ", at no cost by the firm's figures."),
                "Nothing to serve in the last year: no complaint, no message, no refund.",
            ),
        )
        return rows(table, "cost_to_serve_minor", worth.cost, words.unit(worth.currency), reason=reason)

    def _saving(self, model: Mapping[str, Any], table: pa.Table, worth: Worth, context: Context) -> pa.Table:
        help_ = Help(**model["help"])
        value, low, high = (
            self._per_minute(h, worth, context) for h in (help_.likely, help_.low, help_.high)
        )
        n = table.num_rows
        kept = 100 * np.minimum(help_.likely * worth.risk, worth.most)
        source = (
            f"learnt from {help_.n_answered} answered and {help_.n_unanswered} unanswered contacts"
            if help_.is_learnt
            else "which is assumed, as too few contacts are known with and without an answer"
        )
        minutes = words.tenths(np.full(n, float(context.parameters["message_minutes"])))
        reason = words.joined(
            "Worth ", words.money(worth.value, worth.currency), "; of 100 such people an answer keeps about ",
            words.tenths(kept), f" who would else leave, {source}, and it takes ", minutes, " minutes.",
        )  # fmt: skip
        return rows(
            table,
            "effort_saving_minor",
            value,
            words.unit(worth.currency, "/minute"),
            low,
            high,
            reason=reason,
        )

    def _tier(self, model: Mapping[str, Any], table: pa.Table, worth: Worth) -> pa.Table:
        net = worth.value - worth.cost
        place = np.full(table.num_rows, 2)
        for currency, edges in model["tiers"].items():
            mine = likeness.there(worth.currency, currency)
            place[mine] = np.where(
                net[mine] <= 0, 2, (net[mine] < edges[0]).astype(int) + (net[mine] < edges[1])
            )
        label = pa.array(TIERS).take(pa.array(place))
        part = pa.array(
            [
                "of those who make up the first half of all worth",
                "of those who make up the next three tenths",
                "of all others",
            ]
        ).take(pa.array(place))
        reason = words.joined(
            "Tier ", label, ", ", part, ": worth ", words.money(worth.value, worth.currency), " against ",
            words.money(worth.cost, worth.currency), " to serve in a year; answered within the same time as everybody.",
        )  # fmt: skip
        return rows(table, "service_tier", net, words.unit(worth.currency), label=label, reason=reason)


def cost_of(table: pa.Table, context: Context, when: str = "n_") -> tuple[Floats, Floats]:
    """Cost of serving each in minor units, and the minutes in it; `when` is n_ (last year) or next_."""
    told = context.parameters
    kinds = {
        "complaints": "complaint_minutes",
        "messages": "message_minutes",
        "questions": "question_minutes",
        "surveys": "survey_minutes",
        "refunds": "refund_minutes",
    }
    minutes: Floats = np.zeros(table.num_rows)
    for what, minutes_each in kinds.items():
        minutes = minutes + numbers(table, f"{when}{what}") * told[minutes_each]
    given_back = numbers(table, "refunded_minor" if when == "n_" else f"{when}refunded_minor")
    priced = (
        minutes * told["minute_rate_minor"] + numbers(table, f"{when}refunds") * told["return_cost_minor"]
    )
    goods = given_back * told["refund_loss_ratio"]
    mine = is_priced(texts(table, "currency"), context)
    return np.clip(np.where(mine, priced, 0.0) + goods, 0.0, 1e15), minutes


def is_priced(currency: pa.StringArray, context: Context) -> NDArray[np.bool_]:
    """Where the firm's rates hold: in its own currency, and where none is stated."""
    firms = str(context.parameters["currency"])
    if not firms:
        return np.ones(len(currency), bool)
    return likeness.there(currency, firms) | likeness.there(currency, "")


def matters_a_year(table: pa.Table) -> Floats:
    """Complaints, messages and questions of the last year."""
    return numbers(table, "n_complaints") + numbers(table, "n_messages") + numbers(table, "n_questions")


def tiers_of(currency: pa.StringArray, net: Floats) -> dict[str, list[float]]:
    """By currency, the least worth of tier A and of tier B: those of most worth make up the SHARES."""
    found: dict[str, list[float]] = {}
    for name in pc.unique(currency).to_pylist():
        worth = np.sort(np.maximum(net[likeness.there(currency, name)], 0.0))[::-1]
        total = worth.sum()
        if total <= 0:
            found[name] = [float(np.finfo(np.float64).max)] * 2
            continue
        before = np.cumsum(worth) - worth  # of those worth more
        found[name] = [float(worth[np.flatnonzero(before < s * total)[-1]]) for s in SHARES]
    return found


def sized(like: Likeness) -> Any:
    """`small`, `middling` or `large`."""
    return pa.array(likeness.SIZES).take(pa.array(like.size))


def numbers(table: pa.Table, column: str, missing: float = 0.0) -> Floats:
    """A column as numbers, what is null in it as `missing`."""
    arrow: Any = pc
    filled = arrow.fill_null(arrow.cast(table.column(column), pa.float64()), missing)
    return np.asarray(filled.to_numpy(zero_copy_only=False), np.float64)


def texts(table: pa.Table, column: str) -> pa.StringArray:
    """A column as texts, what is null in it empty."""
    arrow: Any = pc
    filled = arrow.fill_null(arrow.cast(table.column(column), pa.string()), "")
    return filled.combine_chunks() if isinstance(filled, pa.ChunkedArray) else filled


def rows(
    table: pa.Table,
    name: str,
    value: Floats,
    unit: Any,
    low: Floats | None = None,
    high: Floats | None = None,
    *,
    label: Any = None,
    reason: Any,
) -> pa.Table:
    """One score of everybody."""
    n = table.num_rows
    return pa.table(
        [
            pc.cast(table.column("person"), pa.int64()),
            pa.repeat(name, n),
            pa.array(value),
            unit,
            pa.nulls(n, pa.float64()) if low is None else pa.array(low),
            pa.nulls(n, pa.float64()) if high is None else pa.array(high),
            pa.repeat("", n) if label is None else label,
            reason,
        ],
        schema=SCORED,
    )


plugin = Portfolio()
