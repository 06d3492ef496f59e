"""Learning how what is said around a target judges it, and judging that on labelled texts held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import scipy.sparse as sp
from numpy.typing import NDArray

from rapport.insights.contract import Backtest, Metric
from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing, judging, learning, linear, svm
from rapport.kit.texts.hashing import BITS
from rapport.kit.texts.judging import Classes
from rapport.kit.texts.learning import Floats
from rapport.kit.texts.linear import Linear
from rapport.plugins.insights.aspect import mentions, reading
from rapport.plugins.insights.aspect.mentions import MARK, Catalogue
from rapport.plugins.insights.aspect.weights import LABELS, Weights, logits

FOLDS = 5
ADAPTABLE_TEXTS = 100  # fewer labelled texts than this say nothing about the firm's own language
CALIBRATED_TEXTS = 300  # with fewer a temperature is noise
DENSE_GAIN = 2.0  # the prior of the dense columns is this much wider
EVENNESS = 0.3  # 0 lets each target count alike, 1 each label
WINDOW = 5  # words on each side that the model to beat reads
RIVAL = f"TF-IDF of the {WINDOW} words on each side with a linear support vector machine"
SPELT = {"-1": 0, "0": 1, "1": 2, **{label: k for k, label in enumerate(LABELS)}}


@dataclass(frozen=True, slots=True)
class Lesson:
    """Labelled targets.

    matrix : float32 CSR (targets, columns)
    label : int64 (targets,), 0 negative, 1 neutral, 2 positive
    of : int64 (targets,), the number of the sentence that each stands in
    texts : the sentences with their mark
    """

    matrix: sp.csr_matrix
    label: Classes
    of: Classes
    texts: pa.StringArray

    def rows(self, chosen: NDArray[np.int64], offset: Floats | None = None) -> linear.Labelled:
        """Some of the targets, as the learner wants them."""
        n, label = len(chosen), self.label[chosen]
        known = np.zeros((n, len(LABELS))) if offset is None else offset[chosen]
        weight = (1.0 / np.maximum(np.bincount(label, minlength=len(LABELS)), 1))[label] ** EVENNESS
        return linear.Labelled(self.matrix[chosen], label, weight / weight.mean(), known)


def lesson(table: pa.Table, catalogue: Catalogue, valence: reading.Valence) -> Lesson:
    """Columns text and label, and perhaps `aspect` (the words of the target) or `name` (`aspect:delivery`).

    A text marks its target by `$T$`, or has it in the column `aspect`, or names an aspect of the catalogue; a row
    whose target stands nowhere is left out. Raises Invalid where a label is no polarity or no target is found.
    """
    for column in ("text", "label"):
        if column not in table.column_names:
            raise Invalid(f"the rows have no column {column}", "Give texts in `text` and labels in `label`.")
    arrow: Any = pc
    spelt = arrow.utf8_lower(arrow.utf8_trim_whitespace(table.column("label").cast(pa.string())))
    place = arrow.index_in(spelt, value_set=pa.array(list(SPELT)))
    if place.null_count:
        wrong = spelt.filter(arrow.is_null(place))[0].as_py()
        raise Invalid(f"{wrong!r} is no polarity", f"Label targets with {', '.join(LABELS)}.")
    label = np.array(list(SPELT.values()))[place.to_numpy()]
    texts = table.column("text").cast(pa.string()).to_pylist()
    targets = _targets(table, catalogue, texts)
    marked = mentions.marked(texts, targets)
    stands = np.asarray(arrow.match_substring(marked, mentions.MARKED).to_numpy(zero_copy_only=False))
    if not stands.any():
        raise Invalid(
            "no row says what its label is about",
            f"Mark the target with {MARK}, or name its words in a column `aspect`.",
        )
    kept = pa.array(np.flatnonzero(stands))
    marked = marked.take(kept)
    read = reading.one_each(marked, valence, learning.BATCH_TEXTS)
    whole = [
        text.replace(MARK, target or "").replace(" ", "") for text, target in zip(texts, targets, strict=True)
    ]
    _, of = np.unique(np.array(whole, object)[stands].astype(str), return_inverse=True)
    return Lesson(sp.vstack([r.matrix() for r in read], format="csr"), label[stands], of, marked)


def _targets(table: pa.Table, catalogue: Catalogue, texts: list[str]) -> list[str | None]:
    """The words of each target as the text spells them, where the text does not mark it."""
    told: list[str | None] = [None] * len(texts)
    if "aspect" in table.column_names:
        told = table.column("aspect").cast(pa.string()).to_pylist()
    if "name" not in table.column_names:
        return told
    asked = [(name or "").partition(":")[2] for name in table.column("name").to_pylist()]
    column = pa.array([text if key in catalogue.keys else "" for text, key in zip(texts, asked, strict=True)])
    cut = hashing.words_of(column)
    named = mentions.find(catalogue, cut, hashing.of_texts(column).whole)
    first: dict[tuple[int, str], str] = {}
    for aspect, word in zip(named.aspect.tolist(), named.word.tolist(), strict=True):
        first.setdefault((int(cut.owner[word]), catalogue.keys[aspect]), cut.word[word])
    return [words or first.get((k, key)) for k, (words, key) in enumerate(zip(told, asked, strict=True))]


def learnt(rows: linear.Labelled, ridge: float) -> Linear:
    """The likeliest weights beyond what is known."""
    rare = learning.rarity(rows.matrix)
    rare[1 << BITS :] = DENSE_GAIN
    return linear.fit(rows, LABELS, ridge=ridge, scale=rare)


def taught(prior: Weights, given: Lesson, ridge: float, rng: np.random.Generator) -> Weights:
    """The prior's weights plus what the labels add, with honest probabilities."""
    offset = logits(prior.polarity, given.matrix)
    more = learnt(given.rows(np.arange(len(given.label)), offset), ridge)
    both = prior.taught(more)
    if len(given.label) < CALIBRATED_TEXTS:
        return both
    z = held_out_logits(given, ridge, parts_of(given, 3, rng), offset)
    return both.divided(learning.temperature(z, given.label))


def parts_of(given: Lesson, n_parts: int, rng: np.random.Generator) -> Classes:
    """(targets,): a part for each; the targets of one sentence stay together."""
    return learning.folds(int(given.of.max()) + 1, n_parts, rng)[given.of]


def held_out_logits(given: Lesson, ridge: float, part: Classes, offset: Floats | None = None) -> Floats:
    """float64 (targets, 3): z of every target from weights that had not seen its sentence."""
    z = np.zeros((len(given.label), len(LABELS))) if offset is None else offset.copy()
    for k in range(int(part.max()) + 1):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        z[out] += logits(learnt(given.rows(kept, offset), ridge), given.matrix[out])
    return z


def rival(given: Lesson, part: Classes) -> Classes:
    """(targets,): what TF-IDF of the words next to the target says, learnt from the same parts."""
    counts = svm.counts([hashing.features(_window(batch)) for batch in _batches(given.texts)])
    said = np.zeros(len(given.label), np.int64)
    for k in range(int(part.max()) + 1):
        kept, out = np.flatnonzero(part != k), np.flatnonzero(part == k)
        said[out] = svm.said(counts, given.label, kept, out, len(LABELS))
    return said


def metrics(
    which: str,
    truth: Classes,
    said: Classes,
    others: Sequence[tuple[str, Classes]],
    rng: np.random.Generator,
) -> tuple[Metric, ...]:
    """Macro-F1 and accuracy beside each rule to beat."""
    low, high = judging.interval(truth, said, rng)
    found = []
    for k, (baseline, rule) in enumerate(others):
        suffix = " (beside the usual label)" if k else ""
        found += [
            Metric(
                f"macro-F1, {which}{suffix}", judging.macro_f1(truth, said), baseline, judging.macro_f1(truth, rule),
                low=low, high=high, meaning="Precision and recall of the three labels together; 1 is perfect.",
            ),
            Metric(
                f"accuracy, {which}{suffix}", judging.accuracy(truth, said), baseline, judging.accuracy(truth, rule),
                meaning="The share of targets with the right label.",
            ),
        ]  # fmt: skip
    return tuple(found)


def judge(prior: Weights, given: Lesson, ridge: float, rng: np.random.Generator) -> Backtest:
    """As shipped; and taught, each fifth of the sentences judged after learning the others, beside TF-IDF."""
    usual = np.full(len(given.label), np.bincount(given.label, minlength=3).argmax())
    naive = (f"always {LABELS[usual[0]]}, the most frequent label", usual)
    offset = logits(prior.polarity, given.matrix)
    found = metrics("as shipped", given.label, offset.argmax(axis=1), [naive], rng)
    split = "as shipped: on every target"
    if len(given.label) >= ADAPTABLE_TEXTS:
        part = parts_of(given, FOLDS, rng)
        beside = [(RIVAL, rival(given, part)), naive]
        fresh = held_out_logits(given, ridge, part).argmax(axis=1)
        found += metrics("learnt from these labels alone", given.label, fresh, beside, rng)
        split += (
            f"; learnt: each of {FOLDS} parts judged after learning from the others, a sentence never in both"
        )
    return Backtest(found, len(given.label), split)


def _batches(texts: pa.StringArray) -> list[pa.StringArray]:
    return [texts.slice(k, learning.BATCH_TEXTS) for k in range(0, len(texts), learning.BATCH_TEXTS)]


def _window(texts: pa.StringArray) -> Any:
    """The words next to the target, without it."""
    cut = hashing.words_of(texts)
    is_mark = np.fromiter((w == mentions.MARKED for w in cut.word), np.bool_, len(cut.word))
    centre = np.full(cut.n_texts, -1 << 40)
    centre[cut.owner[is_mark]] = np.flatnonzero(is_mark)
    near = (np.abs(np.arange(len(cut.word)) - centre[cut.owner]) <= WINDOW) & ~is_mark
    chosen = np.flatnonzero(near)
    return replace(cut, word=[cut.word[k] for k in chosen], owner=cut.owner[chosen])
