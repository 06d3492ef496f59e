"""A second reader is kept where it helps on texts held out, travels with the words, and is no part of older models."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rapport.kit.errors import Invalid
from rapport.kit.texts import second
from rapport.kit.texts.learning import softmax

BEASTS = "dog cat horse cow sheep goat pig wolf fox bear lion tiger mouse rabbit deer donkey camel monkey otter squirrel"
TOOLS = "hammer saw drill wrench pliers chisel screwdriver axe shovel rake ladder spanner clamp file trowel crowbar hoe"


def taught() -> tuple[pa.StringArray, np.ndarray]:
    texts = [f"I saw a {word} today" for word in (*BEASTS.split(), *TOOLS.split())]
    label = np.array([0] * len(BEASTS.split()) + [1] * len(TOOLS.split()))
    return pa.array(texts, pa.string()), label


def test_a_head_knows_words_that_it_was_never_taught() -> None:
    texts, label = taught()
    head = second.fit(second.vectors(texts), label, np.ones(len(label)), 2)
    asked = second.vectors(pa.array(["an elephant was there", "he bought a new screwdriver set", None]))
    assert head.logits(asked)[:2].argmax(axis=1).tolist() == [0, 1]


def test_what_helps_on_texts_held_out_is_kept_and_what_does_not_is_not() -> None:
    texts, label = taught()
    part = np.arange(len(label)) % 3
    z = second.held_out(second.vectors(texts), label, np.ones(len(label)), 2, part)
    knows_nothing = np.zeros((len(label), 2))
    chosen = second.choose(knows_nothing, z, label)
    assert chosen.kept
    assert chosen.both > 0.9
    assert chosen.alone < 0.5
    knows_all = 10 * np.eye(2)[label]
    assert not second.choose(knows_all, z, label).kept


def test_probabilities_of_both_are_honest_whatever_the_words_were_divided_by() -> None:
    """The sum is divided by its own temperature, not by that of the words alone."""
    texts, label = taught()
    found, weight = second.vectors(texts), np.ones(len(label))
    words = np.random.default_rng(1).normal(size=(len(label), 2)) + 2 * np.eye(2)[label]
    head = second.fit(found, label, weight, 2)
    chosen = second.choose(words, second.held_out(found, label, weight, 2, np.arange(len(label)) % 3), label)
    both = second.settle(head, chosen, words_temperature=4.0).logits(words / 4.0, texts)
    assert chosen.words == chosen.head
    whole = (words + head.logits(found)) * chosen.words
    np.testing.assert_allclose(softmax(both), softmax(whole), atol=1e-4)


def test_weighed_the_one_that_knows_more_counts_for_more() -> None:
    rng = np.random.default_rng(2)
    label = rng.integers(0, 3, 600)
    knows, guesses = (rng.normal(size=(600, 3)) + pull * np.eye(3)[label] for pull in (2.0, 0.5))
    chosen = second.choose(knows, guesses, label, weigh=True)
    assert chosen.words > 2 * chosen.head > 0
    against = second.choose(knows, -guesses, label, weigh=True)
    assert against.words == against.head, "who is wrong more often than not is not turned round"


def test_it_travels_with_the_words_and_older_models_have_none() -> None:
    head = second.Head(np.linspace(-1, 1, second.SIZE * 3).reshape(-1, 3).astype(np.float32), np.arange(3.0))
    given = second.Second(0.5, head, 300, 0.7, 0.8)
    packed = second.pack(b"PK words", given)
    words, found = second.unpack(packed)
    assert (words, packed[:1]) == (b"PK words", second.VERSION)
    assert found is not None
    np.testing.assert_allclose(found.head.weights, head.weights, atol=1e-3)
    assert (found.share, found.n, found.alone, found.both) == (0.5, 300, 0.7, 0.8)
    assert second.pack(b"PK words", None) == b"PK words"
    assert second.unpack(b"PK words") == (b"PK words", None)
    with pytest.raises(Invalid, match="no model with a second reader"):
        second.unpack(second.VERSION + b"torn")


def test_texts_asked_for_again_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array(["a parcel for Ana", "nothing for Bo", "a parcel for Ana"])
    first = second.vectors(texts)
    read: list[str] = []

    def counted(new: list[str]) -> np.ndarray:
        read.extend(new)
        return np.zeros((len(new), second.SIZE), np.float32)

    monkeypatch.setattr(second.meaning, "vectors", counted)
    assert (second.vectors(texts) == first).all()
    assert read == []
