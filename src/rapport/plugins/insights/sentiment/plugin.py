"""Sentiment of a text: negative, neutral or positive, on a range from -1 to 1."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.insights.contract import ANNOTATED, Backtest, Context, Gives, Metric
from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing, labelled, learning, second, tokens
from rapport.kit.texts.deciding import deciding_words
from rapport.kit.texts.learning import softmax
from rapport.kit.texts.meaning import Vectors
from rapport.kit.texts.second import Second
from rapport.plugins.insights.sentiment import adapt, judged
from rapport.plugins.insights.sentiment.deciding import pull
from rapport.plugins.insights.sentiment.weights import LABELS, NEGATIVE, POSITIVE, Weights

HERE = Path(__file__).parent
FOLDS = 5
ADAPTABLE_TEXTS = 100  # fewer labelled texts than this say nothing about the firm's own language
TIERS = ("fast", "full")  # full reads by meaning too, once labels have taught it that this helps
NOTHING = Weights.nothing()
PRIORS = ("shipped", "none")
PEER = "TF-IDF of words and letters with a linear support vector machine, taught the same labels"


class Sentiment:
    """Annotates each text with one of three labels.

    value : p(positive) - p(negative), in [-1, 1]
    probability : of the label, calibrated on held-out texts whose labels are equally frequent
    detail : {"words": at most three that decided, "negative": p, "neutral": p, "positive": p}
    """

    name = "sentiment"
    version = "3"
    title = "Sentiment"
    meaning = "Whether somebody wrote something negative, neutral or positive, and which words decided."
    limits = (
        "Right for about two in three short texts in English and three in five in Arabic, French, German, "
        "Italian, Portuguese and Spanish, so read shares over many texts and not single verdicts. In romanised "
        "Hindi and other languages it mostly guesses. It misses irony and does not know about whom something "
        "is said."
    )
    purpose = "analytics"
    after: tuple[str, ...] = ()
    needs = None
    gives = (
        Gives(
            "annotation",
            "sentiment",
            "probability difference",
            -1.0,
            1.0,
            LABELS,
            "From negative to positive.",
        ),
    )
    # prior: "none" learns from the labels given alone; ridge: how firmly the prior holds, 0 to choose it on texts
    # held out; evenness_ratio: 0 where labels weigh as often as they occur, 1 where all weigh alike.
    parameters: Mapping[str, Any] = {"tier": "fast", "prior": "shipped", "ridge": 0.0, "evenness_ratio": 0.5}

    @cached_property
    def shipped_bytes(self) -> bytes:
        return (HERE / "weights.npz").read_bytes()

    @cached_property
    def shipped(self) -> Backtest:
        return Backtest.from_json(json.loads((HERE / "measured.json").read_text(encoding="utf-8")))

    def fit(self, table: pa.Table, context: Context) -> bytes:
        """The shipped weights; moved towards the firm's own labels where the table has any.

        table : columns text and label (negative, neutral, positive)
        """
        if table.num_rows == 0:
            return self.shipped_bytes
        texts, truth = labelled.read(table, LABELS, "sentiment")
        prior, manner = self._asked(context)
        found = learning.batches(texts)
        weights, more = adapt.fit(prior, found, truth, manner=manner, rng=context.rng(), meant=_meant(texts))
        return second.pack(weights.to_bytes(), more)

    def score(self, model: bytes, table: pa.Table, context: Context) -> pa.Table:
        tier = _one_of("tier", context.parameters.get("tier", self.parameters["tier"]), TIERS)
        weights, more = _read(model)
        if tier == "fast":
            more = None
        parts = [_annotate(weights, more, seq, texts) for seq, texts in labelled.in_batches(table)]
        return pa.concat_tables(parts) if parts else ANNOTATED.empty_table()

    def explain(self, row: Mapping[str, Any]) -> str:
        detail = json.loads(row["detail"] or "{}")
        said = f"Reads as {row['label']} ({100 * row['probability']:.0f} % sure)"
        return labelled.because(said, detail.get("words", []))

    def backtest(self, table: pa.Table, context: Context) -> Backtest:
        """As shipped on every text given; and adapted, each fifth judged after learning the others."""
        if table.num_rows == 0:
            return self.shipped
        texts, truth = labelled.read(table, LABELS, "sentiment")
        found = learning.batches(texts)
        prior, manner = self._asked(context)
        shipped = prior is not NOTHING
        z = adapt.logits(prior, found)
        metrics: tuple[Metric, ...] = ()
        split = []
        if shipped:
            metrics = judged.metrics("as shipped", truth, softmax(z), *judged.usual(truth), context.rng())
            split.append("as shipped: every text was new to the weights, unless it is among their sources")
        if len(truth) >= ADAPTABLE_TEXTS:
            rng = context.rng()
            part = learning.folds(len(truth), FOLDS, rng)
            meant = _meant(texts)
            read = adapt.held_out(prior, found, truth, part, manner=manner, rng=rng, meant=meant)
            z = read.fast
            how = "adapted to these labels" if shipped else "learnt from these labels alone"
            rival = adapt.peer(found, truth, part, manner)
            metrics += judged.metrics(how, truth, softmax(z), PEER, rival, context.rng())
            split.append(f"{how}: each of {FOLDS} parts judged after learning from the others")
            if read.full is not None:
                metrics += judged.metrics(
                    f"{how}, full tier", truth, softmax(read.full), PEER, rival, context.rng()
                )
                split.append("full tier: by words and by meaning, where texts held out said that it helps")
        elif not shipped:
            raise Invalid(
                f"{len(truth)} labelled texts are too few to learn from alone",
                f"Give at least {ADAPTABLE_TEXTS}.",
            )
        curve = judged.curve(softmax(z), truth)
        return Backtest(metrics, len(truth), "; ".join(split), curve.meaning, (curve,))

    def _asked(self, context: Context) -> tuple[Weights, adapt.Manner]:
        """The weights to start from, and how to learn."""
        given = {**self.parameters, **context.parameters}
        start = _one_of("prior", given["prior"], PRIORS)
        ridge, evenness = float(given["ridge"]), float(given["evenness_ratio"])
        if not (ridge >= 0 and 0 <= evenness <= 1):
            raise Invalid(
                f"a ridge of {ridge:g} with an evenness of {evenness:g} cannot be",
                "Give a ridge of at least 0 and an evenness from 0 to 1.",
            )
        prior = NOTHING if start == "none" else _read(self.shipped_bytes)[0]
        return prior, adapt.Manner(ridge, evenness)


@lru_cache(maxsize=2)
def _read(model: bytes) -> tuple[Weights, Second | None]:
    """The weights, remembered: unpacking them takes as long as reading a few hundred texts."""
    words, more = second.unpack(model)
    return Weights.from_bytes(words), more


def _meant(texts: pa.StringArray) -> Vectors | None:
    """What texts mean, where there are enough of them to tell whether that helps."""
    return second.vectors(texts) if len(texts) >= second.TEXTS_MIN else None


def _one_of(what: str, given: Any, known: tuple[str, ...]) -> str:
    if given not in known:
        raise Invalid(f"there is no {what} {given!r}", f"Give one of {', '.join(known)}.")
    return str(given)


def _annotate(weights: Weights, more: Second | None, seq: Any, texts: pa.StringArray) -> pa.Table:
    cut, found = hashing.words_of(texts), hashing.of_texts(texts)
    added = weights.by_word(found)
    z = weights.logits(found, added)
    p = softmax(z if more is None else more.logits(z, texts))
    p[~_says_something(cut)] = (0.0, 1.0, 0.0)
    label = p.argmax(axis=1)
    rounded = np.round(p, 4)
    arrow: Any = pc
    shown = [arrow.cast(pa.array(rounded[:, c]), pa.string()) for c in range(3)]
    detail = arrow.binary_join_element_wise(
        '{"words": ', deciding_words(cut, found, pull(added, label[cut.owner])), ', "negative": ', shown[0],
        ', "neutral": ', shown[1], ', "positive": ', shown[2], "}", "",
    )  # fmt: skip
    n = len(label)
    return pa.table(
        [
            seq.cast(pa.int64()),
            pa.repeat("sentiment", n),
            pa.array(LABELS).take(pa.array(label)),
            pa.array(np.round(p[:, POSITIVE] - p[:, NEGATIVE], 4)),
            pa.array(rounded.max(axis=1)),
            detail,
        ],
        schema=ANNOTATED,
    )


def _says_something(cut: tokens.Words) -> np.ndarray[Any, np.dtype[np.bool_]]:
    """Which texts hold more than addresses, mentions, numbers and full stops."""
    speaks = np.fromiter((w not in tokens.SILENT for w in cut.word), np.bool_, len(cut.word))
    return np.bincount(cut.owner[speaks], minlength=cut.n_texts) > 0


plugin = Sentiment()
