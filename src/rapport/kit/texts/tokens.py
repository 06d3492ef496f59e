"""Texts to words, a whole batch in a handful of passes over one joined string.

Addresses become `http`, mentions `@user`, digits `0`, letters repeated thrice or more are repeated twice;
case is folded and compatibility forms are unified (NFKC), so that what is written alike counts alike.
"""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

LENGTH_MAX = 4_000  # characters read of one text; feelings are stated long before
SEPARATOR = "\x1e"  # between texts: white space to a pattern, so no token spans it

SILENT = frozenset([*'.,;:-–—_"()[]{}/\\|*&%$§=<>~^`´…·•', "'", "0", "http", "@user", "#", "@", "rt"])

_ADDRESS = re.compile(r"https?://\S+|www\.\S+|\bhttps?\b")
_MENTION = re.compile(r"@\w+")
_DIGITS = re.compile(r"\d+")
_REPEATED = re.compile(r"([^\W\d_])\1{2,}")
_TOKEN = re.compile(
    SEPARATOR + r"|@user"
    r"|[^\W_]+(?:'[^\W_]+)*"  # a word, with apostrophes inside
    r"|[!?]+"
    r"|[:;=][-^']?[)(dpo/\\|\[\]*]+|<3"  # faces
    r"|[\u2190-\u2bff\U0001f000-\U0001faff]"  # one pictograph
    r"|[^\w\s]"
)


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a batch of texts, in order.

    n_texts : how many texts there were
    word : the words as written down for hashing
    owner : int64 (words,), the index of the text of each word, never falling
    """

    n_texts: int
    word: list[str]
    owner: NDArray[np.int64]


def words(texts: pa.StringArray) -> Words:
    """Cut texts into words; an empty text has none."""
    joined = normal(_join(texts))
    found = _TOKEN.findall(joined)
    is_end = np.fromiter((token == SEPARATOR for token in found), np.bool_, len(found))
    owner = np.cumsum(is_end)[~is_end]
    return Words(n_texts=len(texts), word=[t for t in found if t != SEPARATOR], owner=owner.astype(np.int64))


def normal(text: str) -> str:
    """The spelling under which words are compared."""
    text = unicodedata.normalize("NFKC", html.unescape(html.unescape(text))).lower()
    text = text.replace("’", "'").replace("\ufe0f", "")
    text = _MENTION.sub("@user", _ADDRESS.sub(" http ", text))
    return _DIGITS.sub("0", _REPEATED.sub(r"\1\1", text))


def fold(word: str) -> str:
    """A word without accents, as one writes it in a hurry."""
    if word.isascii():
        return word
    apart = unicodedata.normalize("NFD", word.replace("ß", "ss"))
    return unicodedata.normalize("NFC", "".join(c for c in apart if unicodedata.category(c) != "Mn"))


def _join(texts: pa.StringArray) -> str:
    if len(texts) == 0:
        return ""
    arrow: Any = pc  # its stubs do not follow a column through three calls
    clean = arrow.replace_substring(arrow.fill_null(texts, ""), SEPARATOR, " ")
    clean = arrow.utf8_slice_codeunits(clean, 0, LENGTH_MAX)
    whole = pa.ListArray.from_arrays(pa.array([0, len(clean)], pa.int32()), clean)
    joined: str = arrow.binary_join(whole, SEPARATOR)[0].as_py()
    return joined
