"""What texts mean, as vectors: near where texts mean alike, the same whatever stands beside them, of length one."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rapport.kit.texts import meaning
from rapport.kit.texts.meaning import pieces

SAID = [
    "Where is my parcel?",
    "The delivery has still not arrived.",
    "I would like my money back.",
    "Please refund what I paid.",
    "How do I change my password?",
    "I cannot log in to my account.",
]


def spelt(text: str) -> list[str]:
    words = pieces.VOCABULARY.read_text("utf-8").split("\n")
    return [words[k] for k in pieces.cut([text]).ids]


def test_texts_that_mean_alike_lie_closest_whatever_their_words() -> None:
    found = meaning.vectors(SAID)
    near = found @ found.T - 2 * np.eye(len(SAID))
    assert near.argmax(axis=1).tolist() == [1, 0, 3, 2, 5, 4]


def test_vectors_are_of_length_one_and_one_a_text() -> None:
    found = meaning.vectors([*SAID, "", "😀", "x" * 5_000, "parcel " * 2_000])
    assert found.shape == (10, meaning.SIZE)
    assert found.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1.0, atol=1e-5)
    assert meaning.vectors([]).shape == (0, meaning.SIZE)


def test_a_text_has_the_same_vector_alone_and_among_others_and_with_more_threads() -> None:
    together = meaning.vectors([*SAID, "parcel " * 150, "ok"])
    alone = np.concatenate([meaning.vectors([text]) for text in SAID])
    assert (together[: len(SAID)] * alone).sum(axis=1).min() > 0.999
    np.testing.assert_allclose(meaning.vectors(SAID, threads=2), meaning.vectors(SAID), atol=2e-3)


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("Unbelievable!", ["unbelievable", "!"]),
        ("Where's my refund?!", ["where", "'", "s", "my", "ref", "##und", "?", "!"]),
        ("naïve—“CAFÉ”", ["naive", "—", "“", "cafe", "”"]),
        ("日本 a\u200bb\x00c", ["日", "本", "abc"]),
        ("😀 " + "x" * 101, ["[UNK]", "[UNK]"]),
        ("\ue000", []),
    ],
)
def test_words_are_cut_into_the_longest_known_pieces(text: str, cut: list[str]) -> None:
    assert spelt(text) == ["[CLS]", *cut, "[SEP]"]


def test_a_long_text_is_read_up_to_where_places_end() -> None:
    long = spelt("parcel " * 1_000)
    assert len(long) == pieces.PIECES_MAX
    assert long[0] == "[CLS]"
    assert long[-1] == "[SEP]"


@settings(max_examples=60)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_texts_are_cut_alike_alone_and_together(texts: list[str]) -> None:
    together = pieces.cut(texts)
    assert len(together.lengths) == len(texts)
    for k, text in enumerate(texts):
        one = together.ids[together.begins[k] : together.begins[k + 1]]
        assert one.tolist() == pieces.cut([text]).ids.tolist()


def test_who_asks_for_no_meaning_does_not_load_the_network() -> None:
    code = "import sys; from rapport.kit.texts import meaning; assert 'onnxruntime' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
