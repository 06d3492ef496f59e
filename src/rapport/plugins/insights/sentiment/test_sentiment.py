"""Weights, what it says, and learning from labels."""

from __future__ import annotations

import csv
import dataclasses
import datetime as dt
import io
import json
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
from rapport.plugins.insights.sentiment import learn, weights
from rapport.plugins.insights.sentiment.plugin import plugin

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), seed=1, parameters=dict(plugin.parameters))
NOTHING = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})


def texts(*given_: str | None) -> pa.StringArray:
    found: pa.StringArray = pa.array(given_, pa.string())
    return found


def said(*given_: str | None) -> list[dict[str, Any]]:
    table = pa.table({"seq": range(len(given_)), "text": texts(*given_)})
    rows: list[dict[str, Any]] = plugin.score(plugin.fit(NOTHING, CONTEXT), table, CONTEXT).to_pylist()
    return rows


# Weights


GERMAN = weights.LANGUAGES.index("german")


def some_weights() -> weights.Weights:
    """English apart, the others alike but for a few buckets of German."""
    rng = np.random.default_rng(5)
    english, shared = (rng.normal(size=(2, weights.SIZE)).astype(np.float32) for _ in range(2))
    tables = np.repeat(shared[:, None], weights.TABLES, axis=1)
    tables[:, weights.ENGLISH] = english
    tables[:, GERMAN, :1_000] += 2.0
    bias = np.tile([0.3, 0.4], (weights.TABLES, 1))
    bias[weights.ENGLISH] = 0.1, -0.2
    return weights.Weights(
        tables.reshape(2, -1),
        bias,
        np.sort(rng.integers(0, 2**32, 50, dtype=np.uint32)),
        rng.normal(size=(8, 50)).astype(np.float32),
        np.zeros((weights.TABLES, weights.SIZE), np.float32),
        np.zeros(weights.TABLES),
    )


def speaking(made: weights.Weights, *german: str) -> weights.Weights:
    """The weights, where these words alone speak for German."""
    spoken = made.spoken.copy()
    bucket, _ = hashing.features(tokens.words(texts(" ".join(german)))).parts[0]
    spoken[GERMAN, bucket] = 9
    return dataclasses.replace(made, spoken=spoken)


def test_weights_travel_as_bytes_with_a_small_error() -> None:
    made = speaking(some_weights(), "und")
    back = weights.Weights.from_bytes(made.to_bytes())
    assert np.abs(back.columns - made.columns).max() < 0.06
    apart = back.columns.reshape(2, weights.TABLES, -1)
    assert (apart[:, GERMAN, 1_000:] == apart[:, 1, 1_000:]).all()
    assert (apart[:, GERMAN, :1_000] - apart[:, 1, :1_000]).min() == pytest.approx(2.0, abs=0.01)
    assert (np.sign(apart[:, 1]) * np.sign(made.columns.reshape(apart.shape)[:, 1]) >= 0).all()
    assert back.bias.tolist() == made.bias.tolist()
    assert (back.known == made.known).all()
    np.testing.assert_allclose(back.spoken, made.spoken)


def test_what_a_firm_taught_two_tables_is_still_read() -> None:
    """One table for English and one for all else, told apart by how far words speak for English."""
    now = speaking(some_weights(), "und")
    tables = now.columns.reshape(2, weights.TABLES, -1)
    two = np.concatenate([tables[:, weights.ENGLISH], tables[:, 1]], axis=1)
    largest = np.abs(two).max(axis=1)
    step = np.sign(two) * np.round(127 * np.sqrt(np.abs(two) / largest[:, None]))
    (bucket,) = np.flatnonzero(now.spoken[GERMAN])
    spoken = np.zeros((1, weights.SIZE), np.int8)
    spoken[0, bucket] = -127
    sink = io.BytesIO()
    np.savez(
        sink,
        codes=step.astype(np.int8),
        largest=largest,
        bias=now.bias[[0, 1]],
        known=np.zeros(0, np.uint32),
        lexicon=np.zeros((8, 0), np.int8),
        lexicon_largest=np.ones(8, np.float32),
        spoken=spoken,
        spoken_largest=np.full(1, 9, np.float32),
        spoken_bias=np.float64(1.0),
    )
    then = weights.Weights.from_bytes(sink.getvalue())
    found = hashing.features(tokens.words(texts("one two", "", "eins und zwei")))
    assert (then.table(found) == weights.ENGLISH).tolist() == [True, True, False]
    alike = tables.copy()
    alike[:, GERMAN] = tables[:, 1]
    plain = dataclasses.replace(
        now, columns=alike.reshape(2, -1), known=then.known, lexicon=np.zeros((8, 0), np.float32)
    )
    expected = plain.logits(found, plain.by_word(found))
    np.testing.assert_allclose(then.logits(found, then.by_word(found)), expected, atol=0.05)


@pytest.mark.parametrize("given_", [b"", b"PK\x03\x04", b"nonsense"])
def test_other_bytes_are_refused_in_words(given_: bytes) -> None:
    with pytest.raises(Invalid, match="no sentiment weights"):
        weights.Weights.from_bytes(given_)


def test_the_sum_over_words_is_the_matrix_product() -> None:
    """What explains a text is what decided it: both ways to z agree, in either table."""
    made = speaking(some_weights(), "und")
    plain = dataclasses.replace(made, known=np.zeros(0, np.uint32), lexicon=np.zeros((8, 0), np.float32))
    found = hashing.features(tokens.words(texts("one two", "", "three not good at all!", "eins und zwei")))
    assert plain.table(found).tolist() == [weights.ENGLISH] * 3 + [GERMAN]
    z = plain.logits(found, plain.by_word(found))
    matrix, size = learning.matrix([found]), 1 << hashing.BITS
    for k, table in enumerate([0, 0, 0, GERMAN]):
        columns = made.columns[:, table * size : (table + 1) * size].astype(np.float64)
        product = matrix[k] @ columns.T + made.bias[table]
        np.testing.assert_allclose(z[k, [0, 2]], product[0], rtol=1e-5, atol=1e-6)
    assert (z[:, 1] == 0).all()


def test_the_lexicon_weighs_a_word_and_its_negation_apart() -> None:
    short = weights.short_hash(hashing.word_hashes(["good"]))
    english, other = [-1.0, 2.0, 1.5, -0.5], [-3.0, 3.0, 4.0, -4.0]
    only = dataclasses.replace(
        weights.Weights.nothing(), known=short, lexicon=np.array([english + other], np.float32).T
    )
    found = hashing.features(tokens.words(texts("good", "not good", "und good")))
    added = speaking(only, "und").by_word(found) * learning.length(found.count())[found.owner, None]
    expected = np.array([[-1, 2], [0, 0], [1.5, -0.5], [0, 0], [-3, 3]])
    np.testing.assert_allclose(added, expected, atol=1e-6)


def test_what_labels_add_counts_in_every_table() -> None:
    made = some_weights()
    size = 1 << hashing.BITS
    columns = np.zeros((2, size))
    columns[0, 7] = 1.0
    more = made.plus(columns, np.array([0.5, 0.0]), 2.0)
    np.testing.assert_allclose(
        more.columns[0, [7, size + 7, GERMAN * size + 7]],
        (made.columns[0, [7, size + 7, GERMAN * size + 7]] + 1) / 2,
        rtol=1e-6,
    )
    np.testing.assert_allclose(more.columns[1], made.columns[1] / 2, rtol=1e-6)
    np.testing.assert_allclose(more.bias, [[0.3, -0.1]] + [[0.4, 0.2]] * (weights.TABLES - 1))


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


@pytest.mark.parametrize(
    ("text", "table"),
    [
        ("the order has not arrived and I am waiting", "english"),
        ("die Bestellung ist nicht angekommen und ich warte", "german"),
        ("la commande n'est pas arrivée et j'attends", "french"),
        ("el pedido no ha llegado y estoy esperando", "spanish"),
        ("l'ordine non è arrivato e sto aspettando", "italian"),
        ("o pedido não chegou e eu estou esperando", "portuguese"),
        ("order abhi tak nahi aaya aur main wait kar raha hoon", "hindi"),
        ("لم يصل الطلب وأنا أنتظر", "arabic"),
    ],
)
def test_the_table_is_that_of_the_language(text: str, table: str) -> None:
    shipped = weights.Weights.from_bytes(plugin.shipped_bytes)
    (found,) = shipped.table(hashing.features(tokens.words(texts(text))))
    assert weights.LANGUAGES[found] == table


def everyday() -> list[dict[str, str]]:
    """What customers write every day, by us, in eight languages; no sentence is learnt from."""
    with (Path(__file__).parent / "everyday.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_plain_questions_and_statements_are_not_taken_for_bad_news() -> None:
    """A firm's standing would darken with every question about its opening hours."""
    rows = [r for r in everyday() if r["label"] == "neutral"]
    assert {name: sum(r["language"] == name for r in rows) for name in weights.LANGUAGES} == dict.fromkeys(
        weights.LANGUAGES, 20
    )
    found = [r["label"] for r in said(*[r["text"] for r in rows])]
    assert found.count("negative") <= 16
    assert found.count("neutral") >= 130


def test_short_complaints_and_praise_are_still_found() -> None:
    rows = [r for r in everyday() if r["label"] != "neutral"]
    found = [r["label"] for r in said(*[r["text"] for r in rows])]
    right = [r["label"] for r, label in zip(rows, found, strict=True) if r["label"] == label]
    assert right.count("negative") >= 10
    assert right.count("positive") >= 28
    wrong_way = [
        r for r, label in zip(rows, found, strict=True) if {r["label"], label} == {"negative", "positive"}
    ]
    assert len(wrong_way) <= 10


def test_not_good_is_worse_than_good() -> None:
    good, bad = said("This is good.", "This is not good.")
    assert good["value"] > 0 > bad["value"]


@pytest.mark.parametrize("text", ["", " ", None, "...", "http://a.example", "@ana @bo", "42"])
def test_a_text_that_says_nothing_is_neutral(text: str | None) -> None:
    (row,) = said(text)
    assert (row["label"], row["value"], row["probability"]) == ("neutral", 0.0, 1.0)
    assert plugin.explain(row) == "Reads as neutral (100 % sure); no single word decided."


@pytest.mark.parametrize(
    "text", ["zorbl quanfix trelm", "vlugtor?", "Mipsel dranok ferwuzzi 14.", "брусочек"]
)
def test_words_that_nobody_knows_are_not_bad_news(text: str) -> None:
    (row,) = said(text)
    assert row["label"] == "neutral" or row["probability"] < 0.5


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
    assert before.baseline.startswith("always ")
    assert before.baseline_value == pytest.approx(1 / 6)
    assert "support vector machine" in after.baseline
    assert after.baseline_value == 1.0, "so regular are these that the usual baseline learns them too"
    assert found.n == 240
    (curve,) = found.curves
    assert sum(point.n for point in curve.points) == 240


def test_few_labels_are_judged_and_not_learnt_from() -> None:
    found = plugin.backtest(firm_labels(30), CONTEXT)
    assert {m.name for m in found.metrics} == {
        "macro-F1, as shipped", "macro-recall, as shipped", "accuracy, as shipped"
    }  # fmt: skip


def asking(**parameters: Any) -> Context:
    return Context(now=CONTEXT.now, seed=1, parameters={**plugin.parameters, **parameters})


def test_it_can_learn_from_labels_alone() -> None:
    """Whoever says that the shipped weights count for nothing gets weights that know the labels and nothing else."""
    alone = plugin.fit(firm_labels(), asking(prior="none"))
    table = pa.table({"seq": [1, 2], "text": ["zorp for me", "terrible awful hate"]})
    value = plugin.score(alone, table, CONTEXT).column("value").to_pylist()
    shipped = plugin.score(plugin.shipped_bytes, table, CONTEXT).column("value").to_pylist()
    assert value[0] > shipped[0]
    assert shipped[1] < value[1]
    found = plugin.backtest(firm_labels(), asking(prior="none"))
    assert {m.name.partition(", ")[2] for m in found.metrics} == {"learnt from these labels alone"}
    with pytest.raises(Invalid, match="30 labelled texts are too few"):
        plugin.backtest(firm_labels(30), asking(prior="none"))


def test_labels_weigh_as_even_as_asked() -> None:
    label = np.array([0] * 8 + [2] * 2)
    assert learn.evened(label, 0.0).tolist() == [1.0] * 10
    assert learn.evened(label, 1.0).tolist() == [10 / 16] * 8 + [10 / 4] * 2
    assert learn.evened(label, 1.0).sum() == pytest.approx(10)


def test_a_firmer_ridge_stays_nearer_to_what_was_known() -> None:
    """What 200 labels add is smaller where the prior holds more firmly."""
    prior = weights.Weights.from_bytes(plugin.shipped_bytes)
    far = [
        float(np.abs(weights.Weights.from_bytes(plugin.fit(firm_labels(200), asking(ridge=r))).columns
                     - prior.columns).sum())
        for r in (0.3, 30.0)
    ]  # fmt: skip
    assert far[0] > 2 * far[1] > 0


@pytest.mark.parametrize(
    "wrong", [{"tier": "slow"}, {"prior": "mine"}, {"ridge": -1.0}, {"evenness_ratio": 2.0}]
)
def test_a_parameter_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(Invalid):
        plugin.score(
            plugin.fit(firm_labels(), asking(**wrong)), pa.table({"seq": [1], "text": ["a"]}), asking(**wrong)
        )


def test_both_tiers_say_the_same() -> None:
    table = pa.table({"seq": [1], "text": ["good, not bad"]})
    fast, full = (plugin.score(plugin.shipped_bytes, table, asking(tier=t)) for t in ("fast", "full"))
    assert fast.equals(full), "the card says so"


def test_an_unknown_label_is_refused_by_name() -> None:
    with pytest.raises(Invalid, match="'angry' is no sentiment"):
        plugin.fit(pa.table({"text": ["x"], "label": ["angry"]}), CONTEXT)
    with pytest.raises(Invalid, match="no column label"):
        plugin.backtest(pa.table({"text": ["x"]}), CONTEXT)


# Figures


def test_the_card_tells_the_measured_figures_and_the_weights_are_small() -> None:
    card = (Path(__file__).parent / "README.md").read_text("utf-8")
    for metric in plugin.shipped.metrics:
        assert f"| {metric.value:.3f} " in card, metric.name
        assert f"{metric.baseline_value:.3f}" in card, metric.name
    assert len(plugin.shipped_bytes) < 3_000_000


@pytest.mark.shared
def test_it_beats_the_baselines_on_tweets_it_never_saw(shared: Path) -> None:
    """The airline tweets are judged on alone; their terms forbid learning from them."""
    with (shared / "airline" / "tweets_dev.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))[::4]
    table = pa.table({"seq": range(len(rows)), "text": [r["text"] for r in rows]})
    found = plugin.score(plugin.fit(NOTHING, CONTEXT), table, CONTEXT).column("label").to_pylist()
    truth = np.array([weights.LABELS.index(r["airline_sentiment"]) for r in rows])
    assert judging.macro_f1(truth, np.array([weights.LABELS.index(label) for label in found])) > 0.6
