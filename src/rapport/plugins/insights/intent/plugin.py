"""Intent of a text: what somebody wants who wrote it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import ANNOTATED, Backtest, Context, Gives, Metric
from rapport.kit.texts import figures, hashing, labelled, learning, moving
from rapport.kit.texts.cues import words_json
from rapport.kit.texts.labelled import FOLDS
from rapport.kit.texts.learning import Floats, softmax
from rapport.kit.texts.moving import Moved
from rapport.kit.texts.tokens import Words
from rapport.plugins.insights.intent import helping
from rapport.plugins.insights.intent.reading import LABELS, Read, head

HERE = Path(__file__).parent
ADAPTABLE_TEXTS = 100  # fewer labelled texts than this say nothing about the firm's own language

SAID = {
    "question": "asks something",
    "complaint": "complains",
    "praise": "praises or thanks",
    "help_request": "asks for help",
    "purchase_intent": "wants to buy",
    "churn_threat": "says that they will leave",
    "spam": "advertises",
    "statement": "states something",
    "yes": "asks for help",
    "no": "does not plainly ask for help",
}


class Intent:
    """Annotates each text twice: intent, one of eight labels; and help_request, whether it plainly asks for help.

    value : of help_request the chance of yes, which it must pass by far: precision comes before recall
    probability : of the label, calibrated on held-out texts that we read
    detail : {"words": at most three phrases that decided, "probabilities": {label: p}}
    """

    name = "intent"
    version = "4"
    title = "Intent"
    meaning = (
        "What somebody wants who wrote a text: an answer, help, to complain, to praise, to buy or to leave."
    )
    limits = (
        "One label for each text, though many do two things at once. It goes by phrases that we wrote down in "
        "nine languages, so it misses what is said in a way that nobody thought of, and irony. Threats to leave "
        "and wishes to buy are rare in what it was tuned on: read those texts before you act."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    needs = None
    gives = (
        Gives("annotation", "intent", "none", 0.0, 0.0, LABELS, "What the writer wants."),
        Gives(
            "annotation", helping.NAME, "probability", 0.0, 1.0, helping.LABELS, "Whether it plainly asks for help."
        ),
    )  # fmt: skip
    parameters: Mapping[str, Any] = {"ridge": 1.0}

    @cached_property
    def shipped(self) -> Backtest:
        return Backtest.from_json(json.loads((HERE / "measured.json").read_text(encoding="utf-8")))

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Nothing where the table has no row; else what the firm's own labels add to the shipped weights.

        table : columns text and label (one of the eight); asking for help is not taught, its rows are left out
        """
        table = _of_intent(table)
        if table.num_rows == 0:
            return Moved.nothing(LABELS).to_bytes()
        texts, truth = labelled.read(table, LABELS, "intent")
        return moving.fit(
            shipped_logits(texts),
            learning.batches(texts),
            truth,
            LABELS,
            ridge=self._ridge(context),
            rng=context.rng(),
        ).to_bytes()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002  the contract's
        moved = Moved.from_bytes(model, LABELS)
        parts = [_annotate(moved, seq, texts) for seq, texts in labelled.in_batches(table)]
        return pa.concat_tables(parts) if parts else ANNOTATED.empty_table()

    def explain(self, row: Mapping[str, Any]) -> str:
        said = f"The writer {SAID[row['label']]} ({100 * row['probability']:.0f} % sure)"
        return labelled.because(said, json.loads(row["detail"] or "{}").get("words", []))

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """As shipped on every text given; and adapted, each fifth judged after learning the others."""
        table = _of_intent(table)
        if table.num_rows == 0:
            return self.shipped
        texts, truth = labelled.read(table, LABELS, "intent")
        z = shipped_logits(texts)
        found = figures.of_labels("as shipped", LABELS, truth, softmax(z), context.rng())
        split = "every text was new to the shipped weights"
        if len(truth) >= ADAPTABLE_TEXTS:
            held_out = moving.held_out(
                z,
                learning.batches(texts),
                truth,
                LABELS,
                FOLDS,
                ridge=self._ridge(context),
                rng=context.rng(),
            )
            found += figures.of_labels(
                "adapted to these labels", LABELS, truth, softmax(held_out), context.rng()
            )
            split += f"; adapted: each of {FOLDS} parts judged after learning from the others"
        return Backtest(tuple(Metric(**figure) for figure in found), len(truth), split)

    def _ridge(self, context: Context) -> float:
        return float(context.parameters.get("ridge", self.parameters["ridge"]))


def _of_intent(table: pa.Table) -> pa.Table:
    """The rows whose label is of intent."""
    arrow: Any = pc
    if "name" in table.column_names:
        table = table.filter(arrow.not_equal(arrow.fill_null(table.column("name"), "intent"), helping.NAME))
    return table.filter(arrow.invert(arrow.is_in(table.column("label"), value_set=pa.array(helping.LABELS))))


def shipped_logits(texts: pa.StringArray) -> Floats:
    """float64 (texts, labels): z of the shipped weights."""
    size = learning.BATCH_TEXTS
    parts = [
        head().logits(Read.of(hashing.words_of(texts.slice(at, size))).features)
        for at in range(0, len(texts), size)
    ]
    return np.concatenate(parts) if parts else np.zeros((0, len(LABELS)))


def _annotate(moved: Moved, seq: Any, texts: pa.StringArray) -> pa.Table:
    cut = hashing.words_of(texts)
    read = Read.of(cut)
    found = None if moved.is_nothing else hashing.of_texts(texts)
    p = np.round(softmax(moved.logits(head().logits(read.features), found)), 4)
    label = p.argmax(axis=1)
    decided = read.spoken.deciding(cut, head().pull(read.spoken, label))
    arrow: Any = pc
    pieces: list[Any] = ['{"words": ', words_json(len(label), decided), ', "probabilities": {']
    for k, name in enumerate(LABELS):
        pieces += [f'{", " if k else ""}"{name}": ', arrow.cast(pa.array(p[:, k]), pa.string())]
    detail = arrow.binary_join_element_wise(*pieces, "}}", "")
    n = len(label)
    intent = pa.table(
        [
            seq.cast(pa.int64()),
            pa.repeat("intent", n),
            pa.array(LABELS).take(pa.array(label)),
            pa.nulls(n, pa.float64()),
            pa.array(p.max(axis=1)),
            detail,
        ],
        schema=ANNOTATED,
    )
    both = pa.concat_tables([intent, _asks_for_help(seq, texts, cut, read)])
    return both.take(pa.array(np.arange(2 * n).reshape(2, n).T.ravel()))  # in the order of the texts


def _asks_for_help(seq: Any, texts: pa.StringArray, cut: Words, read: Read) -> pa.Table:
    asked = helping.asked(texts, cut, read.features)
    chance, says = asked.chance, asked.says
    n = len(chance)
    return pa.table(
        [
            seq.cast(pa.int64()),
            pa.repeat(helping.NAME, n),
            pa.array(helping.LABELS).take(pa.array(says.astype(np.int64))),
            pa.array(chance),
            pa.array(np.where(says, chance, 1 - chance)),
            pa.nulls(n, pa.string()),
        ],
        schema=ANNOTATED,
    )


plugin = Intent()
