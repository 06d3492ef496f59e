"""How good a model of texts is before and after a lesson, on labelled texts that it has not learnt from.

Each part of the labelled texts is judged by a model that learnt from the other parts; the version that serves
is judged alike, from the same texts as it had learnt from then, so that neither knows what it is asked.
Intervals and the gain by the bootstrap over texts, before and after drawn together (Efron and Tibshirani 1993,
"An introduction to the bootstrap").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rapport.insights.contract import Backtest, Context, Insight, Metric
from rapport.insights.services import keeping
from rapport.kit.texts import judging

PARTS = 5
WHOLE_MAX = 3_000  # of more labelled texts one part is judged, because each costs two more lessons
DRAWS = 500
MARK = "$T$"  # stands in a text for the words that its label is about
SAMPLE = 1_000  # texts by which it is seen whether a model speaks of whole texts
SILENT = ""  # what a model says that says nothing

# What is taught: `aspect` holds the words that a label is about, empty where it is about the whole text.
ROWS = pa.schema([*keeping.LABELLED, ("aspect", pa.string())])

Classes = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Figure:
    """A share from 0 to 1 with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class OfLabel:
    """How well one label was found before and after: F1, precision and recall together; 1 is perfect."""

    label: str
    n: int  # held-out texts that have it
    before: Figure
    after: Figure


@dataclass(frozen=True, slots=True)
class Judged:
    """Before and after on held-out texts."""

    n: int  # texts judged
    split: str
    before: Figure  # macro-F1
    after: Figure
    gain: Figure  # of macro-F1
    accuracy_before: float
    accuracy_after: float
    labels: tuple[OfLabel, ...]

    def as_backtest(self, version: str) -> Backtest:
        """The same as the figures of a back-test, the version that served being the naive rule."""
        rule = f"version {version}, before the lesson"
        return Backtest(
            (
                Metric(
                    "macro-F1, after the lesson",
                    self.after.value,
                    rule,
                    self.before.value,
                    low=self.after.low,
                    high=self.after.high,
                    meaning="Precision and recall of all labels together; 1 is perfect.",
                ),
                Metric(
                    "accuracy, after the lesson",
                    self.accuracy_after,
                    rule,
                    self.accuracy_before,
                    meaning="The share of texts with the right label.",
                ),
            ),
            self.n,
            self.split,
        )


def judge(
    model: Insight,
    rows: pa.Table,
    known: NDArray[np.bool_],
    serving: bytes,
    context: Context,
    progress: Callable[[int, int], None] | None = None,
) -> Judged:
    """Judge a model as it serves and as the rows would make it.

    rows : text, label, name and perhaps `aspect`; each text of a name once, or of the words it is about
    known : (rows,), which of them the version that serves has learnt from
    """
    rng = context.rng()
    n = rows.num_rows
    part = rng.permutation(n) % PARTS
    asked = PARTS if n <= WHOLE_MAX else 1
    before, after = np.full(n, SILENT, object), np.full(n, SILENT, object)
    for k in range(asked):
        out, kept = np.flatnonzero(part == k), np.flatnonzero(part != k)
        held = rows.take(pa.array(out))
        after[out] = said(model, _learnt(model, rows, kept, context), held, context)
        if progress:
            progress(2 * k + 1, 2 * asked)
        content = _learnt(model, rows, kept[known[kept]], context) if known.any() else serving
        before[out] = said(model, content, held, context)
        if progress:
            progress(2 * k + 2, 2 * asked)
    judged = np.flatnonzero(part < asked)
    whole = "every text" if asked == PARTS else "one fifth of the texts"
    split = f"{whole}, each judged after learning from the other four fifths"
    return _compared(rows.take(pa.array(judged)), before[judged], after[judged], split, rng)


def said(model: Insight, content: bytes, rows: pa.Table, context: Context) -> NDArray[np.object_]:
    """(rows,): the label that a model gives each text under the row's name; SILENT where it gives none."""
    seq = pa.array(np.arange(rows.num_rows), pa.int64())
    texts = pa.table({"seq": seq, "text": rows.column("text").combine_chunks()})
    given = model.score(content, texts, context)
    labels = np.full(rows.num_rows, SILENT, object)
    names = np.asarray(rows.column("name").to_pylist(), object)
    place = given.column("seq").to_numpy()
    matches = names[place] == np.asarray(given.column("name").to_pylist(), object)
    labels[place[matches]] = np.asarray(given.column("label").to_pylist(), object)[matches]
    return labels


def for_fit(rows: pa.Table) -> pa.Table:
    """The rows as a model learns from them: with `aspect` where one says what it is about."""
    there: Any = pc
    if "aspect" in rows.column_names and there.any(there.not_equal(rows.column("aspect"), "")).as_py():
        return rows.select(ROWS.names).cast(ROWS)
    return rows.select(keeping.LABELLED.names).cast(keeping.LABELLED)


def named(model: Insight, rows: pa.Table, content: bytes, context: Context) -> pa.Table:
    """The rows that can be judged, under the names that the model says.

    Where a label is about some words of its text, the name is the one that the model gives these words alone;
    where it gives them none, nobody can tell whether it is right about them.
    """
    about, texts = rows.column("aspect").to_pylist(), rows.column("text").to_pylist()
    words = sorted(set(about) - {""})
    if not words and not any(MARK in text for text in texts):
        return rows
    asked = [*words, *texts[:SAMPLE]]
    alone = pa.table({"seq": pa.array(range(len(asked)), pa.int64()), "text": pa.array(asked, pa.string())})
    given = model.score(content, alone, context)
    called: dict[str, str] = {}
    of_whole_texts = set()
    for k, name in zip(given.column("seq").to_pylist(), given.column("name").to_pylist(), strict=True):
        if ":" in name:
            called.setdefault(asked[k], name)
        else:
            of_whole_texts.add(name)
    names = rows.column("name").to_pylist()
    places = []
    for k, (target, text) in enumerate(zip(about, texts, strict=True)):
        if target and names[k] not in of_whole_texts:
            names[k] = called.get(target, "")
        if names[k] in of_whole_texts or (":" in names[k] and MARK not in text):
            places.append(k)
    place = rows.column_names.index("name")
    return rows.set_column(place, "name", pa.array(names, pa.string())).take(pa.array(places, pa.int64()))


def _learnt(model: Insight, rows: pa.Table, kept: NDArray[Any], context: Context) -> bytes:
    return model.fit(for_fit(rows.take(pa.array(kept))), context)


def _compared(
    rows: pa.Table,
    before: NDArray[np.object_],
    after: NDArray[np.object_],
    split: str,
    rng: np.random.Generator,
) -> Judged:
    names = np.asarray(rows.column("name").to_pylist(), object)
    right = np.asarray(rows.column("label").to_pylist(), object)
    several = len(set(names.tolist())) > 1
    called = [np.asarray([f"{a}: {b}" for a, b in zip(names, labels, strict=True)], object) if several else labels
              for labels in (right, before, after)]  # fmt: skip
    classes = sorted({str(label) for labels in called for label in labels})
    place = {label: k for k, label in enumerate(classes)}
    truth, first, second = (
        np.fromiter((place[str(label)] for label in labels), np.int64, len(labels)) for labels in called
    )
    f1_before, f1_after = _f1(truth, first, second, len(classes), rng)
    asked = np.bincount(truth, minlength=len(classes))
    shown = sorted(np.flatnonzero(asked).tolist(), key=lambda k: (-int(asked[k]), classes[k]))
    macro_before, macro_after = _macro(f1_before), _macro(f1_after)
    return Judged(
        n=len(truth),
        split=split,
        before=_figure(macro_before),
        after=_figure(macro_after),
        gain=_figure(macro_after - macro_before),
        accuracy_before=judging.accuracy(truth, first),
        accuracy_after=judging.accuracy(truth, second),
        labels=tuple(
            OfLabel(classes[k], int(asked[k]), _figure(f1_before[:, k]), _figure(f1_after[:, k]))
            for k in shown
        ),
    )


def _f1(
    truth: Classes, first: Classes, second: Classes, k: int, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """(1 + DRAWS, classes) each: F1 by label of both, of the texts as they are and drawn anew; NaN without any."""
    triples, n = np.unique(np.stack([truth, first, second]), axis=1, return_counts=True)
    total = int(n.sum())
    draws = np.vstack([n, rng.multinomial(total, n / total, size=DRAWS)])
    one = np.eye(k)
    asked = draws @ one[triples[0]]
    found = []
    for said_by in (triples[1], triples[2]):
        given = draws @ one[said_by]
        right = draws @ (one[said_by] * (triples[0] == said_by)[:, None])
        f1 = 2 * right / np.maximum(asked + given, 1)
        found.append(np.where(asked > 0, f1, np.nan))
    return found[0], found[1]


def _macro(f1: Floats) -> Floats:
    there = ~np.isnan(f1)
    return np.asarray(np.where(there, f1, 0).sum(axis=1) / np.maximum(there.sum(axis=1), 1))


def _figure(drawn: Floats) -> Figure:
    """The figure itself stands first, those of the draws behind it."""
    there = drawn[1:][~np.isnan(drawn[1:])]
    low, high = np.quantile(there, [0.025, 0.975]) if len(there) else (drawn[0], drawn[0])
    return Figure(round(float(drawn[0]), 4), round(float(low), 4), round(float(high), 4))
