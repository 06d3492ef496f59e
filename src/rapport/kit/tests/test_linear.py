"""The linear model of many classes: it learns, travels, adds up, and names the words that decided."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from rapport.kit.errors import Invalid
from rapport.kit.texts import hashing, learning, linear
from rapport.kit.texts.linear import Linear

LABELS = ("late", "broken", 'price, or "cost"')
SAID = [
    ("the parcel is still not here", 0),
    ("where is my parcel, it is late", 0),
    ("late again, two weeks", 0),
    ("it arrived in pieces", 1),
    ("the glass is cracked", 1),
    ("screen cracked, does not turn on", 1),
    ("too expensive for me", 2),
    ("the price went up again", 2),
    ("cheaper elsewhere", 2),
]


def texts(*given: str) -> pa.StringArray:
    found: pa.StringArray = pa.array(given, pa.string())
    return found


def labelled() -> linear.Labelled:
    found = learning.batches(texts(*(text for text, _ in SAID)))
    return linear.Labelled.of(found, np.array([c for _, c in SAID]), len(LABELS))


@pytest.fixture(scope="module")
def learnt() -> Linear:
    return linear.fit(labelled(), LABELS, ridge=0.03)


def test_it_learns_what_it_was_shown_and_what_resembles_it(learnt: Linear) -> None:
    (found,) = learning.batches(texts("my parcel is late", "a cracked lid", "such a price"))
    assert learnt.logits(found).argmax(axis=1).tolist() == [0, 1, 2]


def test_it_travels_as_bytes_with_a_small_error(learnt: Linear) -> None:
    back = Linear.from_bytes(learnt.to_bytes())
    assert back.labels == LABELS
    assert (back.buckets == learnt.buckets).all()
    largest = np.abs(learnt.weights).max(axis=0)
    assert (np.abs(back.weights - learnt.weights) <= 0.01 * largest).all()
    assert back.bias.tolist() == learnt.bias.tolist()


@pytest.mark.parametrize("given", [b"", b"PK\x03\x04", b"nonsense"])
def test_other_bytes_are_refused_in_words(given: bytes) -> None:
    with pytest.raises(Invalid, match="no linear weights"):
        Linear.from_bytes(given)


def test_the_words_that_decided_add_up_to_what_was_said(learnt: Linear) -> None:
    (found,) = learning.batches(texts("my parcel is late", "", "the glass is cracked again"))
    z = learnt.logits(found)
    said = z.argmax(axis=1)
    summed = np.bincount(found.owner, weights=learnt.by_word(found, said), minlength=3)
    free = z - learnt.bias
    own = free[np.arange(3), said]
    others = (free.sum(axis=1) - own) / 2
    np.testing.assert_allclose(summed, own - others, atol=1e-5)
    assert free[1].tolist() == [0, 0, 0], "a text without words is told by the bias alone"


def test_what_labels_add_is_learnt_beyond_what_was_known(learnt: Linear) -> None:
    (found,) = learning.batches(texts("zorp", "my parcel is late"))
    new = learning.batches(texts("zorp", "it is late", "the price"))
    given = linear.Labelled.of(
        new, np.array([1, 0, 2]), 3, offset=np.concatenate([learnt.logits(batch) for batch in new])
    )
    both = learnt.plus(linear.fit(given, LABELS, ridge=0.03))
    assert both.logits(found).argmax(axis=1).tolist() == [1, 0]
    with pytest.raises(Invalid, match="other labels"):
        learnt.plus(linear.fit(given, ("a", "b", "c"), ridge=1))


def test_a_text_that_counts_for_nothing_teaches_nothing() -> None:
    given = labelled()
    told = linear.Labelled(given.matrix, given.label, np.where(given.label == 2, 0.0, 1.0), given.offset)
    (found,) = learning.batches(texts("too expensive for me"))
    z = linear.fit(told, LABELS, ridge=0.03).logits(found)
    assert z.argmax(axis=1)[0] != 2


def test_held_out_texts_were_not_learnt_from() -> None:
    """With every text its own class's only witness, nothing but the bias can speak for a text held out."""
    alone = linear.Labelled.of(learning.batches(texts("ab", "cd", "ef")), np.array([0, 1, 2]), 3)
    z = linear.held_out_logits(alone, LABELS, 3, ridge=0.03, rng=np.random.default_rng(1))
    assert (z.argmax(axis=1) != alone.label).all()


def test_a_temperature_divides_everything(learnt: Linear) -> None:
    (found,) = learning.batches(texts("my parcel is late"))
    np.testing.assert_allclose(learnt.divided(2.0).logits(found), learnt.logits(found) / 2, atol=1e-5)


def test_without_a_word_known_the_bias_decides(learnt: Linear) -> None:
    nothing = Linear(LABELS, np.zeros(0, np.int32), np.zeros((0, 3), np.float32), np.array([0.0, 1, 0]))
    found = hashing.of_texts(texts("anything"))
    assert nothing.logits(found).tolist() == [[0, 1, 0]]
    assert nothing.by_word(found, np.array([1])).tolist() == [0]
    assert Linear.from_bytes(nothing.to_bytes()).logits(found).tolist() == [[0, 1, 0]]
