"""How likely each buyer is not to order again soon, and how likely somebody is dissatisfied now."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.plugins.insights.churn import displeasure, figures, histories, judging, silence, words
from rapport.plugins.insights.churn.histories import Floats, Histories, Ints
from rapport.plugins.insights.churn.rhythm import Rhythm

PEOPLE_LEARNT = 25_000  # people that the model learns from
PEOPLE_AT_ONCE = 100_000  # people scored together, so that memory does not grow with their number
FEW_ANSWERS = 30  # with fewer no share is named
LABELS = ("new", "one order", "on rhythm", "late", "overdue")


class Churn:
    """Two chances.

    churn_risk : of no order within the horizon; for everybody who ever ordered; its label is where the person
        stands in their own rhythm
    dissatisfaction : of a low answer if one asked today; for everybody who ordered or told us something, where
        the log holds anything that could show it
    """

    name = "churn"
    version = "1"
    title = "Leaving and displeasure"
    meaning = "How likely each buyer is not to order again within 90 days, how likely somebody is dissatisfied now, and why."
    limits = (
        "Not to order within 90 days is not to have left: who orders once a year is mostly silent that long. A season "
        "unlike last year's, a campaign or a shortage shifts everybody. Dissatisfaction is what people would "
        "answer if asked, learnt from those who answered, and many never do; without ratings it is a rule of thumb."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ()
    gives = (
        Gives("score", "churn_risk", "probability", 0, 1, LABELS, "Chance of no order within 90 days."),
        Gives(
            "score", "dissatisfaction", "probability", 0, 1, meaning="Chance of a low answer if asked today."
        ),
    )
    parameters: Mapping[str, Any] = {}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.churn", "churn")

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Learn from earlier cut-offs, each with its horizon before now; JSON."""
        n = table.num_rows
        if n > PEOPLE_LEARNT:
            some = np.sort(context.rng().choice(n, PEOPLE_LEARNT, replace=False))
            people = histories.read(table.take(pa.array(some)))
        else:
            people = histories.read(table)
        leaving = silence.learn(people, context)
        displeased = displeasure.learn(people, context.rng())
        return json.dumps({"silence": leaving.as_json(), "displeasure": displeased.as_json()}).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        leaving, displeased = learnt(model)
        parts = [SCORED.empty_table()]
        for begin in range(0, table.num_rows, PEOPLE_AT_ONCE):
            some = table.slice(begin, PEOPLE_AT_ONCE)
            people = histories.read(some, leaving.answers_known)
            parts.append(_leaving(leaving, people, some, context))
            if displeased.evidence:
                parts.append(_displeased(displeased, people, some, context))
        return pa.concat_tables(parts)

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Learnt on what lay before the cut, judged on the horizon after it."""
        leaving, displeased = learnt(self.fit(table, context))
        return judging.judged(leaving, displeased, table, context, PEOPLE_AT_ONCE)


def learnt(model: bytes) -> tuple[silence.Learnt, displeasure.Learnt]:
    """What `fit` gave."""
    given = json.loads(model)
    return silence.Learnt.from_json(given["silence"]), displeasure.Learnt.from_json(given["displeasure"])


def label(rhythm: Rhythm, typical_gap_days: float) -> Ints:
    """(people,): the place among LABELS of where each one stands in their own rhythm."""
    gap = figures.own_gap(rhythm)
    return np.select(
        [rhythm.n < 2, rhythm.last <= 1.25 * gap, rhythm.last <= 2.5 * gap],
        [np.where(rhythm.last <= 1.25 * typical_gap_days, 0, 1), 2, 3],
        4,
    ).astype(np.int64)


def _leaving(model: silence.Learnt, people: Histories, table: pa.Table, context: Context) -> pa.Table:
    row = people.buyers(0.0)
    seen = silence.seen_at(people, row, 0.0, model.subjects, model.typical_minor, model.horizon_days)
    said = silence.say(model, seen)
    offered = words.clauses(people, row, seen.rhythm, _complaint(table, row), context.now)
    raises = said.chance >= model.share
    reasons = words.sentence([words.rhythm(seen.rhythm), *words.strongest(offered, said.by_subject, raises)])
    labels = pa.array(LABELS).take(pa.array(label(seen.rhythm, model.typical_gap_days)))
    return _rows(table, row, "churn_risk", said.chance, labels, reasons)


def _displeased(model: displeasure.Learnt, people: Histories, table: pa.Table, context: Context) -> pa.Table:
    row = np.arange(people.n)
    at = np.zeros(people.n)
    said = displeasure.say(model, displeasure.seen_at(people, row, at))
    offered = words.clauses(people, row, Rhythm.of(people, row, at), _complaint(table, row), context.now)
    raising = words.strongest(offered, said.by_subject, np.ones(people.n, np.bool_))
    calming = words.strongest(offered, said.by_subject, np.zeros(people.n, np.bool_), most=1)
    arrow: Any = pc
    silent = arrow.equal(words.joined(*raising, *calming), "")
    few = "too few answers so far to know how many are low"
    asked = f"of {model.n:,} answers so far {model.share:.0%} were low" if model.n >= FEW_ANSWERS else few
    nothing = arrow.if_else(silent, f"said and did nothing that points either way; {asked}", "")
    but = arrow.if_else(arrow.or_(silent, arrow.equal(calming[0], "")), "", calming[0])
    return _rows(
        table,
        row,
        "dissatisfaction",
        said.chance,
        pa.repeat("", people.n),
        words.sentence([*raising, but, nothing]),
    )


def _complaint(table: pa.Table, row: Ints) -> Any:
    return pc.cast(table.column("last_complaint"), pa.string()).combine_chunks().take(pa.array(row))


def _rows(table: pa.Table, row: Ints, name: str, value: Floats, label_: Any, reason: Any) -> pa.Table:
    n = len(row)
    person = pc.cast(table.column("person"), pa.int64()).combine_chunks().take(pa.array(row))
    none = pa.nulls(n, pa.float64())
    columns = [
        person,
        pa.repeat(name, n),
        pa.array(np.round(value, 6)),
        pa.repeat("probability", n),
        none,
        none,
        label_,
        reason,
    ]
    return pa.table(columns, schema=SCORED)


plugin = Churn()
