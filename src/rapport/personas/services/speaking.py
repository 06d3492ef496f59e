"""The words that a persona uses more than others do, and texts that show them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from rapport.kit.texts import tokens
from rapport.people.rules import sensitive_texts
from rapport.personas import rules, selectors

WORDS_KEPT = 12
QUOTES_KEPT = 12  # of which those who still agree are shown
WORD_LEAST = 4  # letters; of what is shorter most is grammar
Z_LEAST = 1.96
LENGTH = (30, 320)  # characters of a quote
PERSONS_LEAST = 20  # who wrote in a language, or nothing is said of it


def spoken(texts: pa.Table, may_quote: pa.Array) -> dict[str, tuple[tuple[rules.Word, ...], tuple[int, ...]]]:
    """By persona, its words and the numbers of texts to quote.

    texts : seq, key, person, language, name, text
    may_quote : persons who let us
    """
    keys = texts["key"].to_numpy(zero_copy_only=False).astype(str)
    languages = texts["language"].to_numpy(zero_copy_only=False).astype(str)
    persons = texts["person"].to_numpy()
    personas, persona = np.unique(keys, return_inverse=True)
    words: dict[str, list[rules.Word]] = {key: [] for key in personas.tolist()}
    worth = np.zeros(texts.num_rows)
    # Of each language by itself: a persona of which more write German must not seem to love articles.
    for language in np.unique(languages).tolist():
        rows = np.flatnonzero(languages == language)
        if len(np.unique(persons[rows])) < PERSONS_LEAST:
            continue
        cut = tokens.words(pa.array(texts["text"].take(pa.array(rows)).to_pylist(), pa.string()))
        _read_language(language, cut, persona[rows], persons[rows], personas.tolist(), words, worth, rows)
    return {
        key: (
            tuple(sorted(found, key=lambda w: (-w.z, w.word))[:WORDS_KEPT]),
            _quotes(texts, keys == key, worth, may_quote),
        )
        for key, found in words.items()
    }


def _read_language(
    language: str, cut: tokens.Words, persona: Any, persons: Any, personas: list[str],
    words: dict[str, list[rules.Word]], worth: Any, rows: Any,
) -> None:  # fmt: skip
    """Note the words of one language, and what each text is worth as an example of its persona's words."""
    known, word = np.unique(np.array(cut.word, dtype=object).astype(str), return_inverse=True)
    if not len(known):
        return
    of_person = persons[cut.owner]
    # One who repeats a word has said it once.
    once = np.unique(np.stack([of_person, persona[cut.owner], word]), axis=1)
    counts = np.zeros((len(personas), len(known)))
    np.add.at(counts, (once[1], once[2]), 1)
    z = rules.distinctive(counts)
    may = np.array(
        [w.isalpha() and len(w) >= _least(w) and not selectors.is_closed(w) for w in known.tolist()]
    ) & (counts.sum(axis=0) >= rules.PEOPLE_LEAST)
    for k, key in enumerate(personas):
        best = np.flatnonzero(may & (z[k] >= Z_LEAST) & (counts[k] >= rules.PEOPLE_LEAST))
        best = best[np.argsort(-z[k][best], kind="stable")][:WORDS_KEPT]
        words[key] += [
            rules.Word(str(known[w]), language, int(counts[k, w]), round(float(z[k, w]), 2)) for w in best
        ]
    speaks = np.where(may[word], np.maximum(z[persona[cut.owner], word], 0), 0)
    summed = np.bincount(cut.owner, speaks, minlength=cut.n_texts)
    long = np.bincount(cut.owner, minlength=cut.n_texts)
    worth[rows] = summed / np.maximum(long, 5)


def _least(word: str) -> int:
    """Letters that a word needs: Korean, Chinese and Japanese write one in two."""
    return 2 if ord(word[0]) >= 0x1100 else WORD_LEAST


def _quotes(texts: pa.Table, here: Any, worth: Any, may_quote: pa.Array) -> tuple[int, ...]:
    arrow: Any = pc
    length = arrow.utf8_length(texts["text"]).to_numpy(zero_copy_only=False)
    may = (
        here
        & (length >= LENGTH[0])
        & (length <= LENGTH[1])
        & arrow.is_in(texts["person"], value_set=may_quote).to_numpy(zero_copy_only=False)
        & arrow.is_in(texts["name"], value_set=pa.array(selectors.QUOTABLE)).to_numpy(zero_copy_only=False)
    )
    rows = np.flatnonzero(may)
    told = sensitive_texts.are_sensitive(texts["text"].take(pa.array(rows)))
    rows = rows[~told.to_numpy(zero_copy_only=False)]
    rows = rows[np.argsort(-worth[rows], kind="stable")]
    for alike in (texts["person"], arrow.utf8_lower(arrow.utf8_trim_whitespace(texts["text"]))):
        # Of one person one, and the same words once, whoever said them first.
        _, first = np.unique(alike.take(pa.array(rows)).to_numpy(zero_copy_only=False), return_index=True)
        rows = rows[np.sort(first)]
    chosen = rows[:QUOTES_KEPT]
    return tuple(int(seq) for seq in texts["seq"].to_numpy()[chosen])
