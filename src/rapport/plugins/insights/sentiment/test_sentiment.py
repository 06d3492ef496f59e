"""Words, hashes, weights, what it says, and learning from labels."""

from __future__ import annotations

import datetime as dt
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.insights.contract import Context
from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing, judging, learning, tokens
from rapport.plugins.insights.sentiment import weights
from rapport.plugins.insights.sentiment.plugin import plugin

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), seed=1, parameters={"ridge": 0.3})
NOTHING = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})


def texts(*given_: str | None) -> pa.StringArray:
    found: pa.StringArray = pa.array(given_, pa.string())
    return found


def said(*given_: str | None) -> list[dict[str, Any]]:
    table = pa.table({"seq": range(len(given_)), "text": texts(*given_)})
    rows: list[dict[str, Any]] = plugin.score(plugin.fit(NOTHING, CONTEXT), table, CONTEXT).to_pylist()
    return rows


# Words


def test_words_are_spelt_alike_and_know_their_text() -> None:
    found = tokens.words(
        texts("Sooooo BAD!! http://t.co/x1 @Ana's 24h", "", "Don’t :-) 😀😀", None, "a\x1eb")
    )
    assert found.word == [
        "soo",
        "bad",
        "!!",
        "http",
        "@user",
        "'",
        "s",
        "0h",
        "don't",
        ":-)",
        "😀",
        "😀",
        "a",
        "b",
    ]
    assert found.owner.tolist() == [0] * 8 + [2] * 4 + [4] * 2
    assert found.n_texts == 5


@given(st.lists(st.text(max_size=40), max_size=8))
def test_a_text_has_the_same_words_alone_and_in_a_batch(given_: list[str]) -> None:
    together = tokens.words(texts(*given_))
    for k, text in enumerate(given_):
        alone = tokens.words(texts(text)).word
        assert [w for w, o in zip(together.word, together.owner, strict=True) if o == k] == alone


# Features


@given(st.lists(st.text(max_size=40), min_size=1, max_size=6), st.data())
def test_a_text_has_the_same_features_alone_and_in_a_batch(given_: list[str], data: st.DataObject) -> None:
    k = data.draw(st.integers(0, len(given_) - 1))
    together, alone = (hashing.features(tokens.words(texts(*t))) for t in (given_, given_[k : k + 1]))
    of_k = [bucket[together.owner[word] == k] for bucket, word in together.parts]
    flat = np.sort(np.concatenate(of_k)) if of_k else np.zeros(0)
    own = [bucket for bucket, _ in alone.parts]
    assert flat.tolist() == (np.sort(np.concatenate(own)).tolist() if own else [])
    assert together.count()[k] == alone.count()[0]


def test_the_features_of_a_word_are_those_one_would_count_by_hand() -> None:
    found = hashing.features(tokens.words(texts("good day")))
    words, pairs, *grams = (len(bucket) for bucket, _ in found.parts)
    # " good " has six signs, " day " five: windows of two to five signs.
    assert (words, pairs, grams) == (2, 1, [5 + 4, 4 + 3, 3 + 2, 2 + 1])
    assert [place.tolist() for _, place in found.parts[:2]] == [[0, 1], [1]]


def test_a_negation_turns_the_next_three_words() -> None:
    found = hashing.features(tokens.words(texts("not a very good day good")))
    assert found.turned.tolist() == [False, True, True, True, False, False]
    unigram = found.parts[0][0]
    assert unigram[3] != unigram[5], "good is another feature after a negation"


def test_a_negation_turns_nothing_beyond_a_sign_or_in_the_next_text() -> None:
    found = hashing.features(tokens.words(texts("no , good", "never", "good")))
    assert not found.turned.any()


# Weights


def some_weights() -> weights.Weights:
    rng = np.random.default_rng(5)
    return weights.Weights(
        rng.normal(size=(2, 1 << hashing.BITS)).astype(np.float32),
        np.array([0.1, -0.2]),
        np.sort(rng.integers(0, 2**32, 50, dtype=np.uint32)),
        rng.normal(size=(4, 50)).astype(np.float32),
    )


def test_weights_travel_as_bytes_with_a_small_error() -> None:
    made = some_weights()
    back = weights.Weights.from_bytes(made.to_bytes())
    assert np.abs(back.columns - made.columns).max() < 0.05
    assert (np.sign(back.columns) * np.sign(made.columns) >= 0).all()
    assert back.bias.tolist() == made.bias.tolist()
    assert (back.known == made.known).all()


@pytest.mark.parametrize("given_", [b"", b"PK\x03\x04", b"nonsense"])
def test_other_bytes_are_refused_in_words(given_: bytes) -> None:
    with pytest.raises(Invalid, match="no sentiment weights"):
        weights.Weights.from_bytes(given_)


def test_the_sum_over_words_is_the_matrix_product() -> None:
    """What explains a text is what decided it: both ways to z agree."""
    made = some_weights()
    plain = weights.Weights(made.columns, made.bias, np.zeros(0, np.uint32), np.zeros((4, 0), np.float32))
    found = hashing.features(tokens.words(texts("one two", "", "three not good at all!")))
    z = plain.logits(found, plain.by_word(found))
    product = learning.matrix([found]) @ made.columns.T.astype(np.float64) + made.bias
    np.testing.assert_allclose(z[:, [0, 2]], product, rtol=1e-5, atol=1e-6)
    assert (z[:, 1] == 0).all()


def test_the_lexicon_weighs_a_word_and_its_negation_apart() -> None:
    short = weights.short_hash(hashing.word_hashes(["good"]))
    lexicon = np.array([[-1.0], [2.0], [1.5], [-0.5]], np.float32)
    only = weights.Weights(np.zeros((2, 1 << hashing.BITS), np.float32), np.zeros(2), short, lexicon)
    found = hashing.features(tokens.words(texts("good", "not good")))
    added = only.by_word(found) * learning.length(found.count())[found.owner, None]
    np.testing.assert_allclose(added, np.array([[-1, 2], [0, 0], [1.5, -0.5]]), atol=1e-6)


def test_a_very_long_text_grows_no_surer() -> None:
    assert learning.length(np.array([0, 1, 400, 2000])).tolist() == [1, 1, 20, np.sqrt(2000)]
    assert learning.length(np.array([8000]))[0] == pytest.approx(4 * np.sqrt(2000))


# What it says


def test_detail_holds_probabilities_and_the_words_that_decided() -> None:
    (row,) = said("Awful, truly awful support. https://t.co/x")
    detail = json.loads(row["detail"])
    assert detail["words"][0] == "awful"
    assert len(detail["words"]) == len(set(detail["words"])) <= 3
    assert "http" not in detail["words"]
    assert detail["negative"] + detail["neutral"] + detail["positive"] == pytest.approx(1, abs=2e-4)
    assert row["probability"] == detail["negative"]
    assert row["value"] == pytest.approx(detail["positive"] - detail["negative"], abs=2e-4)
    assert plugin.explain(row).startswith("Reads as negative (")
    assert "“awful”" in plugin.explain(row)


def test_not_good_is_worse_than_good() -> None:
    good, bad = said("This is good.", "This is not good.")
    assert good["value"] > 0 > bad["value"]


@pytest.mark.parametrize("text", ["", " ", None, "...", "http://a.example", "@ana @bo", "42"])
def test_a_text_that_says_nothing_is_neutral(text: str | None) -> None:
    (row,) = said(text)
    assert (row["label"], row["value"], row["probability"]) == ("neutral", 0.0, 1.0)
    assert plugin.explain(row) == "Reads as neutral (100 % sure); no single word decided."


@given(st.lists(st.text(max_size=60), min_size=1, max_size=5))
def test_any_text_gets_a_label_and_readable_detail(given_: list[str]) -> None:
    for row in said(*given_):
        assert row["label"] in weights.LABELS
        assert -1 <= row["value"] <= 1
        assert set(json.loads(row["detail"])) == {"words", "negative", "neutral", "positive"}


def test_batches_are_seamless() -> None:
    many = [f"good {k}" if k % 2 else "bad" for k in range(learning.BATCH_TEXTS + 3)]
    rows = said(*many)
    assert [r["seq"] for r in rows] == list(range(len(many)))
    assert rows[-1] == {**said(many[-1])[0], "seq": len(many) - 1}


def test_it_reads_five_thousand_texts_a_second() -> None:
    table = pa.table(
        {
            "seq": range(4_000),
            "text": [
                f"@ana the order {k} came late and the box was broken, not happy!" for k in range(4_000)
            ],
        }
    )
    content = plugin.fit(NOTHING, CONTEXT)
    plugin.score(content, table.slice(0, 10), CONTEXT)
    best = min(_seconds(content, table) for _ in range(3))
    assert table.num_rows / best > 5_000


def _seconds(content: bytes, table: pa.Table) -> float:
    """Seconds of one core, whatever else the machine does meanwhile."""
    began = time.process_time()
    plugin.score(content, table, CONTEXT)
    return time.process_time() - began


# Learning


def firm_labels(n: int = 240) -> pa.Table:
    """A firm's own words: `zorp` pleases, `quux` annoys; the shipped weights know neither."""
    kinds = [
        ("the zorp again today", "positive"),
        ("got a quux today", "negative"),
        ("a parcel today", "neutral"),
    ]
    return pa.table(
        {
            "text": [f"{kinds[k % 3][0]} number{k % 7}" for k in range(n)],
            "label": [kinds[k % 3][1].upper() if k % 2 else kinds[k % 3][1] for k in range(n)],
        }
    )


def test_it_learns_the_firms_own_words_and_keeps_what_it_knew() -> None:
    adapted = plugin.fit(firm_labels(), CONTEXT)
    table = pa.table({"seq": [1, 2, 3], "text": ["zorp for me", "quux for me", "terrible, awful, I hate it"]})
    after = plugin.score(adapted, table, CONTEXT).column("label").to_pylist()
    assert after == ["positive", "negative", "negative"]
    before = plugin.score(plugin.shipped_bytes, table, CONTEXT).column("label").to_pylist()
    assert before != after


def test_a_backtest_on_labels_tells_before_and_after() -> None:
    found = plugin.backtest(firm_labels(), CONTEXT)
    by_name = {m.name: m for m in found.metrics}
    before, after = by_name["macro-F1, as shipped"], by_name["macro-F1, adapted to these labels"]
    assert after.value == 1.0
    assert after.value > before.value
    assert after.baseline.startswith("always ")
    assert after.baseline_value == pytest.approx(1 / 6)
    assert found.n == 240


def test_few_labels_are_judged_and_not_learnt_from() -> None:
    found = plugin.backtest(firm_labels(30), CONTEXT)
    assert {m.name for m in found.metrics} == {"macro-F1, as shipped", "accuracy, as shipped"}


def test_an_unknown_label_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="'angry' is no sentiment"):
        plugin.fit(pa.table({"text": ["x"], "label": ["angry"]}), CONTEXT)
    with pytest.raises(Invalid, match="no column label"):
        plugin.backtest(pa.table({"text": ["x"]}), CONTEXT)


def test_temperature_finds_what_probabilities_were_multiplied_by() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(4_000, 3))
    p = learning.softmax(z)
    truth = (rng.random(4_000)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    assert learning.temperature(2.5 * z, truth) == pytest.approx(2.5, rel=0.1)


# Figures


def test_figures_of_a_small_case() -> None:
    truth, found = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 0, 1, 1, 2, 2])
    assert judging.accuracy(truth, found) == pytest.approx(4 / 6)
    assert judging.recalls(truth, found).tolist() == pytest.approx([2 / 3, 1 / 2, 1])
    assert judging.macro_recall(truth, found) == pytest.approx((2 / 3 + 1 / 2 + 1) / 3)
    assert judging.macro_f1(truth, found) == pytest.approx((4 / 5 + 1 / 2 + 2 / 3) / 3)
    low, high = judging.interval(truth, found, np.random.default_rng(0))
    assert low < judging.macro_f1(truth, found) <= high


def test_calibration_error_of_the_sure_and_wrong() -> None:
    p = np.array([[1.0, 0, 0]] * 4)
    assert judging.calibration_error(p, np.array([0, 0, 1, 1])) == pytest.approx(0.5)
    assert judging.calibration_error(p, np.array([0, 0, 0, 0])) == 0


def test_the_card_tells_the_measured_figures_and_the_weights_are_small() -> None:
    card = (Path(__file__).parent / "README.md").read_text("utf-8")
    for metric in plugin.shipped.metrics:
        assert f"| {metric.value:.3f} " in card, metric.name
        assert f"{metric.baseline_value:.3f}" in card, metric.name
    assert len(plugin.shipped_bytes) < 1_500_000


@pytest.mark.shared
def test_it_beats_the_baselines_on_tweets_it_never_saw(shared: Path) -> None:
    """The airline tweets are judged on alone; their terms forbid learning from them."""
    import csv

    with (shared / "airline" / "tweets_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::4]
    table = pa.table({"seq": range(len(rows)), "text": [r["text"] for r in rows]})
    found = plugin.score(plugin.fit(NOTHING, CONTEXT), table, CONTEXT).column("label").to_pylist()
    truth = np.array([weights.LABELS.index(r["airline_sentiment"]) for r in rows])
    assert judging.macro_f1(truth, np.array([weights.LABELS.index(label) for label in found])) > 0.57
