"""Why somebody wrote, under the firm's own labels; says nothing until the firm has taught it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from rapport.insights.contract import ANNOTATED, Backtest, Context, Gives
from rapport.kit.texts import hashing, labelled, tokens
from rapport.kit.texts.deciding import deciding_words
from rapport.kit.texts.learning import softmax
from rapport.plugins.insights.contact_reason import judging, teaching
from rapport.plugins.insights.contact_reason.teaching import Taught

HERE = Path(__file__).parent
UNTAUGHT = b""


class ContactReason:
    """Annotates each text with one of the labels that the firm has taught.

    probability : of the label, calibrated on held-out texts where there were enough of them
    detail : {"words": at most three that decided, "second": the label that came next, "second_probability": p}
    """

    name = "contact_reason"
    version = "1"
    title = "Reason for contact"
    meaning = "Why somebody wrote, under your own labels, and which words decided."
    limits = (
        "It knows the labels you taught and no others, so a text about something new gets the nearest of them; "
        "read the probability. Each label wants some thirty texts, and two labels that your staff mix up it mixes "
        "up too. Until you teach it, it says nothing."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    needs = None
    gives = (
        Gives(
            "annotation",
            "contact_reason",
            "none",
            0.0,
            0.0,
            (),
            "The firm's own label for why somebody wrote.",
        ),
    )
    parameters: Mapping[str, Any] = {"ridge": 0.1, "evenness": 0.9, "tier": "full"}

    @cached_property
    def shipped(self) -> Backtest:
        return Backtest.from_json(json.loads((HERE / "measured.json").read_text(encoding="utf-8")))

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Learn the labels of the rows; without rows there is nothing to say.

        table : columns text and label; any labels, at least two different ones
        """
        if table.num_rows == 0:
            return UNTAUGHT
        given = teaching.Lesson.of(table)
        return teaching.fit(
            given, teaching.Manner.of({**self.parameters, **context.parameters}), context.rng()
        ).to_bytes()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        tier = teaching.tier_of({**self.parameters, **context.parameters})
        if model == UNTAUGHT or table.num_rows == 0:
            return ANNOTATED.empty_table()
        taught = _taught(model)
        if tier == "fast":
            taught = replace(taught, second=None)
        return pa.concat_tables(_annotate(taught, seq, texts) for seq, texts in labelled.in_batches(table))

    def explain(self, row: Mapping[str, Any]) -> str:
        detail = json.loads(row["detail"] or "{}")
        said = f"Wrote about “{row['label']}” ({100 * row['probability']:.0f} % sure)"
        return labelled.because(said, detail.get("words", []))

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Each fifth of the texts judged after learning from the others, beside a TF-IDF model and the usual label."""
        if table.num_rows == 0:
            return self.shipped
        given = teaching.Lesson.of(table)
        return judging.judge(
            given, teaching.Manner.of({**self.parameters, **context.parameters}), context.rng()
        )


@lru_cache(maxsize=4)
def _taught(model: bytes) -> Taught:
    """Texts arrive a few at a time, and seventy labels take a while to unpack."""
    return Taught.from_bytes(model)


def _annotate(taught: Taught, seq: Any, texts: pa.StringArray) -> pa.Table:
    cut, found = hashing.words_of(texts), teaching.features(hashing.of_texts(texts))
    weights, z = taught.words, taught.words.logits(found)
    p = softmax(z if taught.second is None else taught.second.logits(z, texts))
    order = np.argsort(-p, axis=1, kind="stable")
    first, second = order[:, 0], order[:, 1]
    every = np.arange(len(p))
    words = deciding_words(cut, found, weights.by_word(found, first))
    detail = pa.array(
        f'{{"words": {w}, "second": {json.dumps(weights.labels[s])}, "second_probability": {q:.4f}}}'
        for w, s, q in zip(words.to_pylist(), second.tolist(), p[every, second].tolist(), strict=True)
    )
    said = pa.table(
        [
            seq.cast(pa.int64()),
            pa.repeat("contact_reason", len(p)),
            pa.array(weights.labels).take(pa.array(first)),
            pa.nulls(len(p), pa.float64()),
            pa.array(np.round(p[every, first], 4)),
            detail.cast(pa.string()),
        ],
        schema=ANNOTATED,
    )
    return said.filter(pa.array(_says_something(cut)))


def _says_something(cut: tokens.Words) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which texts hold more than addresses, mentions, numbers and full stops; the others have no reason."""
    speaks = np.fromiter((w not in tokens.SILENT for w in cut.word), np.bool_, len(cut.word))
    return np.bincount(cut.owner[speaks], minlength=cut.n_texts) > 0


plugin = ContactReason()
