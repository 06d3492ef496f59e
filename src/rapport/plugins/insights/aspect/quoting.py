"""The part of a text that names an aspect, as it was written."""

from __future__ import annotations

import re

import pyarrow as pa

from rapport.kit.texts.tokens import LENGTH_MAX, Words, normal
from rapport.plugins.insights.aspect.reading import Read

QUOTE_MAX = 200  # characters

_SENTENCE = re.compile(r"[^.!?;…\n。]+[.!?;…。]*\s*")


def quotes(texts: pa.StringArray, cut: Words, read: Read) -> list[str]:
    """(pairs,): the sentence with the word that names the aspect first, at most QUOTE_MAX characters of it."""
    asked = sorted(set(read.text.tolist()))
    written = dict(zip(asked, texts.take(pa.array(asked)).to_pylist(), strict=True))
    return [
        _sentence((written[text] or "")[:LENGTH_MAX], cut.word[word])
        for text, word in zip(read.text.tolist(), read.named.tolist(), strict=True)
    ]


def _sentence(text: str, word: str) -> str:
    parts: list[str] = [part.strip() for part in _SENTENCE.findall(text)] or [text.strip()]
    chosen = next((part for part in parts if word in normal(part)), parts[0])
    if len(chosen) <= QUOTE_MAX:
        return chosen
    at = max(0, normal(chosen).find(word) - QUOTE_MAX // 2)
    return ("…" if at else "") + chosen[at : at + QUOTE_MAX].strip() + "…"
