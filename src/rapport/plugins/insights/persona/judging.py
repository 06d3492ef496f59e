"""How good personas are: do they come back, and do they say what people buy next better than demographics do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.insights.contract import Backtest, Context, Metric
from rapport.plugins.insights.persona import choosing, encoding, mixture
from rapport.plugins.insights.persona.learned import Learned

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SHRINK = 20.0  # people's worth of everybody's shares that a small group begins with
CATEGORIES = 300  # the most frequent; the others are one
OWN = 2.0  # purchases' worth of the group's shares, beside what somebody bought themselves


def judged(learned: Learned, table: pa.Table, context: Context, split: str) -> Backtest:
    """Stability, what personas say of people left out, and of what is bought next beside what demographics say."""
    if learned.mixture is None:
        note = "There are no stable personas in these people; nothing was foretold from them."
        return Backtest((), table.num_rows, split, note)
    metrics = _stability(learned, table, context)
    past, coming = _bought(table)
    buyers = np.flatnonzero((coming.sum(axis=1) > 0) & (past.sum(axis=1) > 0))
    note = ""
    if len(buyers) < 2 or past.shape[1] < 2:
        note = "Nobody bought anything afterwards whose kind is known."
    else:
        belongs = _belongs(learned, table)
        by_persona = belongs @ _shares(past, belongs)
        groups, told = _demographics(table)
        by_group = groups @ _shares(past, groups)
        alike = np.repeat(_shares(past, np.ones((len(past), 1))), len(past), axis=0)
        metrics += [
            # Of whom no demographics are known, these cannot be worse than they are.
            *(
                [
                    _loss(
                        "age band, country and language alone",
                        by_persona,
                        by_group,
                        coming,
                        buyers[told[buyers]],
                    )
                ]
                if told[buyers].sum() > 1
                else []
            ),
            _loss("everybody alike", by_persona, alike, coming, buyers),
            _loss(
                "their own purchases, and demographics for the rest",
                _with_own(past, by_persona),
                _with_own(past, by_group),
                coming,
                buyers,
                "surprise at what is bought next, own purchases known",
            ),
        ]
        note = f"{len(buyers):,} people bought something in that time; what a persona's people buy was counted before it."
    return Backtest(tuple(metrics), table.num_rows, split, note)


def _stability(learned: Learned, table: pa.Table, context: Context) -> list[Metric]:
    chosen = next(t for t in learned.tried if t.k == len(learned.keys))
    rng = context.rng()
    sample = table.take(pa.array(rng.permutation(table.num_rows)[: context.parameters["learnt_from"]]))
    people = shuffled(encoding.encode(sample, learned.scales), learned, rng)
    inputs = mixture.weigh(people, learned.scales, learned.rho)
    samples = [rng.multinomial(len(inputs), np.full(len(inputs), 1 / len(inputs))) for _ in range(4)]
    none = choosing.attempt(inputs, mixture.fit(inputs, chosen.k, rng, 2), samples, rng)
    return [
        Metric(
            "agreement of refits on people drawn anew (adjusted Rand index)",
            chosen.rand,
            "groups drawn by chance",
            0.0,
            "index",
            low=chosen.rand_low,
            high=chosen.rand_high,
            meaning=f"1 is the same {chosen.k} personas each time and 0 is chance; the range is that of all refits.",
        ),
        Metric(
            "what personas say of people who were left out (log-likelihood beyond one persona for all)",
            chosen.gain,
            "the same people, with each input dealt out anew among them",
            none.gain,
            "nats",
            low=chosen.gain_low,
            high=2 * chosen.gain - chosen.gain_low,
            meaning="More than 0 means that what somebody is like in one respect tells what they are like in others.",
        ),
    ]


def shuffled(people: encoding.People, learned: Learned, rng: np.random.Generator) -> encoding.People:
    """The same inputs, each dealt out among people by itself: whatever held them together is gone."""
    counts, measured = people.counts.copy(), people.measured.copy()
    for at in learned.scales.blocks.values():
        counts[:, at] = counts[rng.permutation(len(counts)), at]
    for k in range(measured.shape[1]):
        measured[:, k] = measured[rng.permutation(len(measured)), k]
    return encoding.People(counts, measured)


def _belongs(learned: Learned, table: pa.Table) -> Floats:
    assert learned.mixture is not None
    parts = []
    for chunk in encoding.chunks(table):
        inputs = mixture.weigh(encoding.encode(chunk, learned.scales), learned.scales, learned.rho)
        parts.append(mixture.belonging(inputs, learned.mixture)[0])
    return np.vstack(parts)


def _bought(table: pa.Table) -> tuple[Floats, Floats]:
    """(people, categories) of purchases before and after; what was rare before is one category."""
    arrow: Any = pc
    names, _, _ = encoding.entries(table, "bought")
    counted = sorted(arrow.value_counts(names).to_pylist(), key=lambda row: (-row["counts"], row["values"]))
    known = pa.array([row["values"] for row in counted[:CATEGORIES]], pa.string())
    found = []
    for column in ("bought", "next_bought"):
        names, n, owner = encoding.entries(table, column)
        place = arrow.fill_null(arrow.index_in(names, value_set=known), len(known))
        width = len(known) + 1
        at = owner * width + place.to_numpy(zero_copy_only=False).astype(np.int64)
        summed = np.bincount(at, n, minlength=table.num_rows * width)
        found.append(summed.reshape(-1, width).astype(np.float64))
    return found[0], found[1]


def _shares(past: Floats, groups: Floats) -> Floats:
    """(groups, categories): of what each group's people bought, each person counted once; small groups are shrunk."""
    n = past.sum(axis=1, keepdims=True)
    own = past / np.maximum(n, 1)
    everybody = own.sum(axis=0) + 1.0 / past.shape[1]
    everybody /= everybody.sum()
    summed = groups.T @ own + SHRINK * everybody
    shares: Floats = summed / summed.sum(axis=1, keepdims=True)
    return shares


def _demographics(table: pa.Table) -> tuple[Floats, NDArray[np.bool_]]:
    """(people, groups): everybody in the one group of their age band, country and language; and who has any of them."""
    arrow: Any = pc
    parts = []
    for what in ("age", "place"):
        names, _, owner = encoding.entries(table, what)
        column = np.full(table.num_rows, "", object)
        column[owner] = names.to_numpy(zero_copy_only=False)
        parts.append(pa.array(column, pa.string()))
    joined = arrow.binary_join_element_wise(*parts, "|")
    coded = arrow.dictionary_encode(joined)
    told = arrow.not_equal(joined, "|").to_numpy(zero_copy_only=False)
    return np.eye(len(coded.dictionary))[coded.indices.to_numpy(zero_copy_only=False)], told


def _with_own(past: Floats, group: Floats) -> Floats:
    n = past.sum(axis=1, keepdims=True)
    mixed: Floats = (past + OWN * group) / (n + OWN)
    return mixed


def _loss(
    baseline: str, said: Floats, naive: Floats, coming: Floats, buyers: Ints,
    name: str = "surprise at what is bought next (log-loss)",
) -> Metric:  # fmt: skip
    share = coming[buyers] / coming[buyers].sum(axis=1, keepdims=True)
    ours = -(share * np.log(said[buyers])).sum(axis=1)
    theirs = -(share * np.log(naive[buyers])).sum(axis=1)
    # The interval is that of the difference, laid around our figure: the same people are behind both.
    error = 1.96 * (ours - theirs).std(ddof=1) / np.sqrt(len(buyers))
    return Metric(
        name,
        float(ours.mean()),
        baseline,
        float(theirs.mean()),
        "nats",
        higher_is_better=False,
        low=float(ours.mean() - error),
        high=float(ours.mean() + error),
        meaning="Less is better; where the other figure is outside the interval, the difference is more than chance.",
    )
