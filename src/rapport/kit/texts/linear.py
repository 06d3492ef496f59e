"""A linear model of many classes over hashed features: multinomial logistic regression with a ridge.

z_c = b_c + the sum of w_c over a text's features, divided by the text's length; p = softmax(z). The loss is the
weighted log-likelihood with a Gaussian prior, minimised by L-BFGS (Liu and Nocedal 1989, "On the limited
memory BFGS method"). Only buckets that the labelled texts have are kept, so that a firm's own seventy labels
weigh kilobytes. Weights travel as signed bytes of the square root of their size, which keeps small ones apart.
"""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from numpy.typing import NDArray
from scipy.optimize import minimize

from rapport.kit.errors import Invalid
from rapport.kit.texts import learning
from rapport.kit.texts.hashing import BITS, Buckets, Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats, length, softmax

STEPS_MAX = 150
GRADIENT_MIN = 1e-5  # of the mean loss; below it nothing moves that a byte could hold

Weighing = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Linear:
    """What was learnt.

    labels : the classes, in the order of the columns
    buckets : int32 (known,), ascending: the buckets that have weights
    weights : float32 (known, classes)
    bias : float64 (classes,)
    """

    labels: tuple[str, ...]
    buckets: Buckets
    weights: Weighing
    bias: Floats

    def logits(self, given: Features) -> Floats:
        """float64 (texts, classes): z of each class of each text."""
        if not given.parts or not len(self.buckets):
            return np.repeat(self.bias[None, :], given.n_texts, axis=0)
        place, word = self._known(given)
        shape = (given.n_texts, len(self.buckets))
        value = (1.0 / length(given.count()))[given.owner[word]].astype(np.float32)
        counts = sp.csr_matrix((value, (given.owner[word], place)), shape=shape)
        return np.asarray(counts @ self.weights, np.float64) + self.bias

    def by_word(self, given: Features, said: Classes) -> Floats:
        """float64 (words,): how far a word moves z of the class said of its text ahead of the mean of the others.

        said : int64 (texts,), the class of each text
        """
        if not given.parts or len(self.labels) < 2 or not len(self.buckets):
            return np.zeros(len(given.owner))
        place, word = self._known(given)
        mean = self.weights.mean(axis=1)
        ahead = self.weights[place, said[given.owner[word]]] - mean[place]
        k = len(self.labels)
        added = np.bincount(word, weights=ahead, minlength=len(given.owner)) * k / (k - 1)
        return np.asarray(added / length(given.count())[given.owner])

    def divided(self, t: float) -> Linear:
        """The same with z divided by a temperature."""
        return Linear(self.labels, self.buckets, (self.weights / t).astype(np.float32), self.bias / t)

    def plus(self, more: Linear) -> Linear:
        """The sum of two models of the same labels: what was known, and what labels added."""
        if more.labels != self.labels:
            raise Invalid(
                f"{', '.join(more.labels)} are other labels than {', '.join(self.labels)}",
                "Add what was learnt for the same labels.",
            )
        buckets = np.union1d(self.buckets, more.buckets)
        weights = np.zeros((len(buckets), len(self.labels)), np.float32)
        weights[np.searchsorted(buckets, self.buckets)] += self.weights
        weights[np.searchsorted(buckets, more.buckets)] += more.weights
        return Linear(self.labels, buckets, weights, self.bias + more.bias)

    def to_bytes(self) -> bytes:
        """The weights in one byte each, compressed."""
        codes, largest = _shrink(self.weights)
        sink = io.BytesIO()
        np.savez_compressed(
            sink,
            labels=np.frombuffer(json.dumps(self.labels).encode(), np.uint8),
            buckets=self.buckets,
            codes=codes,
            largest=largest,
            bias=self.bias,
        )
        return sink.getvalue()

    @classmethod
    def from_bytes(cls, given: bytes) -> Linear:
        """Raises Invalid where the bytes are not such weights."""
        try:
            with np.load(io.BytesIO(given), allow_pickle=False) as held:
                labels = tuple(json.loads(held["labels"].tobytes()))
                found = cls(
                    labels,
                    held["buckets"].astype(np.int32),
                    _grow(held["codes"], held["largest"]),
                    held["bias"].astype(np.float64),
                )
        except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise Invalid(f"these bytes are no linear weights: {error}", "Fit the model anew.") from None
        if found.weights.shape != (len(found.buckets), len(labels)) or found.bias.shape != (len(labels),):
            raise Invalid(f"linear weights of shape {found.weights.shape} do not fit", "Fit the model anew.")
        return found

    def _known(self, given: Features) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Of the features that have weights: their place, and the word they belong to."""
        at = np.full(1 << BITS, -1, np.int32)
        at[self.buckets] = np.arange(len(self.buckets), dtype=np.int32)
        place = at[np.concatenate([bucket for bucket, _ in given.parts])]
        word = np.concatenate([word for _, word in given.parts])
        known = np.flatnonzero(place >= 0)
        return place[known].astype(np.int64), word[known]


@dataclass(frozen=True, slots=True)
class Labelled:
    """Texts as a matrix, with what is known of them.

    matrix : float32 CSR (texts, buckets), as `learning.matrix` gives it
    label : int64 (texts,), the class of each
    weight : float64 (texts,), how much each text counts
    offset : float64 (texts, classes), z that is known before learning
    """

    matrix: sp.csr_matrix
    label: Classes
    weight: Floats
    offset: Floats

    @classmethod
    def of(
        cls,
        found: Sequence[Features],
        label: Classes,
        n_classes: int,
        *,
        weight: Floats | None = None,
        offset: Floats | None = None,
    ) -> Labelled:
        """Texts that count alike, and of which nothing is known, where nothing else is given."""
        n = len(label)
        return cls(
            learning.matrix(list(found)),
            label,
            np.ones(n) if weight is None else weight,
            np.zeros((n, n_classes)) if offset is None else offset,
        )

    def rows(self, chosen: NDArray[np.int64]) -> Labelled:
        """Some of the texts."""
        return Labelled(self.matrix[chosen], self.label[chosen], self.weight[chosen], self.offset[chosen])


def fit(
    given: Labelled,
    labels: Sequence[str],
    *,
    ridge: float,
    scale: Floats | None = None,
    texts_min: int = 1,
    steps_max: int = STEPS_MAX,
) -> Linear:
    """The likeliest weights beyond the offset.

    ridge : the precision of the Gaussian prior around zero
    scale : float64 (buckets,), by which each column is multiplied while learning, which loosens its prior;
        by default how rare it is
    texts_min : a column that fewer texts have is not learnt
    steps_max : of L-BFGS; where there are many classes the last hundred change figures in the third place
    """
    k = len(labels)
    # A column that no text has stays at zero, so only the others are learnt.
    held = np.bincount(given.matrix.indices, minlength=given.matrix.shape[1])
    there = np.flatnonzero(held >= max(1, texts_min))
    shape = (len(there), k)
    stretch = (learning.rarity(given.matrix) if scale is None else scale)[there].astype(np.float32)
    x = (given.matrix[:, there] @ sp.diags(stretch)).tocsr().astype(np.float32)
    across = x.T.tocsr()
    every, total = np.arange(x.shape[0]), float(given.weight.sum())
    size = shape[0] * k

    def loss(v: Floats) -> tuple[float, Floats]:
        w, b = v[:size].reshape(shape), v[size:]
        p = softmax(given.offset + (x @ w.astype(np.float32)) + b)
        right = np.maximum(p[every, given.label], 1e-12)
        value = -float((given.weight * np.log(right)).sum()) + ridge * float((w * w).sum()) / 2
        p[every, given.label] -= 1
        p *= given.weight[:, None]
        gradient = (across @ p.astype(np.float32)).astype(np.float64) + ridge * w
        return value / total, np.concatenate([gradient.ravel(), p.sum(axis=0)]) / total

    found = minimize(
        loss,
        np.zeros(size + k),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": steps_max, "maxcor": 6, "gtol": GRADIENT_MIN},
    )
    weights = (found.x[:size].reshape(shape) * stretch[:, None]).astype(np.float32)
    return Linear(tuple(labels), there.astype(np.int32), weights, found.x[size:])


def held_out_logits(
    given: Labelled,
    labels: Sequence[str],
    parts: int,
    *,
    ridge: float,
    rng: np.random.Generator,
    texts_min: int = 1,
    steps_max: int = STEPS_MAX,
) -> Floats:
    """float64 (texts, classes): z of every text from weights that had not seen it."""
    part = learning.folds(len(given.label), parts, rng)
    z = given.offset.copy()
    for k in range(parts):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        learnt = fit(given.rows(kept), labels, ridge=ridge, texts_min=texts_min, steps_max=steps_max)
        z[out] += given.matrix[out][:, learnt.buckets] @ learnt.weights + learnt.bias
    return z


def _shrink(weights: Weighing) -> tuple[NDArray[np.int8], Weighing]:
    largest = np.abs(weights).max(axis=0, initial=1e-12)
    share = np.abs(weights) / largest
    return (np.sign(weights) * np.round(127 * np.sqrt(share))).astype(np.int8), largest.astype(np.float32)


def _grow(codes: NDArray[np.int8], largest: Weighing) -> Weighing:
    step = codes.astype(np.float32) / 127
    return (np.sign(step) * step**2 * largest).astype(np.float32)
