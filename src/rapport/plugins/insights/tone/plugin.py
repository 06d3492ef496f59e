"""Tone of a text: the feeling it shows, how soon it needs an answer, and whether it insults."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import ANNOTATED, Backtest, Context, Gives, Metric
from rapport.kit.errors import Invalid
from rapport.kit.texts import figures, hashing, labelled, learning, moving
from rapport.kit.texts.cues import words_json
from rapport.kit.texts.labelled import FOLDS
from rapport.kit.texts.learning import Floats, softmax
from rapport.kit.texts.moving import Moved
from rapport.plugins.insights.tone.reading import LABELS, Read, head

HERE = Path(__file__).parent
ADAPTABLE_TEXTS = 100  # fewer labelled texts than this say nothing about the firm's own language
WORTH = {
    "urgency": np.array([0.0, 0.5, 1.0]),
    "offensive": np.array([0.0, 1.0]),
}  # of each label, for the value

SAID = {
    "anger": "Sounds angry",
    "disappointment": "Sounds disappointed or sad",
    "worry": "Sounds worried",
    "joy": "Sounds glad",
    "gratitude": "Sounds grateful",
    "surprise": "Sounds surprised",
    "none": "Shows no particular feeling",
    "low": "Needs no answer soon",
    "normal": "Waits for an answer",
    "high": "Needs an answer soon",
    "no": "Insults nobody",
    "yes": "Insults or swears coarsely",
}


class Tone:
    """Annotates each text three times: emotion, urgency and offensive.

    value : of urgency p(high) + p(normal) / 2, of offensive p(yes), both in [0, 1]; of emotion none
    probability : of the label, calibrated on held-out texts that we read
    detail : {"words": at most three words or phrases that decided}
    """

    name = "tone"
    version = "2"
    title = "Tone"
    meaning = "Which feeling a text shows, how soon it needs an answer, and whether it insults."
    limits = (
        "It goes by words, phrases and faces that we wrote down in nine languages, and by lists of rude words: "
        "irony, hints and new insults pass unseen. Of insults and of surprise it has seen very few real "
        "examples. Urgent is what says so; it knows nothing of your promises, opening hours or contracts."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    needs = None
    gives = (
        Gives("annotation", "emotion", "none", 0.0, 0.0, LABELS["emotion"], "The feeling a text shows."),
        Gives(
            "annotation", "urgency", "ratio", 0.0, 1.0, LABELS["urgency"], "How soon it needs an answer."
        ),
        Gives(
            "annotation", "offensive", "probability", 0.0, 1.0, LABELS["offensive"], "Whether it insults or swears coarsely."
        ),
    )  # fmt: skip
    parameters: Mapping[str, Any] = {"ridge": 1.0}

    @cached_property
    def shipped(self) -> Backtest:
        return Backtest.from_json(json.loads((HERE / "measured.json").read_text(encoding="utf-8")))

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """Nothing where the table has no row; else what the firm's own labels add to the shipped weights.

        table : columns text and label; a label is of one of the three alone, so it says which is taught
        """
        moved = {name: Moved.nothing(labels) for name, labels in LABELS.items()}
        for name, (texts, truth) in _taught(table).items():
            moved[name] = moving.fit(
                shipped_logits(texts)[name],
                learning.batches(texts),
                truth,
                LABELS[name],
                ridge=self._ridge(context),
                rng=context.rng(),
            )
        kept = {name: base64.b64encode(m.to_bytes()).decode() for name, m in moved.items()}
        return json.dumps(kept).encode()

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:  # noqa: ARG002  the contract's
        moved = _moved(model)
        parts = [_annotate(moved, seq, texts) for seq, texts in labelled.in_batches(table)]
        return pa.concat_tables(parts) if parts else ANNOTATED.empty_table()

    def explain(self, row: Mapping[str, Any]) -> str:
        said = f"{SAID[row['label']]} ({100 * row['probability']:.0f} % sure)"
        return labelled.because(said, json.loads(row["detail"] or "{}").get("words", []))

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """Of what the labels speak of: as shipped; and adapted, each fifth judged after learning the others."""
        if table.num_rows == 0:
            return self.shipped
        found: list[figures.Figure] = []
        for name, (texts, truth) in _taught(table).items():
            z = shipped_logits(texts)[name]
            found += figures.of_labels(f"{name}, as shipped", LABELS[name], truth, softmax(z), context.rng())
            if len(truth) >= ADAPTABLE_TEXTS:
                held_out = moving.held_out(
                    z,
                    learning.batches(texts),
                    truth,
                    LABELS[name],
                    FOLDS,
                    ridge=self._ridge(context),
                    rng=context.rng(),
                )
                found += figures.of_labels(
                    f"{name}, adapted to these labels", LABELS[name], truth, softmax(held_out), context.rng()
                )
        split = (
            f"as shipped: every text was new; adapted, where there are {ADAPTABLE_TEXTS}: "
            f"each of {FOLDS} parts judged after learning from the others"
        )
        return Backtest(tuple(Metric(**figure) for figure in found), table.num_rows, split)

    def _ridge(self, context: Context) -> float:
        return float(context.parameters.get("ridge", self.parameters["ridge"]))


def shipped_logits(texts: pa.StringArray) -> dict[str, Floats]:
    """float64 (texts, labels) by name: z of the shipped weights."""
    size = learning.BATCH_TEXTS
    parts = [Read.of(hashing.words_of(texts.slice(at, size))).features for at in range(0, len(texts), size)]
    return {name: head(name).logits(np.concatenate(parts)) for name in LABELS}


def _taught(table: pa.Table) -> dict[str, tuple[pa.StringArray, np.ndarray[Any, np.dtype[np.int64]]]]:
    """The labelled texts of each of the three, where there are any."""
    if table.num_rows == 0:
        return {}
    every = tuple(label for labels in LABELS.values() for label in labels)
    texts, place = labelled.read(table, every, "emotion, urgency or offence")
    found, first = {}, 0
    for name, labels in LABELS.items():
        there = np.flatnonzero((place >= first) & (place < first + len(labels)))
        if len(there):
            chosen: Any = texts.take(pa.array(there))
            found[name] = (chosen, place[there] - first)
        first += len(labels)
    return found


def _moved(model: bytes) -> dict[str, Moved]:
    try:
        kept = json.loads(model)
        content = {name: base64.b64decode(kept[name]) for name in LABELS}
    except (ValueError, KeyError, TypeError, binascii.Error):
        raise Invalid("these bytes are no weights of tone", "Fit the model anew.") from None
    return {name: Moved.from_bytes(content[name], labels) for name, labels in LABELS.items()}


def _annotate(moved: Mapping[str, Moved], seq: Any, texts: pa.StringArray) -> pa.Table:
    cut = hashing.words_of(texts)
    read = Read.of(cut)
    found = None if all(m.is_nothing for m in moved.values()) else hashing.of_texts(texts)
    seq = seq.cast(pa.int64())
    said = pa.concat_tables([_named(name, moved[name], found, read, cut, seq) for name in LABELS])
    # Text by text, and not name by name.
    return said.take(pa.array(np.arange(said.num_rows).reshape(len(LABELS), -1).T.ravel()))


def _named(name: str, moved: Moved, found: Any, read: Read, cut: Any, seq: Any) -> pa.Table:
    p = np.round(softmax(moved.logits(head(name).logits(read.features), found)), 4)
    label = p.argmax(axis=1)
    n = len(label)
    decided = read.spoken.deciding(cut, head(name).pull(read.spoken, label))
    arrow: Any = pc
    worth = WORTH.get(name)
    return pa.table(
        [
            seq,
            pa.repeat(name, n),
            pa.array(LABELS[name]).take(pa.array(label)),
            pa.nulls(n, pa.float64()) if worth is None else pa.array(np.clip(np.round(p @ worth, 4), 0, 1)),
            pa.array(p.max(axis=1)),
            arrow.binary_join_element_wise('{"words": ', words_json(n, decided), "}", ""),
        ],
        schema=ANNOTATED,
    )


plugin = Tone()
