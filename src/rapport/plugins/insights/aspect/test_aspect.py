"""Finding aspects by their words, giving each judgement to its own, and learning from labels."""

from __future__ import annotations

import datetime as dt
import json
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.insights.contract import Context
from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing
from rapport.plugins.insights.aspect import mentions, reading
from rapport.plugins.insights.aspect.mentions import Catalogue
from rapport.plugins.insights.aspect.plugin import plugin
from rapport.plugins.insights.aspect.weights import LABELS, Weights

CONTEXT = Context(now=dt.datetime(2026, 3, 2, tzinfo=dt.UTC), seed=1, parameters=dict(plugin.parameters))
NOTHING = pa.table({"text": pa.array([], pa.string()), "label": pa.array([], pa.string())})


def texts(*given_: str | None) -> pa.StringArray:
    found: pa.StringArray = pa.array(given_, pa.string())
    return found


def said(*given_: str | None, context: Context = CONTEXT) -> list[dict[str, Any]]:
    table = pa.table({"seq": range(len(given_)), "text": texts(*given_)})
    rows: list[dict[str, Any]] = plugin.score(plugin.fit(NOTHING, context), table, context).to_pylist()
    return rows


def labels(text: str) -> dict[str, str]:
    return {row["name"].partition(":")[2]: row["label"] for row in said(text)}


def named(catalogue: dict[str, list[str]], text: str) -> dict[str, list[str]]:
    """By aspect the words of a text that name it."""
    keys = {key: {"words": {"en": words}} for key, words in catalogue.items()}
    column = texts(text)
    cut = hashing.words_of(column)
    found = mentions.find(Catalogue.of(keys), cut, hashing.of_texts(column).whole)
    by_key: dict[str, list[str]] = {}
    for aspect, word in zip(found.aspect.tolist(), found.word.tolist(), strict=True):
        by_key.setdefault(list(catalogue)[aspect], []).append(cut.word[word])
    return by_key


# Finding


def test_words_beginnings_and_phrases_are_found() -> None:
    given_ = {"a": ["deliver*"], "b": ["money back"], "c": ["money"], "d": ["on tim*"]}
    assert named(given_, "Delivered on time. My money? Money back!") == {
        "a": ["delivered"],
        "b": ["money"],
        "c": ["money"],
        "d": ["on"],
    }
    assert named(given_, "redelivery, moneys; money. Back") == {"c": ["money"]}


def test_a_longer_phrase_hides_the_words_inside_it() -> None:
    assert named({"a": ["customer service"], "b": ["service"]}, "their customer service and the service") == {
        "a": ["customer"],
        "b": ["service"],
    }


def test_phrases_of_one_length_stand_in_one_order_whatever_the_order_they_were_given_in() -> None:
    spelt = [f"word{k} other{k}" for k in "qwertzuiop"]
    one, other = (
        Catalogue.of({"a": {"words": {"en": given_}}, "b": {"words": {"en": given_}}})
        for given_ in (spelt, spelt[::-1])
    )
    assert one.phrases == other.phrases
    assert [(e.words, e.aspect) for e in one.phrases] == sorted((e.words, e.aspect) for e in one.phrases)


def test_a_word_may_name_two_aspects_and_a_text_without_any_says_nothing() -> None:
    assert named({"a": ["size"], "b": ["size*"]}, "the size") == {"a": ["size"], "b": ["size"]}
    assert named({"a": ["size"]}, "") == {}
    assert said("", None, "I went for a walk.") == []


def test_a_phrase_does_not_reach_into_the_next_text() -> None:
    column = texts("my money", "back again")
    catalogue = Catalogue.of({"a": {"words": {"en": ["money back"]}}})
    found = mentions.find(catalogue, hashing.words_of(column), hashing.of_texts(column).whole)
    assert len(found.word) == 0


# Judging


def test_each_judgement_goes_to_its_own_aspect() -> None:
    assert labels("The delivery was fast but the price is far too high.") == {
        "delivery": "positive",
        "price": "negative",
    }
    assert labels("Great price, terrible service.") == {"price": "positive", "service": "negative"}


def test_a_word_that_judges_by_itself_is_turned_by_a_negation() -> None:
    catalogue = {"x": {"title": "X", "words": {"en": ["zorp -", "quux +"]}}}
    context = Context(now=CONTEXT.now, seed=1, parameters={**CONTEXT.parameters, "catalogue": catalogue})
    bad, good = said("zorp", "quux", context=context)
    assert bad["value"] < 0 < good["value"]
    plain, turned = said("it is zorp", "it is not zorp", context=context)
    assert turned["value"] > plain["value"]


@pytest.mark.parametrize(
    ("text", "aspect", "label"),
    [
        ("Die Lieferung war super.", "delivery", "positive"),
        ("La livraison est une catastrophe, horrible.", "delivery", "negative"),
        ("El precio es excelente, muy barato.", "price", "positive"),
        ("La qualità è pessima, terribile.", "quality", "negative"),
        ("O produto veio com defeito.", "quality", "negative"),
        ("배송이 너무 늦었어요. 최악이에요.", "delivery", "negative"),
    ],
)
def test_it_carries_over_to_other_languages(text: str, aspect: str, label: str) -> None:
    assert labels(text)[aspect] == label


def test_detail_quotes_the_sentence_and_names_the_words() -> None:
    (row,) = said("Hello there. The parcel arrived two weeks late! Bye.")
    detail = json.loads(row["detail"])
    assert detail["quote"] == "The parcel arrived two weeks late!"
    assert "late" in detail["words"]
    assert len(detail["words"]) <= 3
    assert plugin.explain(row).startswith("Judges “delivery” as negative (")
    (long,) = said("so " * 200 + "the delivery was awful " + "and so " * 200)
    assert "delivery" in json.loads(long["detail"])["quote"]
    assert len(json.loads(long["detail"])["quote"]) <= 202


def test_the_firms_catalogue_stands_in_place_of_what_is_offered() -> None:
    catalogue = {"boxes": {"title": "Boxes", "words": {"en": ["box*"]}}}
    context = Context(now=CONTEXT.now, seed=1, parameters={**CONTEXT.parameters, "catalogue": catalogue})
    rows = said("The boxes were lovely, and the delivery awful.", context=context)
    assert [r["name"] for r in rows] == ["aspect:boxes"]
    empty = Context(now=CONTEXT.now, seed=1, parameters={**CONTEXT.parameters, "catalogue": {}})
    assert said("The delivery was awful.", context=empty) == []


@given(st.lists(st.text(max_size=60), min_size=1, max_size=4))
def test_any_text_is_read(given_: list[str]) -> None:
    for row in said(*given_, "the delivery"):
        assert row["label"] in LABELS
        assert -1 <= row["value"] <= 1
        assert set(json.loads(row["detail"])) == {"words", "quote"}


def test_a_word_has_more_say_the_nearer_it_stands() -> None:
    weights = Weights.from_bytes(plugin.shipped_bytes)
    column = texts("the delivery was awful , and then we went home and had some soup and bread")
    read = reading.read(
        Catalogue.of({"d": {"words": {"en": ["delivery"]}}}),
        hashing.words_of(column),
        hashing.of_texts(column),
        weights.valence,
    )
    z = weights.logits(read)
    pull = weights.by_word(read, z.argmax(axis=1))
    words = [hashing.words_of(column).word[k] for k in read.word]
    assert words[int(pull.argmax())] == "awful"
    # What explains a text is what decided it: the pulls of all words are z without the bias.
    free = z[0] - weights.polarity.bias
    said_ = int(z[0].argmax())
    assert pull.sum() == pytest.approx(1.5 * (free[said_] - free.mean()), abs=1e-3)


# Weights and learning


def test_weights_travel_as_bytes() -> None:
    held = Weights.from_bytes(plugin.shipped_bytes)
    back = Weights.from_bytes(held.to_bytes())
    assert np.abs(back.valence.buckets - held.valence.buckets).max() < 0.1
    assert (back.valence.known == held.valence.known).all()
    assert (back.valence.foreign == held.valence.foreign).all()
    assert len(plugin.shipped_bytes) < 1_000_000
    with pytest.raises(Invalid, match="no aspect weights"):
        Weights.from_bytes(b"nonsense")


def firm_labels(n: int) -> pa.Table:
    """A firm's own words: `zorp` pleases, `quux` annoys."""
    kinds = [("the $T$ is so zorp", "positive"), ("quux $T$ again", "-1"), ("a $T$ came", "neutral")]
    return pa.table(
        {
            "text": [f"{kinds[k % 3][0]} number{k % 7} set{k}" for k in range(n)],
            "label": [kinds[k % 3][1] for k in range(n)],
        }
    )


def test_it_learns_the_firms_own_words() -> None:
    table = pa.table({"seq": [1, 2], "text": ["the delivery is so zorp", "quux delivery again"]})
    taught = plugin.fit(firm_labels(120), CONTEXT)
    assert plugin.score(taught, table, CONTEXT).column("label").to_pylist() == ["positive", "negative"]


def test_a_backtest_stands_beside_tfidf_and_the_usual_label() -> None:
    found = plugin.backtest(firm_labels(120), CONTEXT)
    by_name = {m.name: m for m in found.metrics}
    learnt = by_name["macro-F1, learnt from these labels alone"]
    assert learnt.value == 1.0
    assert learnt.baseline.startswith("TF-IDF")
    assert by_name["macro-F1, learnt from these labels alone (beside the usual label)"].baseline_value < 0.5
    assert found.n == 120
    assert {
        m.name.split(", ")[1].split(" (")[0] for m in plugin.backtest(firm_labels(30), CONTEXT).metrics
    } == {"as shipped"}


def test_a_target_is_told_by_mark_by_words_or_by_the_catalogue() -> None:
    rows = {"text": ["The battery is awful", "The screen is lovely"], "label": ["negative", "positive"]}
    by_words = pa.table({**rows, "aspect": ["battery", "screen"]})
    assert plugin.backtest(by_words, CONTEXT).n == 2
    by_name = pa.table(
        {
            "text": ["late delivery, awful", "nothing is named"],
            "label": ["negative", "positive"],
            "name": ["aspect:delivery", "aspect:delivery"],
        }
    )
    assert plugin.backtest(by_name, CONTEXT).n == 1
    with pytest.raises(Invalid, match="what its label is about"):
        plugin.backtest(pa.table(rows), CONTEXT)
    with pytest.raises(Invalid, match="'angry' is no polarity"):
        plugin.backtest(pa.table({"text": ["$T$"], "label": ["angry"]}), CONTEXT)


def test_the_card_tells_the_measured_figures() -> None:
    card = (Path(__file__).parent / "README.md").read_text("utf-8")
    for metric in plugin.shipped.metrics:
        assert f"{metric.value:.3f}" in card, metric.name
        assert f"{metric.baseline_value:.3f}" in card, metric.name


def test_each_word_is_heard_once_by_the_nearest_mention_however_often_a_text_names_an_aspect() -> None:
    column = texts(
        "app " * 900, "the app and, the app. It is fine but the size of this app is bad", "x " * 90 + "app"
    )
    catalogue = Catalogue.of({"app": {"words": {"en": ["app"]}}, "size": {"words": {"en": ["size"]}}})
    cut, found = hashing.words_of(column), hashing.of_texts(column)
    named_ = mentions.find(catalogue, cut, found.whole)
    key, pair_of = np.unique(np.stack([cut.owner[named_.word], named_.aspect]), axis=1, return_inverse=True)
    clause, at = reading._clauses(found)
    pair, word, side, distance, _ = reading._heard(cut, named_, pair_of.reshape(-1), key[0], clause, at)
    nearest = {}
    for k, text in enumerate(key[0].tolist()):
        for w in np.flatnonzero(cut.owner == text).tolist():
            mention = min(
                named_.word[pair_of.reshape(-1) == k].tolist(), key=lambda m: (abs(at[w] - at[m]), m)
            )
            if abs(at[w] - at[mention]) <= reading.DISTANT:
                nearest[(k, w)] = (w - mention, abs(at[w] - at[mention]))
    heard = zip(pair.tolist(), word.tolist(), side.tolist(), distance.tolist(), strict=True)
    assert [(p, w) for p, w, _, _ in heard] == list(nearest)
    assert list(zip(side.tolist(), distance.tolist(), strict=True)) == list(nearest.values())


def test_a_text_that_only_repeats_an_aspect_takes_little_memory() -> None:
    tracemalloc.start()
    try:
        said(*["app " * 1000] * 40)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 400_000_000
