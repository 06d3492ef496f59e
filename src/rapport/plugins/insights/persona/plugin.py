"""Personas: people who live, buy and speak alike, found and not made up; as many as come back when looked for again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives
from rapport.kit import query
from rapport.plugins.insights.persona import choosing, encoding, judging, learned, mixture, words
from rapport.plugins.insights.persona.encoding import Scales
from rapport.plugins.insights.persona.learned import Learned

PEOPLE_LEAST = 60  # fewer tell nothing that would come back


class Persona:
    """One score for everybody who ordered, or whom a source identified.

    persona : the probability that they belong to the persona that fits best, in [0, 1]; its label is the persona's key
    """

    name = "persona"
    version = "1"
    title = "Personas"
    meaning = (
        "Which kind of person somebody is by how they buy, look around and speak, and how well that fits."
    )
    limits = (
        "A persona is a description of many and never the truth about one: most people are a little of several, "
        "and a fit below one half says so. Whoever is hardly known is put with the most common. It says how somebody "
        "buys and not how much; that is what recency and value are for. Hours are those of a country's largest zone, "
        "without summer time."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ("value", "churn")
    gives = (
        Gives("score", "persona", "probability", 0, 1, meaning="How well the persona fits that fits best."),
    )
    parameters: Mapping[str, Any] = {
        "most": choosing.MOST,  # personas
        "refits": choosing.REFITS,
        "learnt_from": 6_000,  # people drawn at random, whatever the number of all
        "first_free": 1,  # number of the next persona that is new
    }
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.persona", "persona")

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """How many personas come back, what they are like, and the keys under which they go on."""
        return _learn(table, context).to_bytes()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002  the contract's
        known = learned.read(model)
        if table.num_rows == 0 or known.mixture is None:
            return SCORED.empty_table()
        return pa.concat_tables([_scored(known, chunk) for chunk in encoding.chunks(table)])

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Whether personas come back, and say what people buy next better than demographics."""
        split = f"told before {context.now:%Y-%m-%d}, judged on the {context.horizon_days} days after it"
        return judging.judged(_learn(table, context), table, context, split)


def _learn(table: pa.Table, context: Context) -> Learned:
    rng = context.rng()
    if table.num_rows < PEOPLE_LEAST:
        return Learned(Scales({}, {}, {}), [], [], None, None, [], table.num_rows)
    sample = table.take(pa.array(rng.permutation(table.num_rows)[: context.parameters["learnt_from"]]))
    scales = encoding.learn(sample)
    people = encoding.encode(sample, scales)
    rho = [round(alike, 6) for alike in mixture.alikeness(people, scales)]
    inputs = mixture.weigh(people, scales, rho)
    model, tried = choosing.choose(inputs, rng, context.parameters["refits"], context.parameters["most"])
    keys: list[str] = []
    if model is not None:
        own = mixture.belonging(inputs, model)[0].argmax(axis=1)
        keys = learned.keys_for(own, len(model), sample.column("former"), context.parameters["first_free"])
    return Learned(scales, rho, keys, model, mixture.everybody(inputs), tried, table.num_rows)


def _scored(known: Learned, table: pa.Table) -> pa.Table:
    assert known.mixture is not None
    assert known.base is not None
    inputs = mixture.weigh(encoding.encode(table, known.scales), known.scales, known.rho)
    belongs, _ = mixture.belonging(inputs, known.mixture)
    own = belongs.round(6).argmax(axis=1)
    n = table.num_rows
    return pa.table(
        [
            pc.cast(table.column("person"), pa.int64()),
            pa.repeat("persona", n),
            pa.array(np.clip(belongs[np.arange(n), own], 0, 1).round(4)),
            pa.repeat("probability", n),
            pa.nulls(n, pa.float64()),
            pa.nulls(n, pa.float64()),
            pa.array(known.keys, pa.string()).take(pa.array(own)),
            words.reasons(known.scales, inputs, known.mixture, known.base, own),
        ],
        schema=SCORED,
    )


plugin = Persona()
