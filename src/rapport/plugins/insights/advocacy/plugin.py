"""How somebody stands toward the firm: on each network and overall, from -1 to 1, with what is not known of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives, is_sensitive
from rapport.kit import query
from rapport.plugins.insights.advocacy import judging, saying, standing, words
from rapport.plugins.insights.advocacy.saying import Flags, Floats, Ints, Said
from rapport.plugins.insights.advocacy.standing import Learnt, Standing
from rapport.plugins.insights.advocacy.words import LABELS

PEOPLE_AT_ONCE = 50_000  # scored together, so that memory does not grow with their number


@dataclass(frozen=True, slots=True)
class Stood:
    """Where everybody stands: overall, one row per person, and on each network, one row per person and network."""

    person: Standing
    case: Standing
    owner: Ints
    network: Any
    n_texts: Floats  # of each case
    good: Floats
    bad: Floats
    told: Floats  # judgements, each as far as it is one and the account genuine
    left_out: Flags
    elsewhere: Flags
    shared: Flags  # counts toward the overall standing


class Advocacy:
    """Standing toward the firm.

    advocacy:<network> : shrunk to the network's mean; a word is said only where the whole interval says it
    advocacy : over all networks whose terms let them be joined, surveys and recommendations
    """

    name = "advocacy"
    version = "1"
    title = "Standing toward us"
    meaning = "Who speaks well of us and who ill, on each network and overall, and how sure that is."
    limits = (
        "It reads tones, and the model of sentiment errs; irony is mostly missed. A post about a bad day counts like "
        "one about us. Who says nothing has no standing, and those who speak are not those who do not. Buying again "
        "is no advocacy and is not read. One or two posts leave the side open, and the word for that is unclear."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ("authenticity",)
    gives = (
        Gives(
            "score",
            "advocacy",
            "standing",
            -1,
            1,
            LABELS,
            "From speaking ill of us to speaking well, shrunk.",
        ),
    )
    # apart : networks whose terms forbid joining what is said there with what is known from elsewhere, by commas
    parameters: Mapping[str, Any] = {"window_days": 730, "apart": ""}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.advocacy", "advocacy")

    def fit(self, table: pa.Table, context: Context) -> bytes:  # noqa: ARG002  the contract's
        """How people of each network stand, and where answers to surveys part; JSON."""
        return json.dumps(standing.learn(saying.read(table)).as_json()).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        learnt = Learnt.from_json(json.loads(model))
        apart = networks_apart(context)
        parts = [SCORED.empty_table()]
        for begin in range(0, table.num_rows, PEOPLE_AT_ONCE):
            some = table.slice(begin, PEOPLE_AT_ONCE)
            said = saying.read(some)
            parts += _scored(stood(learnt, said, apart), said, some.column("person").combine_chunks())
        return pa.concat_tables(parts)

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Where people stood at the cut beside the tone of what they said after it."""
        said = saying.read(table)
        found = stood(standing.learn(said), said, networks_apart(context))
        return judging.judged(said, (found.owner, found.network, found.case), context)


def networks_apart(context: Context) -> frozenset[str]:
    given = str(context.parameters.get("apart", ""))
    return frozenset(name.strip().lower() for name in given.split(",") if name.strip())


def stood(learnt: Learnt, said: Said, apart: frozenset[str] = frozenset()) -> Stood:
    """Where everybody stands."""
    told, done, first = standing.by_person(learnt, said)
    texts = said.texts
    owner, network = texts.owner[first], texts.network[first]
    n = np.diff(np.append(first, len(texts))).astype(np.float64)
    shared = ~np.isin(network.astype(str), sorted(apart))
    pooled = done.copy()
    np.add.at(pooled, owner[shared], told[shared])
    # What is known from elsewhere is what everything together says, less what the network itself says.
    other = pooled[owner] - told
    log_case = told + standing.ELSEWHERE * np.where(shared[:, None], other, 0.0)
    for name in np.unique(network.astype(str)):
        mine = network == name
        log_case[mine] += learnt.of(str(name)).log_prior()
    weight = np.add.reduceat(texts.weight, first) if len(first) else np.zeros(0)
    good, bad, judgements = (
        np.add.reduceat(column, first) if len(first) else np.zeros(0)
        for column in (texts.positive, texts.negative, texts.weight * (texts.positive + texts.negative))
    )
    return Stood(
        standing.place(pooled + learnt.of("").log_prior()),
        standing.place(log_case),
        owner,
        network,
        n,
        good,
        bad,
        judgements,
        weight <= standing.WEIGHT_LEAST,
        shared & (np.abs(other).max(axis=1, initial=0.0) > 1e-6),
        shared,
    )


def _scored(found: Stood, said: Said, person: Any) -> list[pa.Table]:
    label = words.label(found.case, found.told)
    reason = words.on_network(
        words.network(found.network),
        words.texts(found.good, found.bad, found.n_texts),
        found.elsewhere,
        found.left_out,
        label,
    )
    spelt = found.network.astype(str)
    shown = [n for n in np.unique(spelt).tolist() if not is_sensitive(f"advocacy:{n}")]
    names = words.joined("advocacy:", pa.array(spelt, pa.string()))
    table = _rows(person.take(pa.array(found.owner)), names, found.case, label, reason)
    return [table.filter(pa.array(np.isin(spelt, shown))), _overall(found, said, person)]


def _overall(found: Stood, said: Said, person: Any) -> pa.Table:
    n, counts = said.n_persons, found.shared & ~found.left_out

    def summed(column: Floats) -> Floats:
        return np.bincount(found.owner, column * counts, minlength=n).astype(np.float64)

    n_texts = summed(found.n_texts)
    n_answers, n_referrals = (
        np.bincount(marks.owner, minlength=n).astype(np.float64) for marks in (said.answers, said.referrals)
    )
    label = words.label(found.person, summed(found.told) + n_answers + n_referrals)
    reason = words.overall(
        words.texts(summed(found.good), summed(found.bad), n_texts),
        n_texts,
        words.answered(standing.kind_of(said.answers.score), said.answers.owner, n),
        n_answers,
        n_referrals,
        label,
    )
    table = _rows(person, pa.repeat("advocacy", n), found.person, label, reason)
    return table.filter(pa.array(n_texts + n_answers + n_referrals > 0))


def _rows(person: Any, name: Any, s: Standing, label: Ints, reason: Any) -> pa.Table:
    value, low, high = (pa.array(np.round(column, 6)) for column in (s.value, s.low, s.high))
    return pa.table(
        [
            pc.cast(person, pa.int64()),
            name,
            value,
            pa.repeat("standing", len(value)),
            low,
            high,
            pa.array(LABELS).take(pa.array(label)),
            reason,
        ],
        schema=SCORED,
    )


plugin = Advocacy()
