"""Aspects with their own polarity: of each thing in the firm's catalogue that a text names, how it fares there."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.insights.contract import ANNOTATED, Backtest, Context, Gives
from rapport.kit.texts import hashing, labelled
from rapport.kit.texts.deciding import deciding_words
from rapport.kit.texts.learning import softmax
from rapport.kit.texts.tokens import Words
from rapport.plugins.insights.aspect import reading, teaching
from rapport.plugins.insights.aspect.mentions import Catalogue
from rapport.plugins.insights.aspect.quoting import quotes
from rapport.plugins.insights.aspect.weights import LABELS, NEGATIVE, POSITIVE, Weights

HERE = Path(__file__).parent


def _offered() -> dict[str, Any]:
    given = tomllib.loads((HERE / "catalogue.toml").read_text(encoding="utf-8"))
    return {
        key: {"title": aspect["title"], "words": {k: v for k, v in aspect.items() if k != "title"}}
        for key, aspect in given.items()
    }


class Aspect:
    """Annotates each text with `aspect:<key>` for each aspect of the catalogue that it names.

    label : how the aspect fares in this text; neutral where it is named and not judged
    value : p(positive) - p(negative), in [-1, 1]
    probability : of the label, calibrated on held-out texts
    detail : {"words": at most three that decided, "quote": the part of the text that names it}
    """

    name = "aspect"
    version = "1"
    title = "Aspects"
    meaning = "Which things about you somebody judges, such as delivery or price, and how each of them fares."
    limits = (
        "It finds an aspect by the words in your catalogue: what is said in other words it misses. How an aspect "
        "fares it learnt from English reviews of restaurants and laptops, and carries over to other languages by "
        "how words judge there, so read shares over many texts. It misses irony. In languages other than those of "
        "the catalogue it finds only what you add."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    needs = None
    gives = (
        Gives(
            "annotation",
            "aspect",
            "probability difference",
            -1.0,
            1.0,
            LABELS,
            "How one aspect of the catalogue fares in a text, from negative to positive.",
        ),
    )
    # The catalogue is the firm's: what it has set stands in place of what is offered here.
    parameters: Mapping[str, Any] = {"ridge": 1.0, "catalogue": _offered()}

    @cached_property
    def shipped_bytes(self) -> bytes:
        return (HERE / "weights.npz").read_bytes()

    @cached_property
    def shipped(self) -> Backtest:
        return Backtest.from_json(json.loads((HERE / "measured.json").read_text(encoding="utf-8")))

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """The shipped weights; moved towards the firm's own labels where the table has any.

        table : columns text and label (negative, neutral, positive), and what the label is about: `$T$` in the text,
            a column `aspect` with its words, or a column `name` with an aspect of the catalogue
        """
        if table.num_rows == 0:
            return self.shipped_bytes
        prior = Weights.from_bytes(self.shipped_bytes)
        given = teaching.lesson(table, self._catalogue(context), prior.valence)
        return teaching.taught(prior, given, self._ridge(context), context.rng()).to_bytes()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        catalogue = self._catalogue(context)
        if table.num_rows == 0 or not catalogue.keys:
            return ANNOTATED.empty_table()
        weights = _weights(model)
        return pa.concat_tables(
            _annotate(weights, catalogue, seq, texts) for seq, texts in labelled.in_batches(table)
        )

    def explain(self, row: Mapping[str, Any]) -> str:
        detail = json.loads(row["detail"] or "{}")
        aspect = row["name"].partition(":")[2]
        said = f"Judges “{aspect}” as {row['label']} ({100 * row['probability']:.0f} % sure)"
        return labelled.because(said, detail.get("words", []))

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """As shipped on every target; and learnt from these labels alone, each fifth judged after the others."""
        if table.num_rows == 0:
            return self.shipped
        prior = Weights.from_bytes(self.shipped_bytes)
        given = teaching.lesson(table, self._catalogue(context), prior.valence)
        return teaching.judge(prior, given, self._ridge(context), context.rng())

    def _catalogue(self, context: Context) -> Catalogue:
        return _compiled(json.dumps(context.parameters.get("catalogue", self.parameters["catalogue"])))

    def _ridge(self, context: Context) -> float:
        return float(context.parameters.get("ridge", self.parameters["ridge"]))


@lru_cache(maxsize=4)
def _weights(model: bytes) -> Weights:
    """Texts arrive a few at a time, and weights take a while to unpack."""
    return Weights.from_bytes(model)


@lru_cache(maxsize=4)
def _compiled(catalogue: str) -> Catalogue:
    return Catalogue.of(json.loads(catalogue))


def _annotate(weights: Weights, catalogue: Catalogue, seq: Any, texts: pa.StringArray) -> pa.Table:
    cut, found = hashing.words_of(texts), hashing.of_texts(texts)
    read = reading.read(catalogue, cut, found, weights.valence)
    if not len(read.text):
        return ANNOTATED.empty_table()
    p = softmax(weights.logits(read))
    label = p.argmax(axis=1)
    heard = Words(len(read.text), [cut.word[k] for k in read.word.tolist()], read.pair)
    whole = hashing.Features(len(read.text), read.pair, found.whole[read.word], found.turned[read.word], ())
    words = deciding_words(heard, whole, weights.by_word(read, label))
    detail = [
        f'{{"words": {w}, "quote": {json.dumps(q, ensure_ascii=False)}}}'
        for w, q in zip(words.to_pylist(), quotes(texts, cut, read), strict=True)
    ]
    names = pa.array([f"aspect:{key}" for key in catalogue.keys], pa.string())
    return pa.table(
        [
            seq.cast(pa.int64()).take(pa.array(read.text)),
            names.take(pa.array(read.aspect)),
            pa.array(LABELS).take(pa.array(label)),
            pa.array(np.round(p[:, POSITIVE] - p[:, NEGATIVE], 4)),
            pa.array(np.round(p.max(axis=1), 4)),
            pa.array(detail, pa.string()),
        ],
        schema=ANNOTATED,
    )


plugin = Aspect()
