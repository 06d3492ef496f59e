"""Phrases, cues and what single words are: found alike alone and in a batch, in the right language."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapport.kit.errors import Invalid
from rapport.kit.texts import glance, heads, spoken, tokens
from rapport.kit.texts.cues import Cues, Turn, words_json
from rapport.kit.texts.heads import Head
from rapport.kit.texts.phrases import Phrases

PATTERNS = [
    "how do|can i",
    "happy",
    "not ~at|all happy",
    "disappoint*",
    "^ where is",
    "where _ order ?",
    "écran cassé",
]


def found(patterns: list[str], *text: str, longest: bool = False) -> list[tuple[int, str]]:
    """The phrases of texts: position and words."""
    cut = tokens.words(pa.array(text, pa.string()))
    rows = Phrases.of(patterns).find(glance.of(cut))
    rows = rows.longest() if longest else rows
    return [
        (p, " ".join(cut.word[f : f + n]))
        for p, f, n in zip(rows.phrase.tolist(), rows.first.tolist(), rows.size.tolist(), strict=True)
    ]


def test_choices_optional_words_stems_and_gaps() -> None:
    assert found(PATTERNS, "How do I pay, how can I?") == [(0, "how do i"), (0, "how can i")]
    assert found(PATTERNS, "not all happy") == [(1, "happy"), (2, "not all happy")]
    assert found(PATTERNS, "so disappointing") == [(3, "disappointing")]
    assert found(PATTERNS, "where my order??") == [(5, "where my order ??")]


def test_the_beginning_of_a_sentence_is_where_a_text_or_a_sign_begins_it() -> None:
    assert found(PATTERNS, "Where is it?") == [(4, "where is")]
    assert found(PATTERNS, "Hi, where is it?") == [(4, "where is")]
    assert found(PATTERNS, "I know where is it") == []
    assert found(PATTERNS, "no", "where is") == [(4, "where is")], "the text before is another"


def test_a_phrase_does_not_span_two_texts() -> None:
    assert found(PATTERNS, "how do", "i") == []


def test_accents_case_and_elision_do_not_matter() -> None:
    for text in ("l'écran cassé", "ECRAN CASSE", "l'ecran casse"):
        assert [p for p, _ in found(PATTERNS, text)] == [6]


def test_the_longer_phrase_hides_what_lies_inside_it() -> None:
    assert found(PATTERNS, "not happy", longest=True) == [(2, "not happy")]
    assert found(PATTERNS, "not happy, happy", longest=True) == [(1, "happy"), (2, "not happy")]


def test_the_article_of_an_arabic_word_does_not_matter() -> None:
    assert [p for p, _ in found(["خدمة"], "والخدمة")] == [0]


@pytest.mark.parametrize("pattern", ["", "^", "~maybe", "_ word", "a*", "good |"])
def test_a_phrase_that_says_nothing_is_refused(pattern: str) -> None:
    with pytest.raises(Invalid):
        Phrases.of([pattern])


@given(
    st.lists(
        st.sampled_from(["how", "do", "can", "i", "not", "happy", "?", "where", "my", "order", "-"]),
        max_size=12,
    )
)
def test_a_text_has_the_same_phrases_alone_and_in_a_batch(words: list[str]) -> None:
    text = " ".join(words)
    alone = found(PATTERNS, text)
    assert sorted(found(PATTERNS, "not", text, "happy")) == sorted([*alone, (1, "happy")])


def test_little_words_and_letters_say_which_languages_a_text_may_be_in() -> None:
    cut = tokens.words(pa.array(["the shop is open", "was ist das", "배송 언제", "أين الطلب", "ok"]))
    may = glance.of(cut).may_be()
    named = [{spoken.LANGUAGES[k] for k in np.flatnonzero(row)} for row in may]
    assert named[:4] == [{"en"}, {"de"}, {"ko"}, {"ar"}]
    assert named[4] == set(spoken.LANGUAGES)


def test_a_negation_turns_three_words_and_no_sign_between() -> None:
    cut = tokens.words(pa.array(["not a b c d", "no , good", "never", "good"]))
    assert glance.of(cut).turned().tolist() == [
        False,
        True,
        True,
        True,
        False,
        False,
        False,
        False,
        False,
        False,
    ]


@pytest.fixture
def cues(tmp_path: Path) -> Cues:
    for language in spoken.LANGUAGES:
        (tmp_path / f"{language}.toml").write_text("", encoding="utf-8")
    (tmp_path / "en.toml").write_text(
        '[good]\nsure = ["great"]\nhint = ["comment"]\n[bad]\nlikely = ["awful"]\n[nothing]\nsure = ["no problem"]\n'
        '[worse]\nsure = ["problem"]\n'
    )
    (tmp_path / "fr.toml").write_text('[bad]\nlikely = ["comment"]\n', encoding="utf-8")
    (tmp_path / "any.toml").write_text('[good]\nsure = ["😀"]\n', encoding="utf-8")
    turns = {"good": Turn("bad", 0.5), "worse": Turn()}
    return Cues.read(tmp_path, ("good", "bad", "worse"), turns)


def strength(cues: Cues, *text: str) -> list[list[float]]:
    rows: list[list[float]] = cues.found(tokens.words(pa.array(text, pa.string()))).strength().tolist()
    return rows


def test_cues_add_up_once_each_and_turn_after_a_negation(cues: Cues) -> None:
    assert strength(
        cues, "great great and awful", "it is not great", "no problem", "not a problem", "😀 ok"
    ) == [
        [3, 2, 0],
        [0, 1.5, 0],
        [0, 0, 0],
        [0, 0, 0],
        [3, 0, 0],
    ]


def test_a_cue_of_another_language_is_not_heard(cues: Cues) -> None:
    assert strength(cues, "the comment is about the shop", "comment est le colis") == [[1, 0, 0], [0, 2, 0]]


def test_an_unknown_label_is_refused(tmp_path: Path) -> None:
    for language in spoken.LANGUAGES:
        (tmp_path / f"{language}.toml").write_text('[odd]\nsure = ["x"]\n', encoding="utf-8")
    with pytest.raises(Invalid, match=r"en\.toml has odd\.sure"):
        Cues.read(tmp_path, ("good",), {})


def test_the_phrases_that_decided_are_named_strongest_first_and_once(cues: Cues) -> None:
    cut = tokens.words(pa.array(["awful but great", ""]))
    found_ = cues.found(cut)
    decided = found_.deciding(cut, found_.weight)
    assert [(text, phrase) for text, phrase, _ in decided] == [(0, "great"), (0, "awful")]
    assert words_json(2, decided).to_pylist() == ['["great", "awful"]', "[]"]


def test_signs_of_a_text() -> None:
    cut = tokens.words(pa.array(["why ? now", "why ?", "#a http://x.example", "@ana 42", "so!! good!"]))
    table = heads.signs(glance.of(cut))
    assert dict(zip(heads.SIGNS, table[0].tolist(), strict=False))["ends_asking"] == 0
    assert table[1, :2].tolist() == [1, 1]
    assert table[2, 3] == 1
    assert table[:, 5].tolist() == [0, 0, 0, 1, 0]
    assert table[4, 2] == pytest.approx(np.log(3))


def test_a_head_survives_its_file_and_refuses_another_model(tmp_path: Path) -> None:
    head = Head(("a", "b"), ("x",), np.array([[1.25, -0.5]]), np.array([0.0, 2.0]))
    head.write(tmp_path / "head.json")
    back = Head.read(tmp_path / "head.json", ("a", "b"), ("x",))
    assert back.weights.tolist() == head.weights.tolist()
    assert back.bias.tolist() == head.bias.tolist()
    with pytest.raises(Invalid):
        Head.read(tmp_path / "head.json", ("a", "c"), ("x",))
