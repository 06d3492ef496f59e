"""A second reader beside a model of words: a linear model over what texts mean, whose say is added to the words'.

z = share x z of the words + v W + b, with v the vector of a text's meaning. It is learnt apart from the words, so a
word pulls as far as it did before, and both say what decided. It is kept where texts held out say that it helps.
"""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from scipy.optimize import minimize

from rapport.kit.errors import Invalid
from rapport.kit.texts import judging, learning, meaning
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats, softmax
from rapport.kit.texts.meaning import SIZE, Vectors

TEXTS_MIN = 300  # labelled; with fewer nobody can tell whether it helps
GAIN_MIN = 0.005  # of macro-F1 on texts held out: less is not worth reading sixty times as slowly
RIDGE = 0.1  # the precision of the prior around zero
STEPS_MAX = 60
REMEMBERED = 20_000  # texts, 30 MB
VERSION = b"\x02"  # the first byte of a model that has a second reader; one without begins as it always did


@dataclass(frozen=True, slots=True)
class Head:
    """weights : float32 (SIZE, classes); bias : float64 (classes,)."""

    weights: NDArray[np.float32]
    bias: Floats

    def logits(self, found: Vectors) -> Floats:
        """float64 (texts, classes)."""
        return np.asarray(found @ self.weights, np.float64) + self.bias


@dataclass(frozen=True, slots=True)
class Second:
    """What is added to the words' z, and what the texts held out said of that.

    share : by what z of the words is multiplied
    n : texts held out; alone, both : macro-F1 of the words alone and of both
    """

    share: float
    head: Head
    n: int
    alone: float
    both: float

    def logits(self, z: Floats, texts: pa.StringArray) -> Floats:
        """float64 (texts, classes): z of the words (texts, classes) and of the meaning together."""
        return self.added(z, vectors(texts))

    def added(self, z: Floats, found: Vectors) -> Floats:
        """The same for texts whose vectors (texts, SIZE) are known."""
        return self.share * z + self.head.logits(found)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whether both are kept, how much z of either counts, and macro-F1 of the words alone and of both."""

    kept: bool
    words: float
    head: float
    n: int
    alone: float
    both: float


def vectors(texts: pa.StringArray) -> Vectors:
    """float32 (texts, SIZE): what each text means; one that is missing means what an empty one does.

    Texts asked for lately are remembered, because to learn and to judge asks for the same ones again and again.
    """
    asked = [text or "" for text in texts.to_pylist()]
    known = _lately.known
    new = list(dict.fromkeys(text for text in asked if text not in known))
    found = dict(zip(new, meaning.vectors(new), strict=True))
    if not asked:
        return np.zeros((0, SIZE), np.float32)
    table = np.stack([found[text] if text in found else known[text] for text in asked])
    # A new dictionary, never a changed one: another thread may be reading this one.
    _lately.known = {**known, **found} if len(known) + len(found) <= REMEMBERED else found
    return table


class _Lately:
    known: dict[str, NDArray[np.float32]] = {}


_lately = _Lately()


def fit(found: Vectors, label: Classes, weight: Floats, n_classes: int, *, ridge: float = RIDGE) -> Head:
    """The likeliest weights; `weight` (texts,) is how much each text counts."""
    size, every, total = SIZE * n_classes, np.arange(len(label)), float(weight.sum())

    def loss(v: Floats) -> tuple[float, Floats]:
        w, b = v[:size].reshape(SIZE, n_classes), v[size:]
        p = softmax((found @ w.astype(np.float32)).astype(np.float64) + b)
        right = np.maximum(p[every, label], 1e-12)
        value = -float((weight * np.log(right)).sum()) + ridge * float((w * w).sum()) / 2
        p[every, label] -= 1
        p *= weight[:, None]
        gradient = (found.T @ p.astype(np.float32)).astype(np.float64) + ridge * w
        return value / total, np.concatenate([gradient.ravel(), p.sum(axis=0)]) / total

    start = np.zeros(size + n_classes)
    options = {"maxiter": STEPS_MAX, "maxcor": 6}
    learnt = minimize(loss, start, jac=True, method="L-BFGS-B", options=options).x
    return Head(learnt[:size].reshape(SIZE, n_classes).astype(np.float32), learnt[size:])


def held_out(
    found: Vectors, label: Classes, weight: Floats, n_classes: int, part: NDArray[np.int64]
) -> Floats:
    """float64 (texts, classes): z of every text from a head that had not seen its part."""
    z = np.zeros((len(label), n_classes))
    for k in range(int(part.max()) + 1):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        z[out] = fit(found[kept], label[kept], weight[kept], n_classes).logits(found[out])
    return z


def choose(words: Floats, head: Floats, label: Classes, *, weigh: bool = False) -> Chosen:
    """Judge both z (texts, classes) together, of texts that neither has learnt, beside the words' alone.

    weigh : find how much either counts; otherwise both count alike, divided by one temperature
    """
    shares = _shares(words, head, label) if weigh else None
    if shares is None:
        shares = 2 * (1 / learning.temperature(words + head, label),)
    alone = judging.macro_f1(label, words.argmax(axis=1))
    both = judging.macro_f1(label, (shares[0] * words + shares[1] * head).argmax(axis=1))
    return Chosen(both >= alone + GAIN_MIN, *shares, len(label), alone, both)


def _shares(words: Floats, head: Floats, label: Classes) -> tuple[float, float] | None:
    """The likeliest shares of either z; None where one would count against what it says."""
    every = np.arange(len(label))

    def loss(v: Floats) -> tuple[float, Floats]:
        p = softmax(v[0] * words + v[1] * head)
        value = -float(np.log(np.maximum(p[every, label], 1e-12)).mean())
        p[every, label] -= 1
        return value, np.array([(p * words).sum(), (p * head).sum()]) / len(label)

    found = minimize(loss, np.full(2, 0.5), jac=True, method="L-BFGS-B", bounds=[(0.0, 20.0)] * 2).x
    return (float(found[0]), float(found[1])) if found.min() > 0 else None


def settle(head: Head, chosen: Chosen, words_temperature: float) -> Second:
    """The second reader of words whose z has been divided by their own temperature."""
    share = chosen.head
    grown = Head((head.weights * share).astype(np.float32), head.bias * share)
    return Second(words_temperature * chosen.words, grown, chosen.n, chosen.alone, chosen.both)


def pack(words: bytes, second: Second | None) -> bytes:
    """One model of both; without a second reader it is that of the words, as it always was."""
    if second is None:
        return words
    sink = io.BytesIO()
    np.savez_compressed(
        sink,
        words=np.frombuffer(words, np.uint8),
        weights=second.head.weights.astype(np.float16),
        bias=second.head.bias,
        figures=np.array([second.share, second.n, second.alone, second.both]),
    )
    return VERSION + sink.getvalue()


def unpack(given: bytes) -> tuple[bytes, Second | None]:
    """The model of the words, and the second reader where there is one. Raises Invalid where the bytes are neither."""
    if given[:1] != VERSION:
        return given, None
    try:
        with np.load(io.BytesIO(given[1:]), allow_pickle=False) as held:
            share, n, alone, both = held["figures"].tolist()
            head = Head(held["weights"].astype(np.float32), held["bias"].astype(np.float64))
            words = held["words"].tobytes()
    except (OSError, EOFError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Invalid(
            f"these bytes are no model with a second reader: {error}", "Fit the model anew."
        ) from None
    if head.weights.shape != (SIZE, len(head.bias)):
        raise Invalid(f"a second reader of shape {head.weights.shape} does not fit", "Fit the model anew.")
    return words, Second(share, head, int(n), alone, both)
