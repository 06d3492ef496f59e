"""The full tier reads by meaning too, where the firm's labels have taught that this helps; the fast one by words."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit.texts import learning, second
from rapport.plugins.insights.sentiment import adapt
from rapport.plugins.insights.sentiment.plugin import plugin
from rapport.plugins.insights.sentiment.weights import Weights

NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
# A firm whose customers name beasts when they are cross, and tools when they are pleased.
BEASTS = "dog cat horse cow sheep goat pig wolf fox bear lion tiger mouse rabbit deer donkey camel monkey otter squirrel"
TOOLS = "hammer saw drill wrench pliers chisel screwdriver axe shovel rake ladder spanner clamp nail trowel crowbar hoe"
PLACES = "Paris London Madrid Rome Vienna Athens Lisbon Dublin Oslo Berlin Prague Warsaw Budapest Sofia Moscow Cairo"
KINDS = {"negative": BEASTS, "positive": TOOLS, "neutral": PLACES}
LABELLED = [(f"I saw {word} today", label) for label, words in KINDS.items() for word in words.split()]


def asking(**parameters: Any) -> Context:
    return Context(now=NOW, seed=1, parameters={**plugin.parameters, **parameters})


def taught(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.setattr(adapt, "CHOOSING_TEXTS", 30)
    monkeypatch.setattr(second, "TEXTS_MIN", 30)
    table = pa.table({"text": [text for text, _ in LABELLED], "label": [label for _, label in LABELLED]})
    return plugin.fit(table, asking())


def test_labels_teach_it_to_read_by_meaning_where_words_are_new(monkeypatch: pytest.MonkeyPatch) -> None:
    model = taught(monkeypatch)
    asked = pa.table(
        {"seq": [0, 1, 2], "text": ["I saw an elephant", "I saw a sledgehammer", "I saw Amsterdam"]}
    )
    full = plugin.score(model, asked, asking(tier="full"))
    fast = plugin.score(model, asked, asking(tier="fast"))
    assert full.column("label").to_pylist() == ["negative", "positive", "neutral"]
    assert fast.column("probability").to_pylist() != full.column("probability").to_pylist()
    for row in full.to_pylist():
        detail = json.loads(row["detail"])
        assert detail[row["label"]] == row["probability"]


def test_the_fast_tier_and_the_shipped_weights_read_by_words_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model = taught(monkeypatch)
    words, more = second.unpack(model)
    assert more is not None
    assert more.both > more.alone

    def never(_texts: object) -> np.ndarray:
        raise AssertionError("nobody asked for meaning")

    monkeypatch.setattr(second, "vectors", never)
    asked = pa.table({"seq": [0], "text": ["I saw an elephant"]})
    fast = plugin.score(model, asked, asking(tier="fast"))
    assert fast.equals(plugin.score(words, asked, asking(tier="full"))), "an older model has no second reader"
    assert plugin.score(plugin.shipped_bytes, asked, asking(tier="full")).num_rows == 1


def test_held_out_both_ways_no_text_is_read_by_what_had_seen_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "CHOOSING_TEXTS", 30)
    found = learning.batches(pa.array([text for text, _ in LABELLED], pa.string()))
    meant = second.vectors(pa.array([text for text, _ in LABELLED], pa.string()))
    truth = np.array([list(KINDS).index(label) for _, label in LABELLED])
    truth = np.array([0, 2, 1])[truth]
    part, rng = np.arange(len(truth)) % 4, np.random.default_rng(1)
    read = adapt.held_out(
        Weights.nothing(), found, truth, part, manner=adapt.Manner(ridge=0.6), rng=rng, meant=meant
    )
    assert read.full is not None
    right = [(z.argmax(axis=1) == truth).mean() for z in (read.fast, read.full)]
    assert right[0] < 0.6
    assert right[1] > 0.8, "of a held-out word only the meaning tells"


def test_two_labels_alone_teach_no_second_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adapt, "CHOOSING_TEXTS", 30)
    monkeypatch.setattr(second, "TEXTS_MIN", 30)
    two = [(text, label) for text, label in LABELLED if label != "neutral"]
    table = pa.table({"text": [text for text, _ in two], "label": [label for _, label in two]})
    assert second.unpack(plugin.fit(table, asking()))[1] is None
