"""Learning a firm's labels: words, pairs of words near and apart, and the letters inside words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.errors import Invalid
from rapport.kit.texts import learning, linear, pairs, second
from rapport.kit.texts.hashing import Features
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.linear import Linear
from rapport.kit.texts.second import Second

FOLDS = 3  # to find the temperature
CALIBRATED_TEXTS = 300  # with fewer a temperature is noise
MANY_TEXTS = 1_000
STEPS_MAX = 60
TIERS = ("fast", "full")
REACH = 4  # words apart that a pair may stand


@dataclass(frozen=True, slots=True)
class Lesson:
    """Labelled texts.

    labels : the different labels, in order
    texts : the texts
    found : their features, batch by batch
    label : int64 (texts,), the place of each text's label
    """

    labels: tuple[str, ...]
    texts: pa.StringArray
    found: list[Features]
    label: Classes

    @classmethod
    def of(cls, table: pa.Table) -> Lesson:
        """Raises Invalid where the rows hold no two labels to tell apart."""
        for column in ("text", "label"):
            if column not in table.column_names:
                raise Invalid(
                    f"the rows have no column {column}", "Give texts in `text` and labels in `label`."
                )
        arrow: Any = pc
        label = arrow.utf8_trim_whitespace(table.column("label").cast(pa.string()))
        said = arrow.and_(arrow.is_valid(table.column("text")), arrow.greater(arrow.utf8_length(label), 0))
        table, label = table.filter(said), label.filter(said)
        labels = sorted(arrow.unique(label).to_pylist())
        if len(labels) < 2:
            named = f"only the label {labels[0]!r}" if labels else "no label"
            raise Invalid(f"the rows hold {named}", "Give texts of at least two different reasons.")
        place = arrow.index_in(label, value_set=pa.array(labels)).to_numpy().astype(np.int64)
        texts: Any = table.column("text").cast(pa.string()).combine_chunks()
        return cls(tuple(labels), texts, [features(batch) for batch in learning.batches(texts)], place)


@dataclass(frozen=True, slots=True)
class Manner:
    """How it learns.

    ridge : the precision of the prior around zero
    evenness : 0 lets each text count alike, 1 each label; macro-F1 lies best in between
    tier : fast learns the words alone, full what texts mean too, where that helps
    """

    ridge: float
    evenness: float
    tier: str = "fast"

    @classmethod
    def of(cls, parameters: Mapping[str, Any]) -> Manner:
        return cls(float(parameters["ridge"]), float(parameters["evenness"]), tier_of(parameters))

    def weight(self, label: Classes, n_classes: int) -> Floats:
        """(texts,): how much each text counts; the mean text counts one."""
        n = np.bincount(label, minlength=n_classes)
        weight = (1.0 / np.maximum(n, 1))[label] ** self.evenness
        return np.asarray(weight / weight.mean())


def features(given: Features) -> Features:
    """The features that every model of texts has, and pairs of words that stand apart."""
    return replace(given, parts=(*given.parts, pairs.apart(given, REACH)))


def labelled(given: Lesson, manner: Manner) -> linear.Labelled:
    """The lesson as a matrix."""
    k = len(given.labels)
    return linear.Labelled.of(given.found, given.label, k, weight=manner.weight(given.label, k))


def texts_min(n_texts: int) -> int:
    """In how many texts a feature must occur to be learnt; what two texts have tells little once there are many."""
    return 3 if n_texts >= MANY_TEXTS else 1


def learn(rows: linear.Labelled, labels: Sequence[str], manner: Manner) -> Linear:
    """The likeliest weights."""
    n = len(rows.label)
    return linear.fit(rows, labels, ridge=manner.ridge, texts_min=texts_min(n), steps_max=STEPS_MAX)


@dataclass(frozen=True, slots=True)
class Taught:
    """What was learnt: the words, and what texts mean where texts held out said that it helps."""

    words: Linear
    second: Second | None

    def to_bytes(self) -> bytes:
        return second.pack(self.words.to_bytes(), self.second)

    @classmethod
    def from_bytes(cls, given: bytes) -> Taught:
        """Raises Invalid where the bytes are not such a model; one from before there were two readers is one of words."""
        words, more = second.unpack(given)
        return cls(Linear.from_bytes(words), more)


def tier_of(parameters: Mapping[str, Any]) -> str:
    """Raises Invalid where there is no such tier."""
    tier = parameters.get("tier", "full")
    if tier not in TIERS:
        raise Invalid(f"there is no tier {tier!r}", f"Give one of {', '.join(TIERS)}.")
    return str(tier)


def fit(given: Lesson, manner: Manner, rng: np.random.Generator) -> Taught:
    """The likeliest weights, with honest probabilities where there are texts enough to find them."""
    rows = labelled(given, manner)
    learnt = learn(rows, given.labels, manner)
    if len(given.label) < CALIBRATED_TEXTS:
        return Taught(learnt, None)
    n = len(given.label) * (FOLDS - 1) // FOLDS
    z = linear.held_out_logits(
        rows, given.labels, FOLDS, ridge=manner.ridge, rng=rng, texts_min=texts_min(n), steps_max=STEPS_MAX
    )
    t = learning.temperature(z, given.label)
    return Taught(learnt.divided(t), _second(given, rows, z, t, rng) if manner.tier == "full" else None)


def _second(
    given: Lesson, rows: linear.Labelled, z: Floats, t: float, rng: np.random.Generator
) -> Second | None:
    """z : float64 (texts, labels), of the words on texts held out; t : their temperature."""
    meant, k = second.vectors(given.texts), len(given.labels)
    part = learning.folds(len(given.label), FOLDS, rng)
    chosen = second.choose(z, second.held_out(meant, given.label, rows.weight, k, part), given.label)
    if not chosen.kept:
        return None
    return second.settle(second.fit(meant, given.label, rows.weight, k), chosen, t)
