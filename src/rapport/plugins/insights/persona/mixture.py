"""A mixture over mixed types, fitted by EM: each persona has its own shares of what is counted and its own normal
curve of each measure; given the persona, they are taken for independent (the latent class model of Lazarsfeld and
Henry 1968, with continuous indicators as in Hunt and Jorgensen 1999). What is missing says nothing.

So that it is no surer than it may be, and no input shouts the others down:
- Counts of one person are more alike than draws from a common urn: n of them count as n / (1 + (n - 1) rho) draws, rho
  estimated from how often two of one person are the same (a quasi-likelihood; McCullagh and Nelder 1989, 4.5).
- Each input has a voice (VOICES): how many draws it may count as at most, and what a draw is worth. How much somebody
  does is measured well by other scores; here it speaks softly, and how somebody does it speaks up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rapport.plugins.insights.persona.encoding import People, Scales

Floats = NDArray[np.float64]

STEPS = 80
SHORT = 8  # steps of a start, of which only the likeliest goes on (Biernacki, Celeux and Govaert 2003)
CLOSE = 1e-5  # mean log-likelihood a person may gain by a step that is worth no other
PRIOR = 20.0  # people's worth of everybody's shares that each persona begins with
PRIOR_OF_ALL = 0.5  # of even shares, for everybody as one
SPREAD_LEAST = 0.4  # of a measure within a persona, in standard deviations of everybody
# Input: draws it counts as at most, and what each is worth.
VOICES = {
    "bought": (5.0, 1.0),
    "ordered_by": (4.0, 1.0),
    "looks_by": (1.0, 0.3),
    "hours": (1.0, 0.3),
    "referrers": (1.0, 0.3),
    "sections": (1.0, 0.3),
    "place": (1.0, 0.3),
    "orders_year": (1.0, 0.3),
    "views_year": (1.0, 0.1),
    "refund_share": (1.0, 0.1),
    "writes_year": (1.0, 0.3),
    "alive": (1.0, 0.1),
    "churn_risk": (1.0, 0.1),
    "expected_orders_90d": (1.0, 0.1),
    "advocacy": (1.0, 0.3),
}
FIGURES = 2.0  # what all interests and attitudes together are worth at most


@dataclass(frozen=True, slots=True)
class Inputs:
    """Encoded people, weighed.

    drawn : (people, columns) what the counts are worth in independent draws
    known : (people, measures) what each measure is worth; 0 where it is missing
    level : (people, measures) normal scores, 0 where missing
    blocks : the columns of each block
    """

    drawn: Floats
    known: Floats
    level: Floats
    blocks: tuple[slice, ...]

    def __len__(self) -> int:
        return len(self.drawn)


@dataclass(frozen=True, slots=True)
class Mixture:
    """What EM found: size (k,), shares (k, columns), of which each block's sum to 1, mean and spread (k, measures)."""

    size: Floats
    shares: Floats
    mean: Floats
    spread: Floats

    def __len__(self) -> int:
        return len(self.size)


def worths(scales: Scales) -> tuple[list[float], list[float]]:
    """What a draw of each block, and what each measure, is worth."""
    voiced = [*scales.blocks, *scales.grids]
    figures = [name for name in voiced if ":" in name]
    each = min(0.5, FIGURES / max(len(figures), 1))
    found = [each if name in figures else VOICES.get(name, (1.0, 1.0))[1] for name in voiced]
    return found[: len(scales.blocks)], found[len(scales.blocks) :]


def alikeness(people: People, scales: Scales) -> list[float]:
    """By block, how alike the counts of one person are: 0 not at all, 1 entirely; at least what its voice asks for."""
    found = []
    for block, at in scales.blocks.items():
        counts = people.counts[:, at]
        n = counts.sum(axis=1)
        many = n >= 2
        rho = 0.0
        if many.any():
            share = counts[many] / n[many][:, None]
            by_chance = float((share.mean(axis=0) ** 2).sum())
            # Each person counts once, so that the pairs of one with many draws do not outweigh the others'.
            same = float(((share * (counts[many] - 1)).sum(axis=1) / (n[many] - 1)).mean())
            rho = min(max((same - by_chance) / max(1 - by_chance, 1e-9), 0.0), 1.0)
        found.append(max(rho, 1 / VOICES.get(block, (1.0, 1.0))[0]))
    return found


def weigh(people: People, scales: Scales, rho: list[float]) -> Inputs:
    """Counts as draws, measures as what they are worth."""
    of_blocks, of_measures = worths(scales)
    drawn = np.empty_like(people.counts)
    for (_, at), alike, worth in zip(scales.blocks.items(), rho, of_blocks, strict=True):
        n = people.counts[:, at].sum(axis=1, keepdims=True)
        drawn[:, at] = people.counts[:, at] * worth / (1 + np.maximum(n - 1, 0) * alike)
    return Inputs(
        drawn,
        np.isfinite(people.measured) * np.array(of_measures),
        np.nan_to_num(people.measured),
        tuple(scales.blocks.values()),
    )


def log_likelihood(inputs: Inputs, model: Mixture) -> Floats:
    """(people, k): of each person under each persona, its size included."""
    precision = 1 / model.spread**2
    # The square, multiplied out: products of matrices, and no array of people by personas by measures.
    squares = (inputs.known * inputs.level**2) @ precision.T
    squares += inputs.known @ (precision * model.mean**2).T
    squares -= 2 * (inputs.known * inputs.level) @ (precision * model.mean).T
    found: Floats = inputs.drawn @ np.log(model.shares).T - 0.5 * squares
    found += np.log(model.size) - inputs.known @ np.log(model.spread).T
    return found


def belonging(inputs: Inputs, model: Mixture) -> tuple[Floats, Floats]:
    """(people, k) probabilities of each persona, and (people,) log-likelihoods."""
    joint = log_likelihood(inputs, model)
    top = joint.max(axis=1, keepdims=True)
    odds = np.exp(joint - top)
    total = odds.sum(axis=1, keepdims=True)
    return odds / total, (top + np.log(total))[:, 0]


def fit(
    inputs: Inputs, k: int, rng: np.random.Generator, starts: int = 1, times: Floats | None = None
) -> Mixture:
    """The likeliest of several short starts, climbed to the end; `times` is how often each person counts."""
    times = np.ones(len(inputs)) if times is None else times
    base = everybody(inputs, times)
    if k == 1:
        return base
    points = _points(inputs, base)
    best, best_said = base, -np.inf
    for _ in range(starts):
        begun = _maximise(inputs, base, _begin(points, times, k, rng) * times[:, None])
        found, said = _climb(inputs, base, times, begun, SHORT)
        if said > best_said:
            best, best_said = found, said
    return _climb(inputs, base, times, best, STEPS)[0]


def everybody(inputs: Inputs, times: Floats | None = None) -> Mixture:
    """All people as one persona."""
    n_measures = inputs.level.shape[1]
    even = np.concatenate(
        [np.full(at.stop - at.start, 1 / (at.stop - at.start)) for at in inputs.blocks] or [np.zeros(0)]
    )
    flat = Mixture(np.ones(1), even[None], np.zeros((1, n_measures)), np.ones((1, n_measures)))
    times = np.ones(len(inputs)) if times is None else times
    return _maximise(inputs, flat, times[:, None], PRIOR_OF_ALL)


def _points(inputs: Inputs, base: Mixture) -> Floats:
    """People as points for the start: square roots of shares (Hellinger), shrunk where they rest on little."""
    parts = []
    for at in inputs.blocks:
        n = inputs.drawn[:, at].sum(axis=1, keepdims=True)
        share = (inputs.drawn[:, at] + 2 * base.shares[:, at]) / (n + 2)
        parts.append(4 * (np.sqrt(share) - np.sqrt(base.shares[:, at])))
    return np.column_stack([*parts, inputs.level * np.sqrt(inputs.known)])


def _begin(points: Floats, times: Floats, k: int, rng: np.random.Generator) -> Floats:
    """(people, k): belonging after a few steps of k-means from far-apart people (Arthur and Vassilvitskii 2007)."""
    there = times / times.sum()
    centres = points[rng.choice(len(points), p=there)][None]
    for _ in range(1, k):
        far = _squares(points, centres).min(axis=1) * there
        total = far.sum()
        chosen = rng.choice(len(points), p=far / total if total > 0 else there)
        centres = np.vstack([centres, points[chosen]])
    for _ in range(8):
        held = np.eye(k)[_squares(points, centres).argmin(axis=1)] * times[:, None]
        n = held.sum(axis=0)
        centres = np.where(n[:, None] > 0, held.T @ points / np.maximum(n, 1e-9)[:, None], centres)
    soft = np.eye(k)[_squares(points, centres).argmin(axis=1)] + 0.05
    begun: Floats = soft / soft.sum(axis=1, keepdims=True)
    return begun


def _squares(points: Floats, centres: Floats) -> Floats:
    found: Floats = (points**2).sum(axis=1)[:, None] - 2 * points @ centres.T + (centres**2).sum(axis=1)
    return np.maximum(found, 0)


def _climb(inputs: Inputs, base: Mixture, times: Floats, model: Mixture, steps: int) -> tuple[Mixture, float]:
    before = -np.inf
    for _ in range(steps):
        belongs, said = belonging(inputs, model)
        now = float(said @ times / times.sum())
        if abs(now - before) < CLOSE:
            break
        before = now
        model = _maximise(inputs, base, belongs * times[:, None])
    return model, before


def _maximise(inputs: Inputs, base: Mixture, belongs: Floats, prior: float = PRIOR) -> Mixture:
    """The parameters under which what people showed is likeliest, drawn a little toward everybody's."""
    n = belongs.sum(axis=0)
    shares = belongs.T @ inputs.drawn + prior * base.shares
    for at in inputs.blocks:
        shares[:, at] = np.maximum(shares[:, at] / shares[:, at].sum(axis=1, keepdims=True), 1e-6)
    there = (inputs.known > 0).astype(np.float64)
    weight = belongs.T @ there
    first = belongs.T @ (there * inputs.level)
    mean = first / (weight + prior)
    square = belongs.T @ (there * inputs.level**2) - 2 * mean * first + mean**2 * weight
    spread = np.sqrt(np.maximum((square + prior) / (weight + prior), SPREAD_LEAST**2))
    return Mixture((n + 1) / (n + 1).sum(), shares, mean, spread)
