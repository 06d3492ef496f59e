"""How much each way of being alike counts, and how sure one may be: learnt from the firm's own wordings.

Each wording is asked as a question while it is hidden from its entry (leave one out). A conditional logit
(McFadden 1974) over the entries learns the weights, held near a beginning by a ridge, so that a firm with ten
entries is not led astray by them. Then what is said first is calibrated (Platt 1999) on the same questions, also
against questions that no entry answers: their share is that of the wordings seen once (Good 1953), where wordings
come from people. What staff said of earlier proposals moves the calibration once more.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from rapport.knowledge.rules.matching import NAMES, Asked, Index

# By hand: meaning tells most, then all wordings together; where nothing is known yet this is the whole of it.
BEGINNING = (1.0, 6.0, 4.0, 2.0, 2.0, 7.0, 4.0, 2.0, 0.5, 0.0)
# Of a text in letters that the reader of meanings was not made for.
WORDS_ALONE = (3.0, 12.0, 8.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.5, 0.0)
# Logit, nearness by words, by meaning, constant: among few entries one is always the likeliest, so that how near it is
# in itself must tell more, until the firm's own wordings say otherwise.
SURE = (0.6, 4.0, 8.0, -4.5)
STANDS_FOR_MEANING = 1.5  # times the nearness by words, of a text in letters that the reader does not know
LOGIT_MAX = 6.0
SUREST = 0.99  # that nothing was overlooked is never certain
FLATTEST = 0.2  # slope of what staff said: a surer proposal stays a surer one
# How alike a question usually is to an entry that has nothing to do with it: it stands among the candidates, because
# among few entries one would otherwise be the likeliest whatever is asked.
UNRELATED = (0.15, 0.2, 0.15, 0.1, 0.35, 0.4, 0.3, 0.2, 0.7, 1.0)
RIDGE = 0.2  # of a weight, in squares from its beginning
CANDIDATES = 40  # of each question, that are weighed against each other
QUESTIONS_MAX = 1_000  # that are learnt from
QUESTIONS_MIN = 30  # fewer move nothing
NEW_SHARE = 0.15  # of questions that no entry answers, where nothing tells it
GROWN = 1.5  # wordings an entry, from which on they are what people asked
FEW_ENTRIES = 0.05  # entries without wordings, below which a wording seen once stands for a problem not known
SHOWN = 3
# A wrong proposal costs a minute of reading; a right one saves four.
WRONG_COSTS, RIGHT_SAVES = 1.0, 4.0
SILENT_BELOW = WRONG_COSTS / (WRONG_COSTS + RIGHT_SAVES)
BANDS = (0.0, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 1.0)

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Band:
    """Of proposals said to be right with about one probability: how many were."""

    low: float
    high: float
    said: float  # their mean probability
    right: float
    n: int


@dataclass(frozen=True, slots=True)
class Weights:
    """What was learnt.

    full, alone : weights of NAMES with and without the reader of meanings
    sure : of the logit, of the nearness by words and by meaning, and a constant
    moved : slope and constant from what staff said, on the logit
    """

    full: tuple[float, ...] = BEGINNING
    alone: tuple[float, ...] = WORDS_ALONE
    sure: tuple[float, ...] = SURE
    moved: tuple[float, float] = (1.0, 0.0)
    n_questions: int = 0
    n_outcomes: int = 0
    n_first_right: int = 0
    n_shown_right: int = 0
    n_rival_shown: int = 0  # what plain TF-IDF would have had among the first three
    bands: tuple[Band, ...] = field(default=())

    def as_json(self) -> dict[str, Any]:
        made = {name: getattr(self, name) for name in self.__slots__ if name != "bands"}
        return made | {"bands": [[b.low, b.high, b.said, b.right, b.n] for b in self.bands]}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> Weights:
        """What an earlier version wrote counts as far as it fits; the rest begins anew."""
        if len(given.get("full", ())) != len(NAMES):
            return cls()
        plain: dict[str, Any] = {
            k: tuple(v) if isinstance(v, list) else v for k, v in given.items() if k in cls.__slots__
        }
        return cls(**plain | {"bands": tuple(Band(*band) for band in given.get("bands", ()))})


def is_foreign(text: str) -> bool:
    """Whether most letters of a text are of a script that the reader of meanings was not made for."""
    letters = [c for c in text if c.isalpha()]
    return sum(ord(c) > 0x24F for c in letters) * 2 > len(letters) > 0


def likelihoods(weights: Weights, like: Floats, foreign: NDArray[np.bool_]) -> Floats:
    """float64 (questions, entries): how likely each entry is, beside one that has nothing to do with the question."""
    vector = np.where(foreign[:, None], np.array(weights.alone)[None], np.array(weights.full)[None])
    z = np.einsum("qkd,qd->qk", like, vector)
    none = vector @ np.array(UNRELATED)
    top = np.maximum(z.max(axis=1), none)
    e = np.exp(z - top[:, None])
    return np.asarray(e / (e.sum(axis=1) + np.exp(none - top))[:, None])


def without(p: Floats, row: Ints | slice, entries: Any) -> Floats:
    """The same where some entries are ruled out; what they had goes to the others."""
    made = p.copy()
    made[row, entries] = 0.0
    left = 1 - p.sum(axis=1) + made.sum(axis=1)
    return np.asarray(made / np.maximum(left, 1e-12)[:, None])


def probabilities(weights: Weights, p: Floats, like: Floats, foreign: NDArray[np.bool_]) -> Floats:
    """float64 (questions, shown): the probability that each is right; `like` is of the same pairs."""
    z = _signs(p, like, foreign) @ np.array(weights.sure)
    slope, constant = weights.moved
    return np.asarray(np.minimum(SUREST, 1 / (1 + np.exp(-(slope * z + constant)))))


def _signs(p: Floats, like: Floats, foreign: NDArray[np.bool_]) -> Floats:
    by_words = like[..., 1]
    meant = np.where(foreign[:, None], np.minimum(1.0, STANDS_FOR_MEANING * by_words), like[..., 5])
    return np.stack([_logit(p), by_words, meant, np.ones(p.shape)], axis=-1)


def first(p: Floats, n: int = SHOWN) -> Ints:
    """int64 (questions, n): the likeliest entries, the likeliest first."""
    n = min(n, p.shape[1])
    chosen = (
        np.argpartition(-p, n - 1, axis=1)[:, :n] if n < p.shape[1] else np.tile(np.arange(n), (len(p), 1))
    )
    order = np.argsort(-np.take_along_axis(p, chosen, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(chosen, order, axis=1), np.int64)


def learn(index: Index, outcomes: Sequence[tuple[float, bool]] = (), seed: int = 1) -> Weights:
    """Learn from the wordings of an index, and from the probability and the truth of earlier proposals."""
    n = index.n_wordings
    own = index.own()
    rng = np.random.default_rng(seed)
    asked = np.sort(rng.permutation(len(index.texts))[:QUESTIONS_MAX])
    if len(asked) < QUESTIONS_MIN or len(index.keys) < 3:
        return _moved(Weights(), outcomes)
    once = n[index.owner[asked]] == 1
    # Where entries without wordings stand beside, a wording seen once stands for these; else for what is not known.
    grown = len(index.texts) >= GROWN * (n > 0).sum()
    stands_for_new = (n == 0).mean() < FEW_ENTRIES
    kept = asked[~once] if stands_for_new and grown and (~once).sum() >= QUESTIONS_MIN else asked
    like, truth, foreign = _candidates(index, own, kept)
    weights = Weights(
        full=_fit(like, truth, BEGINNING, ~foreign),
        alone=_fit(like, truth, WORDS_ALONE, np.ones(len(truth), np.bool_), words_alone=True),
    )
    return _calibrated(index, own, weights, kept, asked[once], grown and stands_for_new, outcomes)


def _candidates(index: Index, own: Asked, asked: Ints) -> tuple[Floats, Ints, NDArray[np.bool_]]:
    """(questions, candidates, NAMES), the place of the right one among them, and which texts are foreign."""
    like, truth = [], []
    beginning = np.array(BEGINNING) + np.array(WORDS_ALONE)
    wanted = index.owner[asked]
    for part, found in index.in_parts(Asked(own.words[asked], own.meanings[asked]), asked):
        z = found @ beginning
        right = wanted[part]
        row = np.arange(len(right))
        z[row, right] = np.inf  # always among them, and first
        chosen = first(z, CANDIDATES)
        like.append(np.take_along_axis(found, chosen[:, :, None], axis=1))
        truth.append(np.zeros(len(right), np.int64))
    foreign = np.array([is_foreign(index.texts[k]) for k in asked], np.bool_)
    return np.concatenate(like), np.concatenate(truth), foreign


def _fit(
    like: Floats,
    truth: Ints,
    beginning: Sequence[float],
    use: NDArray[np.bool_],
    *,
    words_alone: bool = False,
) -> tuple[float, ...]:
    x, y, w0 = like[use], truth[use], np.array(beginning)
    free = np.ones(len(w0), np.bool_)
    if words_alone:
        free[4:8] = False
    if len(y) < QUESTIONS_MIN:
        return tuple(beginning)
    row = np.arange(len(y))

    def loss(w: Floats) -> tuple[float, Floats]:
        z = x @ w
        e = np.exp(z - z.max(axis=1, keepdims=True))
        p = e / e.sum(axis=1, keepdims=True)
        away = w - w0
        said = -np.log(np.maximum(p[row, y], 1e-12)).sum() + RIDGE * (away @ away)
        slope = np.einsum("qk,qkd->d", p, x) - x[row, y].sum(axis=0) + 2 * RIDGE * away
        return float(said), np.where(free, slope, 0.0)

    found = minimize(loss, w0, jac=True, method="L-BFGS-B").x
    return tuple(round(float(v), 4) for v in found)


def _calibrated(
    index: Index, own: Asked, weights: Weights, known: Ints, once: Ints, seen_once_is_new: bool,
    outcomes: Sequence[tuple[float, bool]],
) -> Weights:  # fmt: skip
    signs, right, weight = [], [], []
    n_first = n_shown = n_rival = 0
    for part, like in index.in_parts(Asked(own.words[known], own.meanings[known]), known):
        rows = known[part]
        foreign = np.array([is_foreign(index.texts[k]) for k in rows], np.bool_)
        p = likelihoods(weights, like, foreign)
        shown = first(p)
        is_right = shown == index.owner[rows][:, None]
        n_first += int(is_right[:, 0].sum())
        n_shown += int(is_right.any(axis=1).sum())
        n_rival += int((first(like[:, :, 1]) == index.owner[rows][:, None]).any(axis=1).sum())
        signs.append(_of_shown(p, like, shown, foreign))
        right.append(is_right)
        weight.append(np.ones(is_right.shape))
    share = len(once) / (len(once) + len(known)) if seen_once_is_new else NEW_SHARE
    new = once if seen_once_is_new and len(once) else known
    each = share / max(1 - share, 0.05) * len(known) / len(new)
    for part, like in index.in_parts(Asked(own.words[new], own.meanings[new]), new):
        rows = new[part]
        foreign = np.array([is_foreign(index.texts[k]) for k in rows], np.bool_)
        z = likelihoods(weights, like, foreign)
        z = without(z, np.arange(len(rows)), index.owner[rows])  # the entry is not there
        shown = first(z)
        signs.append(_of_shown(z, like, shown, foreign))
        right.append(np.zeros(shown.shape, np.bool_))
        weight.append(np.full(shown.shape, each))
    x = np.concatenate([s.reshape(-1, s.shape[-1]) for s in signs])
    y = np.concatenate([r.ravel() for r in right]).astype(np.float64)
    w = np.concatenate([v.ravel() for v in weight])
    sure = _logistic(x, y, w, np.array(SURE), RIDGE)
    said = 1 / (1 + np.exp(-(x @ sure)))
    made = Weights(
        full=weights.full, alone=weights.alone, sure=tuple(round(float(v), 4) for v in sure),
        n_questions=len(known), n_first_right=n_first, n_shown_right=n_shown, n_rival_shown=n_rival,
        bands=bands(said, y, w),
    )  # fmt: skip
    return _moved(made, outcomes)


def _of_shown(p: Floats, like: Floats, shown: Ints, foreign: NDArray[np.bool_]) -> Floats:
    like = np.take_along_axis(like, shown[:, :, None], axis=1)
    return _signs(np.take_along_axis(p, shown, axis=1), like, foreign)


def _moved(weights: Weights, outcomes: Sequence[tuple[float, bool]]) -> Weights:
    """Held near what was said already, so that a handful of outcomes moves little."""
    if not outcomes:
        return weights
    said = np.array([p for p, _ in outcomes])
    right = np.array([float(y) for _, y in outcomes])
    x = np.stack([_logit(said), np.ones(len(said))], axis=1)
    slope, constant = _logistic(x, right, np.ones(len(said)), np.array([1.0, 0.0]), np.array([10.0, 1.0]))
    slope = max(float(slope), FLATTEST)
    now = 1 / (1 + np.exp(-(slope * x[:, 0] + constant)))
    made = {name: getattr(weights, name) for name in weights.__slots__}
    made |= {"moved": (round(float(slope), 4), round(float(constant), 4)), "n_outcomes": len(outcomes)}
    if len(outcomes) >= QUESTIONS_MIN:
        made["bands"] = bands(
            now, right, np.ones(len(right))
        )  # what staff said is worth more than what was tried
    return Weights(**made)


def _logistic(x: Floats, y: Floats, w: Floats, start: Floats, ridge: float | Floats) -> Floats:
    def loss(b: Floats) -> tuple[float, Floats]:
        z = x @ b
        said = (w * (np.logaddexp(0, z) - y * z)).sum() + float((ridge * (b - start) ** 2).sum())
        p = 1 / (1 + np.exp(-z))
        return float(said), x.T @ (w * (p - y)) + 2 * ridge * (b - start)

    return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x, np.float64)


def bands(said: Floats, right: Floats, weight: Floats) -> tuple[Band, ...]:
    """What was said against what was so, from the least sure to the surest."""
    made = []
    for low, high in itertools.pairwise(BANDS):
        there = (said >= low) & ((said < high) | (high == 1.0))
        mass = float(weight[there].sum())
        if mass > 0:
            made.append(
                Band(
                    low, high, round(float((said * weight)[there].sum() / mass), 4),
                    round(float((right * weight)[there].sum() / mass), 4), int(there.sum()),
                )
            )  # fmt: skip
    return tuple(made)


def off(found: Sequence[Band]) -> float:
    """The expected calibration error: how far what was said lies from what was so, on the average proposal."""
    n = sum(band.n for band in found)
    return sum(band.n * abs(band.said - band.right) for band in found) / n if n else 0.0


def _logit(p: Floats) -> Floats:
    q = np.clip(p, 1e-6, 1 - 1e-6)
    return np.asarray(np.clip(np.log(q / (1 - q)), -LOGIT_MAX, LOGIT_MAX))
