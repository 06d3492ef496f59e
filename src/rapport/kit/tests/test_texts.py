"""Texts as numbers: words, hashed features, lengths, temperatures, and how good a classifier is."""

from __future__ import annotations

import json
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit.texts import glance, hashing, judging, learning, svm, tokens
from rapport.kit.texts.deciding import PULL_MIN, SHOWN, deciding_words


def texts(*given_: str | None) -> pa.StringArray:
    found: pa.StringArray = pa.array(given_, pa.string())
    return found


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


def test_the_batch_asked_for_last_is_remembered_and_no_other() -> None:
    one, other = texts("good day"), texts("bad day")
    first = hashing.of_texts(one)
    assert hashing.of_texts(texts("good day")) is first
    assert hashing.of_texts(other) is not first
    assert hashing.words_of(other).word == ["bad", "day"]


# Learning


def test_a_very_long_text_grows_no_surer() -> None:
    assert learning.length(np.array([0, 1, 400, 2000])).tolist() == [1, 1, 20, np.sqrt(2000)]
    assert learning.length(np.array([8000]))[0] == pytest.approx(4 * np.sqrt(2000))


def test_temperature_finds_what_probabilities_were_multiplied_by() -> None:
    rng = np.random.default_rng(2)
    z = rng.normal(size=(4_000, 3))
    p = learning.softmax(z)
    truth = (rng.random(4_000)[:, None] > np.cumsum(p, axis=1)).sum(axis=1)
    assert learning.temperature(2.5 * z, truth) == pytest.approx(2.5, rel=0.1)


# The words that decided


def test_the_strongest_words_are_told_once_and_weak_ones_not() -> None:
    given_ = texts("bad bad day , quite awful and grim", "fine", "")
    cut = tokens.words(given_)
    pull = {"bad": 0.5, "awful": 0.9, "grim": 0.2, "day": 0.1, ",": 2.0, "fine": PULL_MIN / 2}
    strength = np.array([pull.get(word, 0.0) for word in cut.word])
    found = deciding_words(cut, hashing.features(cut), strength).to_pylist()
    assert [json.loads(f) for f in found] == [["awful", "bad", "grim"], [], []]
    assert len(json.loads(found[0])) == SHOWN


@given(st.text())
def test_words_that_decided_are_json_whatever_the_text(text: str) -> None:
    cut = tokens.words(texts(text))
    (found,) = deciding_words(cut, hashing.features(cut), np.ones(len(cut.word))).to_pylist()
    assert set(json.loads(found)) <= set(cut.word)


# Remembering


def test_what_one_thread_reads_is_not_taken_for_what_another_does() -> None:
    mine = texts("one two")
    kept, looked = hashing.words_of(mine), glance.of(hashing.words_of(mine))
    theirs = threading.Thread(target=lambda: glance.of(hashing.words_of(texts("three"))))
    theirs.start()
    theirs.join()
    assert hashing.words_of(texts("one two")) is kept
    assert glance.of(kept) is looked


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


# The model to beat


def test_the_usual_baseline_learns_words_and_weighs_texts_as_asked() -> None:
    given_ = texts(*["good day"] * 6, *["bad day"] * 2, "day", "good", "bad")
    counts = svm.counts([hashing.of_texts(given_)])
    label = np.array([1] * 6 + [0] * 2 + [1, 1, 0])
    kept, out = np.arange(8), np.arange(8, 11)
    assert svm.said(counts, label, kept, out, 2).tolist() == [1, 1, 0]
    rare = np.where(label == 0, 100.0, 0.01)
    day, _, bad = svm.said(counts, label, kept, out, 2, weight=rare).tolist()
    assert (day, bad) == (0, 0), "where the rare label costs most, what both have speaks for it"
