"""It says nothing until taught, then the firm's labels and nothing else, and it is judged beside what anybody would try."""

from __future__ import annotations

import csv
import datetime as dt
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from rapport.insights.contract import Context
from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing, judging, learning, pairs, svm
from rapport.plugins.insights.contact_reason import teaching
from rapport.plugins.insights.contact_reason.plugin import plugin
from rapport.plugins.insights.contact_reason.teaching import Lesson, Manner

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), seed=1, parameters=dict(plugin.parameters))
NOTHING = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})
SAMPLE = json.loads((Path(__file__).parent / "sample.json").read_text("utf-8"))
LESSON = pa.Table.from_pylist(SAMPLE["labelled"])


def said(model: bytes, *texts: str) -> list[dict[str, Any]]:
    table = pa.table({"seq": range(len(texts)), "text": list(texts)})
    rows: list[dict[str, Any]] = plugin.score(model, table, CONTEXT).to_pylist()
    return rows


def test_until_it_is_taught_it_says_nothing() -> None:
    assert said(plugin.fit(NOTHING, CONTEXT), "Where is my parcel?") == []


def test_it_says_why_and_which_words_decided() -> None:
    (row,) = said(plugin.fit(LESSON, CONTEXT), "The parcel is late.")
    detail = json.loads(row["detail"])
    assert row["label"] == "Late parcel"
    assert {"late", "parcel"} & set(detail["words"])
    assert detail["second"] in {"Broken goods", "Refund"}
    assert 0 < detail["second_probability"] <= row["probability"] <= 1
    assert plugin.explain(row).startswith("Wrote about “Late parcel” (")


def test_any_label_travels() -> None:
    lesson = pa.table(
        {
            "text": ["late late", "broken", "late again", "broken twice"],
            "label": ['a "b", c', "d\\e", 'a "b", c ', "d\\e"],
        }
    )
    (row,) = said(plugin.fit(lesson, CONTEXT), "late")
    assert row["label"] == 'a "b", c'
    assert json.loads(row["detail"])["second"] == "d\\e"


def test_rows_that_teach_nothing_are_refused_in_words() -> None:
    with pytest.raises(Invalid, match="only the label 'x'"):
        plugin.fit(pa.table({"text": ["a", "b"], "label": ["x", "x "]}), CONTEXT)
    with pytest.raises(Invalid, match="no label"):
        plugin.fit(pa.table({"text": ["a"], "label": [" "]}), CONTEXT)
    with pytest.raises(Invalid, match="no column label"):
        plugin.fit(pa.table({"text": ["a"]}), CONTEXT)


def test_a_backtest_stands_beside_tfidf_and_the_usual_label() -> None:
    many = pa.concat_tables([LESSON] * 5)
    found = plugin.backtest(many, CONTEXT)
    by_name = {m.name: m for m in found.metrics}
    assert by_name["macro-F1"].value == 1.0
    assert by_name["macro-F1"].baseline.startswith("TF-IDF")
    assert by_name["accuracy"].baseline_value > 0.9
    assert by_name["macro-F1 beside the usual label"].baseline_value < 0.4
    assert found.n == 60


def test_evenness_lets_labels_or_texts_count_alike() -> None:
    label = np.array([0, 0, 0, 1])
    assert Manner(1, 0).weight(label, 2).tolist() == [1, 1, 1, 1]
    even = Manner(1, 1).weight(label, 2)
    assert even[:3].sum() == pytest.approx(even[3])
    assert even.mean() == pytest.approx(1)


def test_words_apart_are_told_together() -> None:
    found = hashing.of_texts(pa.array(["a b c d e", "a x"]))
    bucket, word = pairs.apart(found, 3)
    assert word.tolist() == [2, 3, 4, 3, 4]
    alone = hashing.of_texts(pa.array(["a q c"]))
    assert pairs.apart(alone, 3)[0].tolist() == [bucket[0]], "whatever stands between"


def test_the_rival_learns_what_tfidf_can_learn() -> None:
    texts: Any = LESSON.column("text").combine_chunks()
    given = Lesson.of(LESSON)
    counts = svm.counts(learning.batches(texts))
    every = np.arange(len(given.label))
    assert (svm.said(counts, given.label, every, every, 3) == given.label).all()
    assert counts.shape[0] == 12
    assert counts.sum() == sum(2 * len(hashing.words_of(texts.slice(k, 1)).word) - 1 for k in range(12))


def test_the_card_tells_the_measured_figures() -> None:
    card = (Path(__file__).parent / "README.md").read_text("utf-8")
    for metric in plugin.shipped.metrics:
        assert f"{metric.value:.3f}" in card, metric.name
        assert f"{metric.baseline_value:.3f}" in card, metric.name


@pytest.mark.shared
def test_it_learns_a_banks_intents(shared: Path) -> None:
    """Twelve of the seventy-seven, so that the test stays short."""
    with (shared / "banking77" / "train.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    chosen = sorted({row["category"] for row in rows})[:12]
    rows = [row for row in rows if row["category"] in chosen]
    given = Lesson.of(pa.table({"text": [r["text"] for r in rows], "label": [r["category"] for r in rows]}))
    manner = Manner.of(plugin.parameters)
    part = np.arange(len(given.label)) % 5
    matrix = teaching.labelled(given, manner)
    kept, out = np.flatnonzero(part != 0), np.flatnonzero(part == 0)
    learnt = teaching.learn(matrix.rows(kept), given.labels, manner)
    found = (matrix.matrix[out][:, learnt.buckets] @ learnt.weights + learnt.bias).argmax(axis=1)
    assert judging.macro_f1(given.label[out], found) > 0.9


BEASTS = "dog cat horse cow sheep goat pig wolf fox bear lion tiger mouse rabbit deer donkey camel monkey otter squirrel"
TOOLS = "hammer saw drill wrench pliers chisel screwdriver axe shovel rake ladder spanner clamp nail trowel crowbar hoe"


def animals_and_tools() -> pa.Table:
    """Each telling word in one text alone: of a text held out, only what it means says what it is about."""
    kinds = [(word, "Beast") for word in BEASTS.split()] + [(word, "Tool") for word in TOOLS.split()]
    return pa.Table.from_pylist([{"text": f"I saw a {word} today", "label": label} for word, label in kinds])


def test_it_reads_by_meaning_too_where_that_helps_and_the_fast_tier_by_words_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(teaching, "CALIBRATED_TEXTS", 30)
    given, parameters = Lesson.of(animals_and_tools()), {**plugin.parameters, "tier": "fast"}
    assert teaching.fit(given, Manner.of(parameters), np.random.default_rng(1)).second is None
    taught = teaching.fit(given, Manner.of(plugin.parameters), np.random.default_rng(1))
    assert taught.second is not None
    assert taught.second.both > 0.8
    assert taught.second.alone < 0.7
    model, asked = taught.to_bytes(), pa.table({"seq": [0, 1], "text": ["an elephant", "a screw driver set"]})
    full = plugin.score(model, asked, CONTEXT)
    fast = plugin.score(model, asked, Context(CONTEXT.now, seed=1, parameters=parameters))
    assert full.column("label").to_pylist() == ["Beast", "Tool"]
    assert fast.column("probability").to_pylist() != full.column("probability").to_pylist()
    assert fast.equals(plugin.score(taught.words.to_bytes(), asked, CONTEXT)), (
        "an older model is one of words"
    )
    with pytest.raises(Invalid, match="no tier 'slow'"):
        plugin.score(model, asked, Context(CONTEXT.now, seed=1, parameters={"tier": "slow"}))


def test_where_words_tell_all_nothing_slower_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "CALIBRATED_TEXTS", 30)
    rows = [{"text": f"about {kind} {k}", "label": kind} for k in range(20) for kind in ("beasts", "tools")]
    given = Lesson.of(pa.Table.from_pylist(rows))
    assert teaching.fit(given, Manner.of(plugin.parameters), np.random.default_rng(1)).second is None


def test_a_backtest_tells_both_tiers_where_there_are_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(teaching, "CALIBRATED_TEXTS", 30)
    by_name = {m.name: m for m in plugin.backtest(animals_and_tools(), CONTEXT).metrics}
    assert by_name["macro-F1"].value > 0.8
    assert by_name["macro-F1, fast tier"].value < 0.7
    accuracy = by_name["accuracy"]
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low < accuracy.value <= accuracy.high
