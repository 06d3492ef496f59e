"""How many personas there are: as many as come back when people are drawn anew.

Hennig 2007, "Cluster-wise assessment of cluster stability" (Computational Statistics and Data Analysis 52): fit again
on bootstrap samples; of each persona the Jaccard coefficient with the most similar persona of each refit, averaged. By
his rule of thumb 0.75 and more is stable, 0.6 to 0.75 a pattern whose members are doubtful, 0.5 and less dissolves. The
adjusted Rand index (Hubert and Arabie 1985) of the two partitions is told beside it. A split must also foretell people
who were left out of the sample better than fewer personas do: a cloud without any gap can be cut in two
halves that come back, and that is no finding.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rapport.plugins.insights.persona import mixture
from rapport.plugins.insights.persona.mixture import Inputs, Mixture

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 8  # personas; more are read by nobody
REFITS = 10
STARTS = 8
HOPELESS = 0.55  # mean Jaccard; below it twice in a row, more personas are not tried
PEOPLE_EACH = 20  # at least, on average
STABLE = 0.6  # mean Jaccard of the least stable persona
STABLE_MEAN = 0.7  # of all personas, weighed by their people
SHARE_LEAST = 0.02  # of people in the smallest persona


@dataclass(frozen=True, slots=True)
class Tried:
    """One number of personas and how it did."""

    k: int
    jaccard: tuple[float, ...]  # of each persona, the mean over refits
    rand: float  # adjusted Rand index with the refits, the mean
    rand_low: float  # the least and the most of any refit
    rand_high: float
    gain: float  # log-likelihood a left-out person, beyond one persona for everybody
    gain_low: float  # lower end of the 95 % interval over refits
    least_share: float
    mean_jaccard: float  # weighed by people
    is_better: bool = True  # foretells left-out people better than every smaller number that is stable

    @property
    def is_stable(self) -> bool:
        return (
            min(self.jaccard) >= STABLE
            and self.mean_jaccard >= STABLE_MEAN
            and self.gain_low > 0
            and self.least_share >= SHARE_LEAST
            and self.is_better
        )


def choose(
    inputs: Inputs, rng: np.random.Generator, refits: int = REFITS, most: int = MOST
) -> tuple[Mixture | None, list[Tried]]:
    """The mixture with the most stable personas, None where no number is stable; and every number tried."""
    samples = [rng.multinomial(len(inputs), np.full(len(inputs), 1 / len(inputs))) for _ in range(refits)]
    tried: list[Tried] = []
    best: Mixture | None = None
    for k in range(2, min(most, len(inputs) // PEOPLE_EACH) + 1):
        model = mixture.fit(inputs, k, rng, STARTS)
        found = attempt(inputs, model, samples, rng)
        fewer = max((t.gain for t in tried if t.is_stable), default=0.0)
        tried.append(replace(found, is_better=found.gain > fewer))
        if tried[-1].is_stable:
            best = model
        if len(tried) > 1 and max(t.mean_jaccard for t in tried[-2:]) < HOPELESS:
            break
    return best, tried


def attempt(inputs: Inputs, model: Mixture, samples: list[Ints], rng: np.random.Generator) -> Tried:
    """How well the personas of a model come back in the samples."""
    k = len(model)
    own = mixture.belonging(inputs, model)[0].argmax(axis=1)
    n = np.bincount(own, minlength=k)
    found, rands, gains = [], [], []
    for times in samples:
        again = mixture.fit(inputs, k, rng, STARTS // 2, times.astype(np.float64))
        belongs, said = mixture.belonging(inputs, again)
        table = crossed(own, belongs.argmax(axis=1), k)
        found.append(jaccard(table))
        rands.append(adjusted_rand(table))
        left_out = times == 0
        alone = mixture.belonging(inputs, mixture.everybody(inputs, times.astype(np.float64)))[1]
        gains.append(float((said - alone)[left_out].mean()))
    mean: Floats = np.vstack(found).mean(axis=0)
    error = np.std(gains, ddof=1) / np.sqrt(len(gains)) if len(gains) > 1 else 0.0
    return Tried(
        k=k,
        jaccard=tuple(np.round(mean, 4).tolist()),
        rand=round(float(np.mean(rands)), 4),
        rand_low=round(float(np.min(rands)), 4),
        rand_high=round(float(np.max(rands)), 4),
        gain=round(float(np.mean(gains)), 4),
        gain_low=round(float(np.mean(gains) - 1.96 * error), 4),
        least_share=round(float(n.min() / len(inputs)), 4),
        mean_jaccard=round(float((mean * n).sum() / n.sum()), 4),
    )


def crossed(a: Ints, b: Ints, k: int) -> Floats:
    """(k, k): people in persona i of one partition and j of the other."""
    return np.bincount(a * k + b, minlength=k * k).reshape(k, k).astype(np.float64)


def jaccard(table: Floats) -> Floats:
    """Of each row, the overlap with the column most like it; 0 for an empty row.

    >>> jaccard(np.array([[8.0, 0.0], [2.0, 10.0]])).tolist()
    [0.8, 0.8333333333333334]
    """
    either = table.sum(axis=1)[:, None] + table.sum(axis=0) - table
    best: Floats = np.divide(table, either, out=np.zeros_like(table), where=either > 0).max(axis=1)
    return best


def adjusted_rand(table: Floats) -> float:
    """Agreement of two partitions of the same people: 1 is the same, 0 is chance.

    >>> adjusted_rand(np.array([[5.0, 0.0], [0.0, 5.0]]))
    1.0
    """

    def pairs(n: Floats) -> float:
        return float((n * (n - 1) / 2).sum())

    both, rows, columns = pairs(table), pairs(table.sum(axis=1)), pairs(table.sum(axis=0))
    n = table.sum()
    expected = rows * columns / (n * (n - 1) / 2) if n > 1 else 0.0
    most = (rows + columns) / 2
    return float((both - expected) / (most - expected)) if most != expected else 1.0
