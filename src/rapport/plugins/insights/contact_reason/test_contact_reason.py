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
