"""Who lurks, contributes or leads on each network, and how far somebody's posts travel."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import SCORED, Backtest, Context, Gives, is_sensitive
from rapport.kit import query
from rapport.plugins.insights.participation import judging, places, rates, travel, words
from rapport.plugins.insights.participation.places import Floats, Places
from rapport.plugins.insights.participation.rates import LEVELS, Mixture, Rate

PEOPLE_AT_ONCE = 200_000  # scored together, so that memory does not grow with their number


class Participation:
    """Three scores.

    participation:<network>, participation : posts a week, drawn toward those of others like them; the label is the
        level, overall the highest on any network
    influence : how many times as far as usual a post of theirs travels, apart from how many there are
    """

    name = "participation"
    version = "1"
    title = "Taking part"
    meaning = (
        "Who mostly reads, who writes now and then and who leads on each network, and whose posts travel."
    )
    limits = (
        "It knows posts that a source reported: who reads and never writes is not seen, and a gap in a source "
        "looks like silence. Who lately came to a network is taken to have been silent before. Reach is what the "
        "network states, which differs from one to the next; it is compared within a network alone."
    )
    purpose = "profiling"
    after: tuple[str, ...] = ()
    gives = (
        Gives(
            "score",
            "participation",
            "posts a week",
            0,
            1e6,
            LEVELS,
            "Posts a week, shrunk; the level as label.",
        ),
        Gives("score", "influence", "times the usual", 0, 1e9, meaning="How far a post of theirs travels."),
    )
    parameters: Mapping[str, Any] = {"window_days": 365}
    shipped = None

    @property
    def needs(self) -> query.Query:
        return query.load("rapport.plugins.insights.participation", "participation")

    def fit(self, table: pa.Table, context: Context) -> bytes:  # noqa: ARG002  the contract's
        """A mixture of rates and what is usual, network by network; JSON."""
        seen = places.read(table)
        learnt = {
            "rates": rates.as_json(rates.learn(seen)),
            "travel": travel.as_json(travel.learn(seen)),
        }
        return json.dumps(learnt).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002
        parts = [SCORED.empty_table()]
        for begin in range(0, table.num_rows, PEOPLE_AT_ONCE):
            some = table.slice(begin, PEOPLE_AT_ONCE)
            parts += _scored(model, places.read(some), some.column("person").combine_chunks())
        return pa.concat_tables(parts)

    def explain(self, row: Mapping[str, Any]) -> str:
        return str(row["reason"])

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Rates learnt before the cut beside the posts of the time after it."""
        seen = places.read(table)
        return judging.judged(seen, rates.rates(rates.learn(seen), seen), context)


def mixtures(model: bytes) -> dict[str, Mixture]:
    """What `fit` gave, of rates."""
    return {name: Mixture.from_json(one) for name, one in json.loads(model)["rates"].items()}


def _scored(model: bytes, seen: Places, person: Any) -> list[pa.Table]:
    rate = rates.rates(mixtures(model), seen)
    gone = travel.travel(travel.from_json(json.loads(model)["travel"]), seen)
    return [_by_network(seen, rate, person), _overall(seen, rate, person), _influence(seen, gone, person)]


def _by_network(seen: Places, rate: Rate, person: Any) -> pa.Table:
    """A network whose name tells what nobody may reason from has no score of its own."""
    shown = {
        n for n in np.unique(seen.network.astype(str)).tolist() if not is_sensitive(f"participation:{n}")
    }
    keep = np.isin(seen.network.astype(str), sorted(shown))
    arrow: Any = pc
    names = arrow.binary_join_element_wise(
        "participation:", pa.array(seen.network.astype(str), pa.string()), ""
    )
    table = _rows(
        person.take(pa.array(seen.owner)),
        names,
        "posts a week",
        (rate.value, rate.low, rate.high),
        pa.array(LEVELS).take(pa.array(rate.level)),
        words.level(seen, rate),
    )
    return table.filter(pa.array(keep))


def _overall(seen: Places, rate: Rate, person: Any) -> pa.Table:
    def summed(column: Floats) -> Floats:
        return np.bincount(seen.owner, column, minlength=seen.n_persons).astype(np.float64)

    value = summed(rate.value)
    # Rates on different networks are taken as independent given what is known: their variances add.
    error = np.sqrt(summed(((rate.high - rate.low) / 2) ** 2))
    best, _ = rates.highest(seen, rate.chance)
    return _rows(
        person,
        pa.repeat("participation", seen.n_persons),
        "posts a week",
        (value, np.maximum(value - error, 0.0), value + error),
        pa.array(LEVELS).take(pa.array(best)),
        words.overall(summed(seen.n), summed(np.ones(len(seen))), best, value),
    )


def _influence(seen: Places, gone: travel.Travel, person: Any) -> pa.Table:
    table = _rows(
        person,
        pa.repeat("influence", seen.n_persons),
        "times the usual",
        (gone.value, gone.low, gone.high),
        pa.repeat("", seen.n_persons),
        words.influence(gone),
    )
    return table.filter(pa.array(gone.known))


def _rows(
    person: Any, name: Any, unit: str, value: tuple[Floats, Floats, Floats], label: Any, reason: Any
) -> pa.Table:
    said, low, high = (pa.array(np.round(column, 6)) for column in value)
    return pa.table(
        [pc.cast(person, pa.int64()), name, said, pa.repeat(unit, len(said)), low, high, label, reason],
        schema=SCORED,
    )


plugin = Participation()
